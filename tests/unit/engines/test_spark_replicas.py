"""Replicas on a cluster: started together, again when one is lost, ended together. Spark is threads here."""

import errno
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import CHECKPOINTS_DIRECTORY
from offerbench.engines import replicas as replicas_module
from offerbench.engines import spark_replicas as module
from offerbench.engines.placed_replica import Answer, Told, run_placed
from offerbench.engines.replicas import (
    CLUSTER_VARIABLE,
    LOST_STATUS,
    STARTED_VARIABLE,
    culprit,
    run_on_replicas,
)
from offerbench.preparation.resources import Spark

from .plain_barrier import HOST, PlainBarrier, PlainContext, together
from .test_replicas import HEADER, are_gone, never, pids

SPARK = Spark(master="spark://host:7077", work_directory="/elsewhere", users_per_shard=10, conf={})
# A replica of a later attempt finds what an earlier one has left.
ATTEMPT = """
Path(f"start_{index}_{os.getpid()}").touch()
attempt = len(list(Path().glob(f"start_{index}_*")))
while len(list(Path().glob("start_*"))) < attempt * len(cluster["cluster"]["worker"]):
    time.sleep(0.01)
"""


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch) -> PlainContext:
    """Threads in place of Spark."""
    context = PlainContext()

    @contextmanager
    def session(spark: Spark, settings: Mapping[str, str]) -> Iterator[Any]:
        yield SimpleNamespace(version="plain", sparkContext=context)

    monkeypatch.setattr(module, "spark_session", session)
    pyspark = SimpleNamespace(BarrierTaskContext=PlainBarrier)
    monkeypatch.setattr(module, "import_module", lambda name: pyspark)
    return context


@pytest.fixture
def script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: PlainContext
) -> Iterator[Callable[[str], None]]:
    """Make the command of this process a script that replicas run, in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    for variable in (CLUSTER_VARIABLE, STARTED_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(replicas_module, "GRACE_SECONDS", 1.0)

    def write(body: str) -> None:
        Path("stage.py").write_text(HEADER + ATTEMPT + body)
        monkeypatch.setattr(sys, "orig_argv", ["python", "stage.py", "argument"])

    yield write
    assert list(CHECKPOINTS_DIRECTORY.iterdir()) == [], "nothing stays"


def test_each_is_told_who_it_is_and_the_first_speaks(
    script: Callable[[str], None],
    context: PlainContext,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DVC_STAGE", "train_mono@brand")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    script(
        "print(index, sys.argv[1], os.environ['DVC_STAGE'], os.environ['OFFERBENCH_STARTED_REPLICA'])\n"
        "print('to standard error', index, file=sys.stderr)\n"
        "Path(f'cluster_{index}').write_text(json.dumps(cluster))"
    )
    run_on_replicas(3, never, SPARK)
    clusters = [json.loads(Path(f"cluster_{index}").read_text()) for index in range(3)]
    assert [of["task"] for of in clusters] == [{"type": "worker", "index": index} for index in range(3)]
    addresses = clusters[0]["cluster"]["worker"]
    assert all(of["cluster"]["worker"] == addresses for of in clusters)
    assert len(set(addresses)) == 3
    assert all(address.startswith(f"{HOST}:") for address in addresses)
    assert context.stages == [3]
    said = capsys.readouterr()
    lines = [line for line in said.out.splitlines() if " replicas (" not in line]  # of the log, if configured
    assert lines == ["0 argument train_mono@brand 1"]
    assert said.err == "to standard error 0\n"


def test_on_one_machine_spark_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "spark_session", never)
    done = []
    run_on_replicas(1, lambda: done.append(1), SPARK)
    monkeypatch.setenv(CLUSTER_VARIABLE, "of another starter")
    monkeypatch.delenv(STARTED_VARIABLE, raising=False)
    run_on_replicas(2, lambda: done.append(2), SPARK)
    assert done == [1, 2]


@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_one_starts_all_again(
    script: Callable[[str], None], context: PlainContext, caplog: pytest.LogCaptureFixture, killed: int
) -> None:
    script(
        f"if attempt == 1 and index == {killed}: os.kill(os.getpid(), signal.SIGKILL)\n"
        "if attempt == 1: sys.exit(75)"
    )
    with caplog.at_level(logging.WARNING):
        run_on_replicas(2, never, SPARK)
    assert context.stages == [2, 2]
    assert [record.getMessage() for record in caplog.records] == [
        f"resources.replicas: replica {killed} of 2 (from 0) on {HOST} was ended by SIGKILL. The others were "
        "ended too. Attempt 2 of 3 goes on from the last epoch that was finished"
    ]


def test_three_attempts_in_all(script: Callable[[str], None], context: PlainContext) -> None:
    script("if index: os.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(60)")  # the first one hangs
    begin = time.monotonic()
    with pytest.raises(OfferbenchError) as failed:
        run_on_replicas(2, never, SPARK)
    assert str(failed.value) == (
        f"resources.replicas: replica 1 of 2 (from 0) on {HOST} was ended by SIGTERM. The others were ended "
        "too, in the last of 3 attempts. Run it again: it goes on from the last epoch that was finished."
    )
    assert context.stages == [2, 2, 2]
    assert time.monotonic() - begin < 30
    assert are_gone(pids())


def test_what_the_first_refuses_is_said_once(
    script: Callable[[str], None], context: PlainContext, capsys: pytest.CaptureFixture[str]
) -> None:
    script("print('error: no such file', file=sys.stderr)\nsys.exit(2)")
    with pytest.raises(SystemExit) as failed:
        run_on_replicas(2, never, SPARK)
    assert failed.value.code == 2
    assert capsys.readouterr().err == "error: no such file\n"
    assert context.stages == [2], "another attempt would end the same way"


def test_what_another_refuses_is_said_with_its_machine(
    script: Callable[[str], None], context: PlainContext, capsys: pytest.CaptureFixture[str]
) -> None:
    script("if index == 0: sys.exit(75)\nprint('error: no such file', file=sys.stderr)\nsys.exit(2)")
    with pytest.raises(OfferbenchError) as failed:
        run_on_replicas(2, never, SPARK)
    assert str(failed.value) == f"resources.replicas: replica 1 of 2 (from 0) on {HOST}: no such file"
    assert capsys.readouterr().err == ""
    assert context.stages == [2]


def test_a_mistake_keeps_its_trace_back(
    script: Callable[[str], None], context: PlainContext, capsys: pytest.CaptureFixture[str]
) -> None:
    script("if index == 0: time.sleep(60)\n1 / 0")
    with pytest.raises(OfferbenchError, match=r"replica 1 of 2 .* ended with status 1"):
        run_on_replicas(2, never, SPARK)
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert context.stages == [2]
    assert are_gone(pids())


def test_a_machine_that_does_not_see_the_checkout_starts_none(
    tmp_path: Path, context: PlainContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"

    def placed(barrier: PlainBarrier) -> Answer:
        told = Told(gone if barrier.index else tmp_path, tmp_path, ("-c", "raise SystemExit(3)"), {})
        return run_placed(barrier, told)

    answers = together(2, placed)
    line = (
        f"{gone}: {socket.gethostname()} does not see it. All machines of resources.spark must see it under "
        "this name, such as on a shared disk."
    )
    assert answers == [Answer(HOST, LOST_STATUS, ""), Answer(HOST, LOST_STATUS, "", line)]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "run_placed", lambda barrier, told: answers[barrier.index])
    with pytest.raises(OfferbenchError) as failed:
        module.run_on_cluster(2, SPARK)
    assert str(failed.value) == line
    assert context.stages == [2]


def test_a_full_disk_names_the_machine_and_ends_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/checkout/x")

    monkeypatch.setattr(subprocess, "Popen", full)
    told = Told(tmp_path, tmp_path, (), {})
    with pytest.raises(OfferbenchError, match=rf"^{HOST}: /checkout/x: No space left on device\."):
        together(1, lambda barrier: run_placed(barrier, told))
    assert (tmp_path / "failed_0").exists()


def test_threads_are_those_of_the_driver_and_not_of_a_worker_of_spark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    command = ("-c", "import os; print(os.environ.get('OMP_NUM_THREADS'))")
    for number, variables in enumerate(({}, {"OMP_NUM_THREADS": "3"})):
        directory = tmp_path / str(number)
        directory.mkdir()
        told = Told(tmp_path, directory, command, variables)
        assert together(1, lambda barrier, told=told: run_placed(barrier, told)) == [Answer(HOST, 0, "")]
    assert [(tmp_path / f"{number}/0.out").read_text() for number in (0, 1)] == ["None\n", "3\n"]


def test_a_replica_ends_with_its_task(tmp_path: Path) -> None:
    (tmp_path / "task.py").write_text(
        "from pathlib import Path\n"
        "from offerbench.engines.placed_replica import Told, run_placed\n"
        "from tests.unit.engines.plain_barrier import together\n"
        "told = Told(Path(), Path(), ('replica.py',), {})\n"
        "together(1, lambda barrier: run_placed(barrier, told))\n"
    )
    (tmp_path / "replica.py").write_text(
        "import os, time\nfrom pathlib import Path\nfrom offerbench.engines.replicas import run_on_replicas\n"
        "def train():\n    Path('pid').write_text(str(os.getpid()))\n    time.sleep(60)\n"
        "run_on_replicas(2, train)\n"
    )
    repository = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": f"{repository / 'src'}{os.pathsep}{repository}"}
    task = subprocess.Popen([sys.executable, "task.py"], cwd=tmp_path, env=environment)
    deadline, file = time.monotonic() + 30, tmp_path / "pid"
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    task.send_signal(signal.SIGKILL)
    task.wait()
    assert are_gone([int(file.read_text())])


BARRIER_FAILED = (
    "An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.\n"
    ": org.apache.spark.SparkException: Job aborted due to stage failure: Could not recover from a failed "
    "barrier ResultStage. Most recent failure reason: Stage failed because barrier task ResultTask(0, 1) "
    "finished unsuccessfully.\n"
)


@pytest.mark.parametrize(
    "reason, said",
    [
        (
            "ExecutorLostFailure (executor 1 exited caused by one of the running tasks) Reason: 137\n\tat x",
            "ExecutorLostFailure (executor 1 exited caused by one of the running tasks) Reason: 137",
        ),
        (
            "org.apache.spark.SparkException: Python worker exited unexpectedly (crashed).\n\tat org.apache",
            "Python worker exited unexpectedly (crashed).",
        ),
    ],
)
def test_a_lost_executor_is_another_attempt(reason: str, said: str) -> None:
    assert module._lost_machine(RuntimeError(BARRIER_FAILED + reason), 2, "yarn", 4) == (
        f"resources.replicas: Spark at yarn has lost a task ({said}). The others were ended too"
    )


@pytest.mark.parametrize(
    "text, line",
    [
        (
            "[SPARK-24819]: Barrier execution mode does not allow",
            r"^resources\.replicas: 3 replicas need 3 free slots at the same time, .* at yarn has SLOTS\.",
        ),
        ("[SPARK-24942]: Barrier ...", r"^resources\.spark\.conf: spark\.dynamicAllocation\.enabled must be"),
    ],
)
@pytest.mark.parametrize("slots, said", [(2, "2"), (3, "fewer for it")])  # 3: another program has them
def test_a_cluster_that_has_no_place_is_one_line(text: str, line: str, slots: int, said: str) -> None:
    error = RuntimeError(f"An error\n: org.apache: {text}\n\tat org.apache")
    with pytest.raises(OfferbenchError, match=line.replace("SLOTS", said)) as failed:
        module._lost_machine(error, 3, "yarn", slots)
    assert len(str(failed.value).splitlines()) == 1


def test_a_mistake_of_a_task_is_raised_as_it_is() -> None:
    error = RuntimeError(f"{BARRIER_FAILED}PythonException: Traceback (most recent call last):\nKeyError: 1")
    with pytest.raises(RuntimeError, match="KeyError: 1"):
        module._lost_machine(error, 2, "yarn", 2)


def test_a_cluster_is_waited_for_and_a_machine_is_not() -> None:
    key = "spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures"
    assert module._settings("local[2]")[key] == "1"
    assert module._settings("spark://host:7077")[key] == "120"
    assert module._settings("local-cluster[2,1,1024]")[key] == "120"


def test_whole_lines_are_passed_on(tmp_path: Path) -> None:
    passed: list[str] = []
    stream = SimpleNamespace(write=passed.append, flush=lambda: None)
    file = tmp_path / "0.out"
    with module._said({file: stream, tmp_path / "none": stream}), file.open("wb") as written:
        for part in (b"one\ntw", "o\nhäl".encode()[:-2]):  # half a letter
            written.write(part)
            written.flush()
            time.sleep(0.3)
        assert "".join(passed) == "one\ntwo\n"
        written.write("äl".encode()[1:])
    assert "".join(passed) == "one\ntwo\nhäl"


def test_the_cause_is_found_among_those_that_lost_another() -> None:
    assert culprit([0, 0]) is None
    assert culprit([None, 0]) is None
    assert culprit([LOST_STATUS, None, -9]) == 2
    assert culprit([0, LOST_STATUS, LOST_STATUS]) == 1

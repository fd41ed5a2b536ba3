"""Replicas are started, watched and ended together. Here they are small scripts without TensorFlow."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from offerbench.core.errors import LostReplicaError, OfferbenchError
from offerbench.engines import replicas as module
from offerbench.engines.replicas import CLUSTER_VARIABLE, STARTED_VARIABLE, free_addresses, run_on_replicas

HEADER = """\
import json, os, signal, sys, time
from pathlib import Path
cluster = json.loads(os.environ["TF_CONFIG"])
index = cluster["task"]["index"]
Path(f"pid_{index}").write_text(str(os.getpid()))
def wait_for_all():
    while len(list(Path().glob("pid_*"))) < len(cluster["cluster"]["worker"]):
        time.sleep(0.01)
"""
Script = Callable[[str], None]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Make the command of this process a script that replicas run, in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    for variable in (CLUSTER_VARIABLE, STARTED_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(module, "GRACE_SECONDS", 3.0)

    def write(body: str) -> None:
        Path("stage.py").write_text(HEADER + body)
        monkeypatch.setattr(sys, "orig_argv", ["python", "stage.py", "argument"])

    return write


def never() -> None:
    raise AssertionError("this process only starts others")


def are_gone(pids: list[int], seconds: float = 5.0) -> bool:
    """Whether processes end within some seconds."""
    deadline = time.monotonic() + seconds
    while any(map(is_running, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def pids() -> list[int]:
    return [int(file.read_text()) for file in sorted(Path().glob("pid_*"))]


def test_one_replica_is_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CLUSTER_VARIABLE, "whatever")
    done = []
    run_on_replicas(1, lambda: done.append(1))
    assert done == [1]


def test_a_replica_of_a_cluster_trains_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CLUSTER_VARIABLE, "some")
    monkeypatch.delenv(STARTED_VARIABLE, raising=False)
    done = []
    run_on_replicas(2, lambda: done.append(1))
    assert done == [1]

    def lose() -> None:
        raise LostReplicaError("another one")

    with pytest.raises(OfferbenchError, match="another one"):
        run_on_replicas(2, lose)


def test_each_is_told_who_it_is_and_the_first_speaks(
    script: Script, capfd: pytest.CaptureFixture[str]
) -> None:
    script(
        "wait_for_all(); print(index, sys.argv[1]); Path(f'cluster_{index}').write_text(json.dumps(cluster))"
    )
    run_on_replicas(3, never)
    clusters = [json.loads(Path(f"cluster_{index}").read_text()) for index in range(3)]
    assert [of["task"] for of in clusters] == [{"type": "worker", "index": index} for index in range(3)]
    addresses = clusters[0]["cluster"]["worker"]
    assert all(of["cluster"]["worker"] == addresses for of in clusters)
    assert len(set(addresses)) == 3
    assert all(address.startswith("127.0.0.1:") for address in addresses)
    said = capfd.readouterr().out.splitlines()  # with a line of the log, if an earlier test configured it
    assert [line for line in said if line.endswith(" argument")] == ["0 argument"]


@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_one_ends_all_with_one_line(script: Script, killed: int) -> None:
    script(f"wait_for_all()\nif index == {killed}: os.kill(os.getpid(), signal.SIGKILL)\ntime.sleep(60)")
    with pytest.raises(OfferbenchError) as failed:
        run_on_replicas(2, never)
    assert str(failed.value) == (
        f"resources.replicas: replica {killed} of 2 (from 0) was ended by SIGKILL. The others were ended "
        "too. Run it again: it goes on from the last epoch that was finished."
    )
    assert are_gone(pids())


def test_who_lost_another_is_not_the_cause(script: Script) -> None:
    script(
        "wait_for_all()\nif index != 1: sys.exit(75)\ntime.sleep(0.5)\nos.kill(os.getpid(), signal.SIGTERM)"
    )
    with pytest.raises(OfferbenchError, match=r"replica 1 of 3 \(from 0\) was ended by SIGTERM"):
        run_on_replicas(3, never)


def test_where_all_lost_another_that_is_said(script: Script) -> None:
    script("sys.exit(75)")
    with pytest.raises(OfferbenchError, match="ended with status 75"):
        run_on_replicas(2, never)


def test_what_the_first_has_said_is_not_said_again(script: Script, capfd: pytest.CaptureFixture[str]) -> None:
    script("print('error: no such file', file=sys.stderr)\nsys.exit(2)")
    with pytest.raises(SystemExit) as failed:
        run_on_replicas(2, never)
    assert failed.value.code == 2
    assert capfd.readouterr().err == "error: no such file\n"


def test_what_another_refuses_is_said(script: Script, capfd: pytest.CaptureFixture[str]) -> None:
    refuse = "print('error: no such file', file=sys.stderr)\nsys.exit(2)"
    script(f"wait_for_all()\nif index == 0: sys.exit(75)\n{refuse}")
    with pytest.raises(OfferbenchError) as failed:
        run_on_replicas(2, never)
    assert str(failed.value) == "resources.replicas: replica 1 of 2 (from 0): no such file"
    assert capfd.readouterr().err == ""


def test_a_mistake_of_another_keeps_its_trace_back(script: Script, capfd: pytest.CaptureFixture[str]) -> None:
    script("wait_for_all()\nif index == 0: time.sleep(60)\n1 / 0")
    with pytest.raises(OfferbenchError, match=r"replica 1 of 2 .* ended with status 1"):
        run_on_replicas(2, never)
    assert "ZeroDivisionError" in capfd.readouterr().err
    assert are_gone(pids())


def test_replicas_end_with_the_one_that_started_them(script: Script) -> None:
    Path("starter.py").write_text(
        "import os, time\nfrom pathlib import Path\nfrom offerbench.engines.replicas import run_on_replicas\n"
        "def train():\n"
        "    index = os.environ['TF_CONFIG'].partition('index\\\": ')[2][0]\n"
        "    Path(f'pid_{index}').write_text(str(os.getpid()))\n"
        "    time.sleep(60)\n"
        "run_on_replicas(2, train)\n"
    )
    source = str(Path(module.__file__).parents[2])
    starter = subprocess.Popen([sys.executable, "starter.py"], env={**os.environ, "PYTHONPATH": source})
    deadline = time.monotonic() + 30
    while len([file for file in Path().glob("pid_*") if file.read_text()]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    started = pids()
    assert all(map(is_running, started))
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    assert are_gone(started)


def test_addresses_are_free_ports_of_this_machine() -> None:
    addresses = free_addresses(5)
    assert len(set(addresses)) == 5
    assert {address.partition(":")[0] for address in addresses} == {"127.0.0.1"}

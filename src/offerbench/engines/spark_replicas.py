"""Replicas of a training on a Spark cluster: placed by a barrier stage, started again when one is lost."""

import contextlib
import logging
import os
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from offerbench.core.atomic import temporary_directory
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import CHECKPOINTS_DIRECTORY
from offerbench.engines.placed_replica import ERRORS, OUTPUT, Answer, Told, run_placed
from offerbench.engines.replicas import AGAIN, POLL_SECONDS, Ended, culprit, lost
from offerbench.engines.session import spark_session
from offerbench.preparation.resources import Spark

ATTEMPTS = 3
"""Of a training: Spark tries a barrier stage that has failed no second time."""
SLOT_SECONDS = 120
"""For the executors of a cluster to start."""
TOLD_VARIABLES = re.compile("DVC|TF_|OMP_|XLA_|PYTHONHASHSEED$")
"""What replicas get of the driver's environment: the stage's name, and what numbers could depend on."""
NO_SLOTS = "SPARK-24819"
ELASTIC = "SPARK-24942"
LOST_TASK = re.compile(
    r"failed barrier ResultStage.*finished unsuccessfully\.\s*(?:[\w.]+: )?([^\n]{1,120})", re.DOTALL
)
"""A barrier stage that ended with a process of Spark's own; with the reason."""

LOG = logging.getLogger(__name__)


def run_on_cluster(replicas: int, spark: Spark) -> None:
    """Run the command of this process as so many replicas on a cluster, and wait for them.

    All machines must see the directory of this run under the same name. The first replica writes files, and
    what it says is said here.

    Parameters
    ----------
    replicas : int
        As many tasks must run at the same time.
    spark : Spark
        The cluster.

    Raises
    ------
    OfferbenchError
        If the cluster has too few slots, a machine does not see the checkout, a replica refuses to go on, or
        some were lost in each of three attempts.
    SystemExit
        If the first replica has said why already.
    """
    with (
        temporary_directory(CHECKPOINTS_DIRECTORY.absolute(), "replicas") as work,
        spark_session(spark, _settings(spark.master)) as session,
    ):
        LOG.info("Spark %s at %s: %d replicas", session.version, spark.master, replicas)
        for attempt in range(1, ATTEMPTS + 1):
            directory = work / str(attempt)
            directory.mkdir()
            failure = _attempt(session, replicas, spark, directory)
            if failure is None:
                return
            if attempt < ATTEMPTS:
                LOG.warning(
                    "%s. Attempt %d of %d goes on from the last epoch that was finished",
                    *(failure, attempt + 1, ATTEMPTS),
                )
    raise OfferbenchError(f"{failure}, in the last of {ATTEMPTS} attempts. {AGAIN}")


def _settings(master: str) -> dict[str, str]:
    """Give Spark's settings for a barrier stage, which the user may change."""
    tries = 1 if re.fullmatch(r"local(\[.*\])?", master) else SLOT_SECONDS
    check = "spark.scheduler.barrier.maxConcurrentTasksCheck"
    return {
        "spark.dynamicAllocation.enabled": "false",
        "spark.ui.showConsoleProgress": "false",  # of one stage until the end of the training
        f"{check}.interval": "1s",
        f"{check}.maxFailures": str(tries),
    }


def _attempt(session: Any, replicas: int, spark: Spark, directory: Path) -> str | None:
    """Run all replicas once; say which was lost, and how, if one was."""
    variables = {name: value for name, value in os.environ.items() if TOLD_VARIABLES.match(name)}
    told = Told(Path.cwd(), directory, tuple(sys.orig_argv[1:]), variables)
    context = session.sparkContext
    tasks = context.parallelize(range(replicas), replicas).barrier()
    files = {directory / OUTPUT.format(0): sys.stdout, directory / ERRORS.format(0): sys.stderr}
    with _said(files):
        try:
            answers: list[Answer] = tasks.mapPartitions(partial(_task, told=told)).collect()
        except Exception as error:
            return _lost_machine(error, replicas, spark.master, context.defaultParallelism)
    for answer in answers:
        if answer.refusal is not None:
            raise OfferbenchError(answer.refusal)
    failed = culprit([answer.status for answer in answers])
    if failed is None:
        return None
    return lost([Ended(answer.status, answer.said, f" on {answer.host}") for answer in answers], failed)


def _task(_: Iterable[int], told: Told) -> Iterator[Answer]:
    yield run_placed(import_module("pyspark").BarrierTaskContext.get(), told)


def _lost_machine(error: Exception, replicas: int, master: str, slots: int) -> str:
    """Say what became of a barrier stage that has failed as a whole.

    Raises
    ------
    OfferbenchError
        If it can't run on this cluster.
    Exception
        The given one, if it was no loss of a machine.
    """
    text = str(error)
    if NO_SLOTS in text:
        raise OfferbenchError(
            f"resources.replicas: {replicas} replicas need {replicas} free slots at the same time, one task "
            f"each, and Spark at {master} has {slots if slots < replicas else 'fewer for it'}. Lower "
            "resources.replicas, end what else holds the cores, or set more of spark.executor.instances, "
            "spark.executor.cores or spark.cores.max in resources.spark.conf."
        ) from None
    if ELASTIC in text:
        raise OfferbenchError(
            "resources.spark.conf: spark.dynamicAllocation.enabled must be false where resources.replicas is "
            "above 1: all replicas start at the same time. Set spark.executor.instances."
        ) from None
    found = LOST_TASK.search(text)
    if found is None or "Traceback" in text:
        raise error
    reason = found[1].strip()
    return f"resources.replicas: Spark at {master} has lost a task ({reason}). The others were ended too"


@contextlib.contextmanager
def _said(files: Mapping[Path, TextIO]) -> Iterator[None]:
    """Pass on, line by line, what is written into files by others."""
    ended = threading.Event()
    thread = threading.Thread(target=_pass_on, args=(files, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _pass_on(files: Mapping[Path, TextIO], ended: threading.Event) -> None:
    places = dict.fromkeys(files, 0)
    while True:
        is_last = ended.wait(POLL_SECONDS)
        for file, stream in files.items():
            content = b""
            with contextlib.suppress(OSError), file.open("rb") as opened:  # anew: a shared disk looks again
                opened.seek(places[file])
                content = opened.read()
            whole = content if is_last else content[: content.rfind(b"\n") + 1]
            places[file] += len(whole)
            stream.write(whole.decode(errors="replace"))
            stream.flush()
        if is_last:
            return

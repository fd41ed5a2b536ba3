"""Start the replicas of a training on this machine, and end them together; or on a cluster of Spark.

Each is a process that runs the same stage again, told by TF_CONFIG which of them it is. TensorFlow is
imported in these alone: what starts them only waits.
"""

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from offerbench.core.errors import LostReplicaError, OfferbenchError
from offerbench.preparation.resources import Spark

LOOPBACK = "127.0.0.1"
CLUSTER_VARIABLE = "TF_CONFIG"
STARTED_VARIABLE = "OFFERBENCH_STARTED_REPLICA"
LOST_STATUS = 75  # of a replica that ends because another one has: EX_TEMPFAIL of sysexits.h
REFUSED_STATUS = 2  # of a replica that has said why; see core/command.py
GRACE_SECONDS = 5.0
"""For the others to end by themselves: the first one may be writing a checkpoint, or say what is wrong."""
POLL_SECONDS = 0.1
AGAIN = "Run it again: it goes on from the last epoch that was finished."

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ended:
    """How a replica has ended."""

    status: int | None
    """As `subprocess` gives it; None if it has not."""
    said: str
    """On standard error; nothing for the first, which says it to the user."""
    where: str = ""
    """Such as " on host", for a message."""


@dataclass(frozen=True)
class Started:
    """A replica that was started here."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes] | None
    """What it says on standard error; None for the first, which says it to the user."""

    def so_far(self) -> Ended:
        """Give what is known of it."""
        said = ""
        if self.errors is not None:
            self.errors.seek(0)
            said = self.errors.read().decode(errors="replace")
        return Ended(self.process.returncode, said)


def run_on_replicas(replicas: int, train: Callable[[], None], spark: Spark | None = None) -> None:
    """Train in this process, or as `resources.replicas` says.

    Parameters
    ----------
    replicas : int
        1: in this process. More, with TF_CONFIG in the environment: this process is one of them. More,
        without it: so many processes are started, on this machine or on the cluster, and waited for.
    train : callable
        The training.
    spark : Spark, optional
        The cluster.

    Raises
    ------
    OfferbenchError
        If a replica ends before the training does: says which, why, and what to do.
    """
    if replicas == 1:
        train()
    elif CLUSTER_VARIABLE not in os.environ and spark is not None:
        from offerbench.engines.spark_replicas import run_on_cluster

        run_on_cluster(replicas, spark)
    elif CLUSTER_VARIABLE not in os.environ:
        _start_and_wait(replicas)
    elif STARTED_VARIABLE not in os.environ:
        train()
    else:
        threading.Thread(target=_end_with_the_starter, daemon=True).start()
        try:
            train()
        except LostReplicaError:  # the one that started it knows more
            raise SystemExit(LOST_STATUS) from None


def _end_with_the_starter() -> None:
    """End this process when the one that started it has ended, however: then nobody can write to the pipe."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(LOST_STATUS)


def _start_and_wait(replicas: int) -> None:
    LOG.info("%d replicas on this machine", replicas)
    started: list[Started] = []
    try:
        addresses = free_addresses(replicas)
        started.extend(_start(addresses, index) for index in range(replicas))
        failed = _first_failed([each.process for each in started])
        if failed is not None:
            _explain(started, failed)
    finally:
        _end(started)


def free_addresses(number: int) -> list[str]:
    """Find ports of this machine that are free now; `127.0.0.1:port` each."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [f"{LOOPBACK}:{each.getsockname()[1]}" for each in sockets]


def _start(addresses: Sequence[str], index: int) -> Started:
    """Start a replica: the same command in a session of its own, so that Ctrl-C comes here alone."""
    errors = tempfile.TemporaryFile() if index else None  # noqa: SIM115
    process = subprocess.Popen(
        [sys.executable, *sys.orig_argv[1:]],
        env={**os.environ, **replica_variables(addresses, index)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL if index else None,
        stderr=errors,
        start_new_session=True,
    )
    return Started(process, errors)


def replica_variables(addresses: Sequence[str], index: int) -> Mapping[str, str]:
    """Give what tells a process that it is a replica; its standard input is to be a pipe from its starter."""
    cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
    return {CLUSTER_VARIABLE: json.dumps(cluster), STARTED_VARIABLE: "1"}


def _first_failed(processes: Sequence[subprocess.Popen[bytes]]) -> int | None:
    """Wait until all have ended well, or one has not; give its place, None if all are well.

    One that has ended because it lost another is given only if no other is found within the grace.
    """
    deadline: float | None = None
    while True:
        statuses = [process.poll() for process in processes]
        if all(status == 0 for status in statuses):
            return None
        failed = culprit(statuses)
        if failed is not None:
            deadline = deadline or time.monotonic() + GRACE_SECONDS
            is_cause = statuses[failed] != LOST_STATUS
            if is_cause or None not in statuses or time.monotonic() > deadline:
                return failed
        time.sleep(POLL_SECONDS)


def culprit(statuses: Sequence[int | None]) -> int | None:
    """Give the place of a replica that has failed, by itself if there is one; None if none has failed."""
    failed = [place for place, status in enumerate(statuses) if status]
    return next((place for place in failed if statuses[place] != LOST_STATUS), next(iter(failed), None))


def _explain(started: Sequence[Started], failed: int) -> None:
    """Say why a replica has ended: what it said itself, or by what it was ended.

    Raises
    ------
    OfferbenchError, SystemExit
        As `lost`.
    """
    with contextlib.suppress(subprocess.TimeoutExpired):  # they refuse the same things: the first one says it
        started[0].process.wait(GRACE_SECONDS)
    raise OfferbenchError(f"{lost([each.so_far() for each in started], failed)}. {AGAIN}")


def lost(ended: Sequence[Ended], failed: int) -> str:
    """Say which replica was lost and how, so that the next run may go well.

    Parameters
    ----------
    ended : sequence of Ended
        All replicas.
    failed : int
        The one.

    Raises
    ------
    OfferbenchError
        If it refused to go on, or made a mistake: the next run would end as this one.
    SystemExit
        If the first replica, whose standard error is the user's, has said why already.
    """
    first, one = ended[0].status, ended[failed]
    if first is not None and first > 0 and first != LOST_STATUS:
        raise SystemExit(first)
    who = f"resources.replicas: replica {failed} of {len(ended)} (from 0){one.where}"
    if one.status is not None and one.status < 0:
        return f"{who} was ended by {signal.Signals(-one.status).name}. The others were ended too"
    lines = one.said.strip().splitlines()
    if one.status == REFUSED_STATUS and lines:
        raise OfferbenchError(f"{who}: {lines[-1].removeprefix('error: ')}")
    sys.stderr.write(one.said)
    text = f"{who} ended with status {one.status}. The others were ended too"
    if one.status == LOST_STATUS:
        return text
    raise OfferbenchError(f"{text}. {AGAIN}")


def _end(started: Sequence[Started]) -> None:
    """End those that still run, and let go of what they were given."""
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
    for each in started:
        each.process.wait()
        for stream in (each.process.stdin, each.errors):
            if stream is not None:
                stream.close()

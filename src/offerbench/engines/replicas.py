"""Start the replicas of a training on this machine, and end them together.

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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO

from offerbench.core.errors import LostReplicaError, OfferbenchError

LOOPBACK = "127.0.0.1"
CLUSTER_VARIABLE = "TF_CONFIG"
STARTED_VARIABLE = "OFFERBENCH_STARTED_REPLICA"
LOST_STATUS = 75  # of a replica that ends because another one has: EX_TEMPFAIL of sysexits.h
REFUSED_STATUS = 2  # of a replica that has said why; see core/command.py
GRACE_SECONDS = 5.0
"""For the others to end by themselves: the first one may be writing a checkpoint, or say what is wrong."""
POLL_SECONDS = 0.1

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Started:
    """A replica that was started here."""

    process: subprocess.Popen[bytes]
    errors: IO[bytes] | None
    """What it says on standard error; None for the first, which says it to the user."""

    def said(self) -> str:
        """Give what it has said so far."""
        if self.errors is None:
            return ""
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")


def run_on_replicas(replicas: int, train: Callable[[], None]) -> None:
    """Train in this process, or as `resources.replicas` says.

    Parameters
    ----------
    replicas : int
        1: in this process. More, with TF_CONFIG in the environment: this process is one of them. More,
        without it: so many processes are started on this machine, and waited for.
    train : callable
        The training.

    Raises
    ------
    OfferbenchError
        If a replica ends before the training does: says which, why, and what to do.
    """
    if replicas == 1:
        train()
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
    cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
    errors = tempfile.TemporaryFile() if index else None  # noqa: SIM115
    process = subprocess.Popen(
        [sys.executable, *sys.orig_argv[1:]],
        env={**os.environ, CLUSTER_VARIABLE: json.dumps(cluster), STARTED_VARIABLE: "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL if index else None,
        stderr=errors,
        start_new_session=True,
    )
    return Started(process, errors)


def _first_failed(processes: Sequence[subprocess.Popen[bytes]]) -> int | None:
    """Wait until all have ended well, or one has not; give its place, None if all are well.

    One that has ended because it lost another is given only if no other is found within the grace.
    """
    deadline: float | None = None
    while True:
        statuses = [process.poll() for process in processes]
        if all(status == 0 for status in statuses):
            return None
        failed = [place for place, status in enumerate(statuses) if status]
        causes = [place for place in failed if statuses[place] != LOST_STATUS]
        if causes:
            return causes[0]
        if failed:
            deadline = deadline or time.monotonic() + GRACE_SECONDS
            if None not in statuses or time.monotonic() > deadline:
                return failed[0]
        time.sleep(POLL_SECONDS)


def _explain(started: Sequence[Started], failed: int) -> None:
    """Say why a replica has ended: what it said itself, or by what it was ended.

    Raises
    ------
    OfferbenchError, SystemExit
        The latter if the first replica, whose standard error is the user's, has said it already.
    """
    with contextlib.suppress(subprocess.TimeoutExpired):  # they refuse the same things: the first one says it
        started[0].process.wait(GRACE_SECONDS)
    first = started[0].process.returncode
    if first is not None and first > 0 and first != LOST_STATUS:
        raise SystemExit(first)
    status = started[failed].process.returncode
    who = f"resources.replicas: replica {failed} of {len(started)} (from 0)"
    again = "The others were ended too. Run it again: it goes on from the last epoch that was finished."
    if status < 0:
        raise OfferbenchError(f"{who} was ended by {signal.Signals(-status).name}. {again}")
    said = started[failed].said()
    lines = said.strip().splitlines()
    if status == REFUSED_STATUS and lines:
        raise OfferbenchError(f"{who}: {lines[-1].removeprefix('error: ')}")
    sys.stderr.write(said)
    raise OfferbenchError(f"{who} ended with status {status}. {again}")


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

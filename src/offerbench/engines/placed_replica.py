"""One replica of a training, started by a task of Spark: where the task is, and ended with it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from offerbench.core.command import machine_fault
from offerbench.core.errors import OfferbenchError
from offerbench.engines import replicas
from offerbench.engines.replicas import LOST_STATUS, POLL_SECONDS, replica_variables
from offerbench.engines.tasks import refuse_unseen

OUTPUT, ERRORS, FAILED = "{}.out", "{}.err", "failed_{}"
"""Files of a replica, by its number: what it says, and that it has failed."""
MAX_SAID = 20_000
"""Bytes of its standard error that a replica hands back, the last ones."""
OF_SPARK = "OMP_NUM_THREADS"
"""Spark sets it in the processes of its workers. Here as many threads are used as without Spark."""


class Barrier(Protocol):
    """What tasks that run at the same time know of each other: Spark's `BarrierTaskContext`."""

    def partitionId(self) -> int:  # noqa: N802
        """Give this one's number."""

    def allGather(self, message: str = "") -> list[str]:  # noqa: N802
        """Wait for all, and give what each has sent, by their numbers."""

    def getTaskInfos(self) -> list[Any]:  # noqa: N802
        """Give the `address` of each one's executor, by their numbers."""


@dataclass(frozen=True)
class Told:
    """What all tasks are told."""

    checkout: Path
    """Where the driver runs."""
    directory: Path
    """Below its data/checkpoints; gets what replicas say. Empty, and of this attempt alone."""
    command: tuple[str, ...]
    """Of the driver, without the interpreter."""
    variables: Mapping[str, str]
    """Of the driver's environment, those that a training goes by."""


@dataclass(frozen=True)
class Answer:
    """What a task answers with."""

    host: str
    status: int
    """Of its replica; `LOST_STATUS` if that was not started, or ended because of another."""
    said: str
    """The last that the replica said on standard error; nothing for the first."""
    refusal: str | None = None
    """Why it was not started."""


def run_placed(barrier: Barrier, told: Told) -> Answer:
    """Run a replica on this machine: the task itself, run by a worker of Spark.

    A replica that fails is no failure of the task: so the driver gets the answers of all.

    Raises
    ------
    OfferbenchError
        If the machine fails it, such as by a full disk; names the machine.
    """
    index = barrier.partitionId()
    host = str(barrier.getTaskInfos()[index].address).rpartition(":")[0]
    refusal = _refusal(told)
    with socket.socket() as held:  # until all have found a port: some may be on one machine
        held.bind(("", 0))
        mine = (f"{host}:{held.getsockname()[1]}", refusal)
        found = [json.loads(text) for text in barrier.allGather(json.dumps(mine))]
    if any(refused for _, refused in found):
        return Answer(host, LOST_STATUS, "", refusal)
    try:
        return _run(index, host, [address for address, _ in found], told)
    except Exception as error:
        (told.directory / FAILED.format(index)).touch()
        if (fault := machine_fault(error)) is None:
            raise
        raise OfferbenchError(f"{host}: {fault}") from None


def _refusal(told: Told) -> str | None:
    """Say if this machine does not see what the driver sees: the directory is new, so no copy has it."""
    try:
        refuse_unseen([told.checkout, told.directory])
    except OfferbenchError as error:
        return str(error)
    return None


def _run(index: int, host: str, addresses: list[str], told: Told) -> Answer:
    paths = [told.directory / name.format(index) for name in (OUTPUT, ERRORS)]
    own = {name: value for name, value in os.environ.items() if name != OF_SPARK}
    with paths[0].open("wb") as output, paths[1].open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, *told.command],
            cwd=told.checkout,
            env={**own, **told.variables, **replica_variables(addresses, index)},
            stdin=subprocess.PIPE,  # a replica ends with the one that holds the other end, however that ends
            stdout=subprocess.DEVNULL if index else output,
            stderr=errors,
            start_new_session=True,
        )
        try:
            status = _wait(process, told.directory, index, (output.fileno(), errors.fileno()))
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
    said = paths[1].read_bytes()[-MAX_SAID:].decode(errors="replace") if index else ""
    return Answer(host, status, said)


def _wait(process: subprocess.Popen[bytes], directory: Path, index: int, files: tuple[int, int]) -> int:
    """Wait until a replica has ended, or another has failed and the grace is over; give its status."""
    deadline: float | None = None
    while (status := process.poll()) is None:
        for file in files:
            os.fsync(file)  # a shared file system may keep it from the driver otherwise
        if deadline is None and any(directory.glob(FAILED.format("*"))):
            deadline = time.monotonic() + replicas.GRACE_SECONDS
        if deadline is not None and time.monotonic() > deadline:
            return LOST_STATUS
        time.sleep(POLL_SECONDS)
    if status:
        (directory / FAILED.format(index)).touch()
    return status

"""A standalone Spark cluster on loopback: a master and some workers, each a process of its own."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from offerbench.core.errors import OfferbenchError

LOOPBACK = "127.0.0.1"
START_SECONDS = 120
MEMORY = "1g"
"""Of each worker, and of its one executor."""
CONF = {"spark.executor.cores": "1", "spark.executor.memory": MEMORY, "spark.sql.shuffle.partitions": "8"}
"""Settings of a session of it: one executor a worker."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster."""

    url: str
    """For `resources.spark.master`."""
    workers: tuple[int, ...]
    """Process of each worker; its executors are its children."""

    def executors(self) -> list[int]:
        """List the processes of the executors that are running."""
        return [each for each in processes() if parent(each) in self.workers and not is_dead(each)]


@contextmanager
def standalone_cluster(directory: Path, workers: int = 2) -> Iterator[Cluster]:
    """Start a cluster that nobody outside can reach; it is stopped at the end.

    Parameters
    ----------
    directory : Path
        Gets the logs and the workers' own files.
    workers : int
        Workers of one core each.

    Raises
    ------
    OfferbenchError
        If PySpark is missing, or the cluster does not start.
    """
    found = find_spec("pyspark")
    if found is None or found.origin is None:
        raise OfferbenchError("the cluster needs PySpark. Run `make setup-spark`.")
    home = Path(found.origin).parent
    port = _free_port()
    url = f"spark://{LOOPBACK}:{port}"
    with ExitStack() as started:
        where = ["--host", LOOPBACK, "--webui-port", "0"]
        master_log, _ = _start(started, home, directory, "Master", [*where, "--port", str(port)])
        _wait(master_log, "I have been elected leader")
        logs, pids = [], []
        for number in range(workers):
            own = directory / f"worker-{number}"
            words = [*where, "--cores", "1", "--memory", MEMORY, "--work-dir", str(own), url]
            log, pid = _start(started, home, directory, "Worker", words, number)
            logs.append(log)
            pids.append(pid)
        for log in logs:
            _wait(log, "Successfully registered with master")
        yield Cluster(url, tuple(pids))


def _start(
    started: ExitStack, home: Path, directory: Path, role: str, words: Sequence[str], number: int = 0
) -> tuple[Path, int]:
    """Start a daemon that is stopped with the others; give its log and its process."""
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / f"{role.lower()}-{number}.log"
    command = [str(home / "bin/spark-class"), f"org.apache.spark.deploy.{role.lower()}.{role}", *words]
    environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": LOOPBACK}
    environment["SPARK_DAEMON_MEMORY"] = "256m"
    output = started.enter_context(log.open("wb"))
    process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    started.callback(process.wait)
    started.callback(process.terminate)
    return log, process.pid


def _wait(log: Path, words: str) -> None:
    """Wait until a daemon has written some words."""
    end = time.monotonic() + START_SECONDS
    while words not in log.read_text(encoding="utf-8", errors="replace"):
        if time.monotonic() > end:
            raise OfferbenchError(f"{log}: the cluster has not started in {START_SECONDS} s.")
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind((LOOPBACK, 0))
        return int(listening.getsockname()[1])


def processes() -> list[int]:
    """List the processes of this machine, which is to be Linux."""
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _fields(process: int) -> list[str]:
    """Give what Linux says of a process after its name; nothing if it has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def parent(process: int) -> int | None:
    """Give the process that started another."""
    fields = _fields(process)
    return int(fields[1]) if fields else None


def is_dead(process: int) -> bool:
    """Whether a process has ended, also one of which its parent does not know yet."""
    return _fields(process)[:1] in ([], ["Z"])


def cpu_seconds(root: int) -> float:
    """CPU time of a process and all that came of it, those that have ended and were waited for too."""
    parents = {process: parent(process) for process in processes()}
    total, waiting = 0, [root]
    while waiting:
        process = waiting.pop()
        waiting += [child for child, of in parents.items() if of == process]
        fields = _fields(process)
        total += sum(map(int, fields[11:15]))  # own and waited-for children's, user and system
    return total / os.sysconf("SC_CLK_TCK")

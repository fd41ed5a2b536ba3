"""Trainings in a directory of their own, by several replicas, one of which may be killed."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from benchmarks.standalone_cluster import processes
from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import read_json

REPOSITORY = Path(__file__).parents[1]
SCRIPT = str(REPOSITORY / "stages/train.py")


@dataclass(frozen=True)
class Ended:
    """How a run of the stage has ended."""

    status: int
    said: str
    """On standard output."""
    errors: str
    """On standard error."""
    seconds: float
    """From the kill on, or from the start."""

    @property
    def resumed_after(self) -> int:
        """The epoch that it went on from; 0: it began anew."""
        lines = [line for line in self.said.splitlines() if "resumed after epoch " in line]
        return int(lines[0].partition("resumed after epoch ")[2].split()[0]) if lines else 0


@dataclass(frozen=True)
class Checkout:
    """What trainings read and write: parameters, prepared data, models."""

    directory: Path

    @classmethod
    def make(
        cls, directory: Path, parameters: Mapping[str, Any], prepared: Path, validation: Path
    ) -> "Checkout":
        """Make a directory with data that are elsewhere; `parameters`: all of params.yaml."""
        (directory / "data/batches").mkdir(parents=True)
        (directory / "data/prepared").symlink_to(prepared.absolute())
        (directory / "data/batches/validation.arrow").symlink_to(validation.absolute())
        with (directory / "params.yaml").open("w", encoding="utf-8") as file:
            YAML().dump(dict(parameters), file)
        return cls(directory)

    def start(self, *command: str, cluster: str | None = None) -> subprocess.Popen[str]:
        """Start Python with some arguments; `cluster`: TF_CONFIG, for a replica that nobody else starts."""
        environment = {name: value for name, value in os.environ.items() if name != "TF_CONFIG"}
        if cluster is not None:
            environment["TF_CONFIG"] = cluster
        others = filter(None, [os.environ.get("PYTHONPATH")])
        paths = os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY), *others])
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=self.directory,
            env={**environment, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def first_steps(self, model: str, replicas: int, steps: int) -> list[dict[str, Any]]:
        """Make the first steps of a training; what each replica found, see `replica_steps`.

        Raises
        ------
        OfferbenchError
            If it fails.
        """
        target = self.directory / "steps"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        arguments = [model, str(replicas), str(steps), str(target.absolute())]
        found = ended(self.start("-m", "benchmarks.replica_steps", *arguments), "", time.monotonic())
        if found.status:
            raise OfferbenchError(f"{model} by {replicas} replicas: {found.errors}")
        return [read_json(target / f"{index}.json") for index in range(replicas)]

    def run(self, stage: str) -> Ended:
        """Run a stage to its end."""
        return ended(self.start(SCRIPT, stage), "", time.monotonic())

    def run_and_kill(self, stage: str, index: int, epoch: int, wait: float) -> Ended:
        """Run a stage and kill a replica.

        Parameters
        ----------
        stage : str
            One that trains.
        index : int
            The replica.
        epoch : int
            It is killed when the first replica has said that so many epochs are over, 0: at the start,
        wait : float
            and so many seconds later.
        """
        process, said = self.run_until(stage, epoch)
        time.sleep(wait)
        os.kill(replica(self.directory, index), signal.SIGKILL)
        return ended(process, said, time.monotonic())

    def run_until(self, stage: str, epoch: int) -> tuple[subprocess.Popen[str], str]:
        """Run a stage until the first replica has said that so many epochs are over; what was said so far."""
        process = self.start(SCRIPT, stage)
        said = ""
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if f"epoch {epoch} steps " in line or (not epoch and "replicas on this machine" in line):
                break
        return process, said

    def saved(self) -> str:
        """Digest of the saved models and their logs, by the names of the files."""
        digest = hashlib.sha256()
        for root in ("models", "plots"):
            for file in sorted((self.directory / root).rglob("*.*")):
                digest.update(str(file.relative_to(self.directory)).encode() + file.read_bytes())
        return digest.hexdigest()[:16]

    def left(self) -> list[str]:
        """Checkpoints, and models, if any."""
        patterns = ("data/checkpoints/*/*", "models/*")
        return sorted(path.name for pattern in patterns for path in self.directory.glob(pattern))


def ended(process: subprocess.Popen[str], said: str, begin: float) -> Ended:
    """Wait until a run has ended."""
    rest, errors = process.communicate()
    return Ended(process.returncode, said + rest, errors, time.monotonic() - begin)


def replica(directory: Path, index: int) -> int:
    """Process of a replica that runs in a directory, once it has started, whatever started it."""
    while True:
        for process in processes():
            if _index(process) == index and _directory(process) == directory.resolve():
                return process
        time.sleep(0.01)


def _directory(process: int) -> Path | None:
    """Where a process runs; None if it has ended."""
    try:
        return Path(f"/proc/{process}/cwd").readlink()
    except OSError:
        return None


def _index(process: int) -> int | None:
    """Which replica a process is, by its environment; None if it is none, or has not started yet."""
    try:
        variables = Path(f"/proc/{process}/environ").read_text(errors="replace").split("\0")
    except OSError:
        return None
    clusters = [variable.partition("=")[2] for variable in variables if variable.startswith("TF_CONFIG=")]
    return int(json.loads(clusters[0])["task"]["index"]) if clusters else None

"""Runs experiments, each in a clone of its own, and waits for them.

DVC has two ways of its own, and neither can be left alone for hours. A worker of its queue that is killed
leaves `dvc exp run --run-all` waiting for ever, and the next one too. And `dvc exp run --temp` takes the
commit and the changes that are there when its turn comes, not those at the start. In a clone, DVC runs as in
any checkout and ends with a status; what it kept as an experiment is then fetched.
"""

import fcntl
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from offerbench.core import git
from offerbench.core.errors import OfferbenchError
from offerbench.core.leavings import refuse_missing_raw_files
from offerbench.core.paths import PARAMETERS_FILE, RAW_DIRECTORY
from offerbench.studies.experiments import Experiment, reference

CLONES_DIRECTORY = Path(".dvc/tmp/studies")  # on the disk of DVC's cache, and ignored by git
LOCAL_CONFIGURATION = Path(".dvc/config.local")
IDENTITY = ("user.name", "user.email")  # DVC keeps an experiment as a commit
LOG = logging.getLogger(__name__)


def run_experiments(
    study: str, experiments: Sequence[Experiment], targets: Sequence[str], commit: str, jobs: int
) -> None:
    """Run experiments and wait for all of them; each that succeeds is one of this repository.

    Parameters
    ----------
    study : str
        Name of the study.
    experiments : sequence of Experiment
        What to run.
    targets : sequence of str
        Stages to run, with all that they need.
    commit : str
        The commit that is checked out, which they start from.
    jobs : int
        Experiments at a time.

    Raises
    ------
    OfferbenchError
        If the study is running already, the raw files of its data set are not there, or experiments fail;
        names them and their logs.
    """
    for dataset in {experiment.parameters.dataset for experiment in experiments}:
        refuse_missing_raw_files(dataset)
    with _alone(study) as directory:
        _clone(Path(git.output("rev-parse", "--show-toplevel").decode().strip()), directory / "origin")
        git.output("-C", str(directory / "origin"), "checkout", "--quiet", "--detach", commit)
        cache = _dvc(Path(), "cache", "dir").strip()
        prefix = git.output("rev-parse", "--show-prefix").decode().strip()
        clones = Clones(directory, prefix, commit, cache, targets)
        failed = []
        with ThreadPoolExecutor(jobs) as pool:
            running = {pool.submit(clones.run, experiment): experiment for experiment in experiments}
            try:
                for number, done in enumerate(as_completed(running), start=1):
                    name = running[done].name
                    state = "finished" if done.result() else "failed"
                    LOG.info("%s %s, %d of %d", name, state, number, len(running))
                    failed += [name] if state == "failed" else []
            finally:
                pool.shutdown(cancel_futures=True)  # interrupted: nothing new is started
    if failed:
        logs = ", ".join(str(directory / f"{name}.log") for name in failed)
        raise OfferbenchError(f"{', '.join(failed)} failed: see {logs}. Run it again: what finished stays.")


@dataclass(frozen=True)
class Clones:
    """Makes the clones of a study and runs experiments in them."""

    directory: Path
    """Where they go; `origin` in it is a clone at the commit."""
    prefix: str
    """The project's directory in its repository."""
    commit: str
    """What the experiments start from."""
    cache: str
    """Directory of DVC's cache, shared by all."""
    targets: Sequence[str]
    """Stages to run."""

    def run(self, experiment: Experiment) -> bool:
        """Run an experiment in a new clone and fetch it; false if it fails."""
        tree, log = self.directory / experiment.name, self.directory / f"{experiment.name}.log"
        LOG.info("%s started, its log is %s", experiment.name, log)
        _clone(self.directory / "origin", tree)
        try:
            project = tree / self.prefix
            if LOCAL_CONFIGURATION.exists():
                shutil.copy(LOCAL_CONFIGURATION, project / LOCAL_CONFIGURATION)
            _dvc(project, "cache", "dir", "--local", self.cache)
            _bring_raw_files(project, experiment.parameters.dataset)
            (project / PARAMETERS_FILE).write_text(experiment.text, encoding="utf-8")
            if not _reproduce(project, experiment.name, self.targets, log):
                return False
            _fetch(tree, reference(self.commit, experiment.name))
            return True
        finally:
            shutil.rmtree(tree, ignore_errors=True)


@contextmanager
def _alone(study: str) -> Iterator[Path]:
    """Give the study's directory, emptied, while nobody else runs the study; only logs stay in it."""
    directory = CLONES_DIRECTORY / study
    directory.mkdir(parents=True, exist_ok=True)
    with (CLONES_DIRECTORY / f"{study}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OfferbenchError(f"the study {study} is running already. Wait for it, or end it.") from None
        _remove_clones(directory)  # of a run that was killed
        try:
            yield directory
        finally:
            _remove_clones(directory)


def _remove_clones(directory: Path) -> None:
    for tree in directory.iterdir():
        if tree.is_dir():
            shutil.rmtree(tree, ignore_errors=True)


def _clone(source: Path, target: Path) -> None:
    """Clone a repository, with who commits in this one."""
    values = {key: git.attempt("config", "--get", key).stdout.decode().strip() for key in IDENTITY}
    identity = [f"--config={key}={value}" for key, value in values.items() if value]
    git.output("clone", "--quiet", "--no-tags", *identity, str(source), str(target))


def _bring_raw_files(project: Path, dataset: str) -> None:
    """Link raw files that neither git nor DVC brings into a clone."""
    source = RAW_DIRECTORY / dataset
    target = project / source
    if source.is_dir() and not target.exists() and not target.with_name(f"{dataset}.dvc").exists():
        shutil.copytree(source, target, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(Path(source).resolve(), target)
    except OSError:  # on another disk
        shutil.copy2(source, target)


def _fetch(tree: Path, name: str) -> None:
    """Fetch one reference of a clone; git reads a relative path from the top of its repository."""
    source = str(tree.resolve())
    git.output("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", source, f"{name}:{name}")


def _environment() -> dict[str, str]:
    """Ours, with the programs of this Python first: the stages call `python`."""
    programs = Path(sys.executable).parent
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}


def _dvc(directory: Path, *words: str) -> str:
    command = (sys.executable, "-m", "dvc", *words)
    done = subprocess.run(
        command, cwd=directory, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OfferbenchError(f"`dvc {' '.join(words)}` failed: {done.stderr.strip()}")
    return done.stdout


def _reproduce(project: Path, name: str, targets: Sequence[str], log: Path) -> bool:
    """Run stages of a clone, and all that they need, as an experiment; false if it fails."""
    command = (sys.executable, "-m", "dvc", "exp", "run", "--name", name, *targets)
    with log.open("wb") as output:
        done = subprocess.run(
            command,
            cwd=project,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return done.returncode == 0

"""A copy of the repository with a small data set, in which DVC runs the real stages."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from offerbench.datasets import complete_journey
from offerbench.parameters import TRAININGS

from .programs import HASH_SEED, REAL

REPOSITORY = Path(__file__).parents[2]
ROUNDS = ("max_rounds", "patience")
SMALL = {
    "tasks": ["category1", "brand"],
    "prepare.clusters.price_cluster.clusters": 20,
    "prepare.vocabulary.min_occurrences": 20,
    "prepare.split.test_users": 20,
    "prepare.split.validation_users": 20,
    "prepare.history.length": 40,
    "rebatch.users_per_group": 30,
    "rebatch.batch_size": 500,
    **{f"{training}.ranker.embedding_dim": 8 for training in TRAININGS},
    **{f"{training}.ranker.units": [8, 4] for training in TRAININGS},
    **{f"{training}.epochs": 2 for training in TRAININGS},
    **{f"{training}.min_steps_per_epoch": 1 for training in TRAININGS},
    **{f"{section}.boosting.{key}": 10 for section in ("train_boosted", "train_peer") for key in ROUNDS},
    "train_peer.batches": 10,
    "evaluate.bootstrap.samples": 20,
    "prepare_past.cuts": ["2017-11-01"],
    "train_activity.step_days": 28,
    "train_head.as_of_days": 2,
    "backtest.dates": ["2017-11-01", "2017-12-01"],
    "backtest.max_offers": 60,
    "backtest.propensity.offers": 2,
    "backtest.propensity.rounds": 5,
    "backtest.propensity.min_leaf": 10,
    "backtest.bootstrap.samples": 20,
}
HOUSEHOLDS = 100
CAMPAIGNS = """\
dataset: complete_journey
messages_per_user: 1
control: 0.2
seed: 1
campaigns:
  - {name: own_brand, offer: brand = '69', size: 20}
  - {name: grocery, offer: category1 = 'grocery', size: 10}
"""


@dataclass(frozen=True)
class Workspace:
    """A checkout that commands run in."""

    path: Path
    environment: dict[str, str]

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command there; fail with its output if `check` and it fails."""
        done = subprocess.run(
            command, cwd=self.path, env=self.environment, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def set(self, key: str, value: Any) -> None:
        """Change a key of params.yaml, as a user would by hand."""
        yaml = YAML()
        file = self.path / "params.yaml"
        content = yaml.load(file.read_text())
        *sections, last = key.split(".")
        section = content
        for name in sections:
            section = section[name]
        section[last] = value
        with file.open("w") as stream:
            yaml.dump(content, stream)

    def lock(self) -> dict[str, Any]:
        """The stages of dvc.lock."""
        return dict(YAML(typ="safe").load((self.path / "dvc.lock").read_text())["stages"])


def write_small_complete_journey(directory: Path) -> None:
    """Write the tables of the first households only."""
    complete_journey.fetch(directory)
    transactions = pq.read_table(directory / "transactions.parquet")
    households = pc.unique(transactions["household_id"]).sort().slice(0, HOUSEHOLDS)
    kept = transactions.filter(pc.is_in(transactions["household_id"], households))
    pq.write_table(pa.table(kept), directory / "transactions.parquet")


def environment_of(path: Path, programs: Path = REAL, hash_seed: str = HASH_SEED) -> dict[str, str]:
    """The environment of commands in the checkout `path`: its own code, a user of git.

    With `programs`, those of `preloaded_programs`, commands need not import their libraries anew.
    """
    return {
        **os.environ,
        "PATH": f"{programs}:{REAL}:{os.environ['PATH']}",
        "PYTHONPATH": str(path / "src"),
        "PYTHONHASHSEED": hash_seed,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "test",
        "GIT_AUTHOR_EMAIL": "test@localhost",
        "GIT_COMMITTER_NAME": "test",
        "GIT_COMMITTER_EMAIL": "test@localhost",
    }


def made_once(
    factory: pytest.TempPathFactory,
    name: str,
    make: Callable[[Path], None],
    meanwhile: Callable[[], object] = lambda: None,
) -> Path:
    """Make a directory once for all workers of a run of the tests: the first to ask makes it.

    Others wait for it, after they have done `meanwhile` if it is being made.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # each worker has a directory of its own below it
    with (base / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            meanwhile()
            fcntl.flock(lock, fcntl.LOCK_EX)
        finished = base / f"{name}.finished"
        if not finished.exists():
            shutil.rmtree(base / name, ignore_errors=True)  # of a worker that failed
            (base / name).mkdir()
            make(base / name)
            finished.touch()
    return base / name


def make_workspace(path: Path, programs: Path = REAL) -> Workspace:
    """Copy the repository's own files to `path` and give it the small data set."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (REPOSITORY / name).is_file() and not name.startswith(("metrics/", "reports/", "plots/")):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, path / name)
    for name in ("dvc.lock", "data/raw/complete_journey.dvc"):
        (path / name).unlink(missing_ok=True)
    workspace = Workspace(path, environment_of(path, programs))
    for key, value in SMALL.items():
        workspace.set(key, value)
    (path / "campaigns.yaml").write_text(CAMPAIGNS)
    write_small_complete_journey(path / "data/raw/complete_journey")
    workspace.run("git", "init", "-q", "-b", "main")
    workspace.run("dvc", "add", "-q", "data/raw/complete_journey")
    workspace.run("git", "add", "-A")
    workspace.run("git", "commit", "-q", "-m", "Start")
    return workspace


def run_all(path: Path, programs: Path) -> None:
    """Make a workspace with committed results."""
    workspace = make_workspace(path, programs)
    workspace.run("dvc", "repro")
    workspace.run("git", "add", "-A")
    workspace.run("git", "commit", "-q", "-m", "Results")


def make_finished(factory: pytest.TempPathFactory, programs: Path) -> Path:
    """Run the small pipeline, once for all workers."""
    return made_once(factory, "finished", lambda path: run_all(path, programs))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Workspace:
    """A workspace after `dvc repro`. Tests must not change it: they copy it."""
    path = make_finished(tmp_path_factory, programs)
    return Workspace(path, environment_of(path, programs))


@pytest.fixture
def workspace(finished: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the finished workspace, to change at will."""
    shutil.copytree(finished.path, tmp_path / "copy", symlinks=True)
    environment = {**finished.environment, "PYTHONPATH": str(tmp_path / "copy" / "src")}
    return Workspace(tmp_path / "copy", environment)

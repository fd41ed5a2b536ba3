"""An undisturbed run to compare with, and copies of it in which a stage is still to be run."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from offerbench.parameters import TRAININGS

from ..pipeline.conftest import Workspace, environment_of, made_once, make_finished, make_workspace

STAGES = {  # in the order of a run, with what each writes
    "validate": ["data/validated"],
    "prepare": ["data/prepared", "metrics/prepare.json"],
    "rebatch": ["data/batches", "metrics/rebatch.json"],
    "train_full": ["models/full", "plots/training/full"],
    "train_augmented": ["models/augmented", "plots/training/augmented"],
    "train_mono@brand": ["models/mono/brand", "plots/training/mono_brand"],
    "train_boosted": ["models/boosted"],
    "train_peer@lightgbm": ["models/peer/lightgbm"],
    "train_peer@least_squares": ["models/peer/least_squares"],
    "group_test": ["data/group_test"],
    "evaluate": [
        "metrics/clean",
        "metrics/offers.parquet",
        "metrics/samples.parquet",
        *(
            f"metrics/{name}.json"
            for name in ("wauc", "half_widths", "gaps", "summary", "headline", "evaluate")
        ),
    ],
    "prepare_past": ["data/past"],
    "train_past": ["models/past"],
    "train_activity": ["models/activity", "metrics/activity.json"],
    "train_head": ["models/head"],
    "backtest": [
        "metrics/campaign.json",
        "metrics/campaign_curves.json",
        "metrics/campaign_sizes.json",
        "metrics/campaign_samples.parquet",
    ],
    "audiences": ["data/audiences"],
    "report": ["reports/wauc.md", "reports/wauc.png", "reports/index.html"],
    "report_campaigns": ["reports/campaigns.md", "reports/campaigns.png", "reports/campaigns.html"],
}
EPOCHS = 8  # enough of them that a kill falls between two


@dataclass(frozen=True)
class Undisturbed:
    """A run that nothing has disturbed."""

    workspace: Workspace
    seconds: dict[str, float]
    """How long each stage took, with the start of its process."""

    def copy_before(self, stage: str, target: Path, programs: Path) -> Workspace:
        """Copy the workspace without what `stage` made, to run commands there by `programs`.

        Not even DVC's record of earlier runs is left, from which it would take the outputs. Later stages have
        been run: if the stage makes the same bytes again, they are passed over.
        """
        shutil.copytree(self.workspace.path, target, symlinks=True)
        shutil.rmtree(target / ".dvc/cache/runs")
        yaml = YAML()
        lock = yaml.load((target / "dvc.lock").read_text())
        del lock["stages"][stage]
        for out in STAGES[stage]:
            path = target / out
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        with (target / "dvc.lock").open("w") as stream:
            yaml.dump(lock, stream)
        return Workspace(target, environment_of(target, programs))


def started_stages(process: subprocess.Popen[str]) -> Iterator[str]:
    """Name each stage when `dvc repro` starts it."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Running stage '"):
            yield line.split("'")[1]


def start(workspace: Workspace, *command: str, **options: Any) -> subprocess.Popen[str]:
    """Start a command as the leader of its own process group; its errors go to a file beside it.

    Its processes are started, none is forked from one with the libraries loaded: all are in the group.
    """
    with workspace.path.with_suffix(".stderr").open("w") as errors:
        return subprocess.Popen(
            command,
            cwd=workspace.path,
            env={**environment_of(workspace.path), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
            **options,
        )


def kill_group(process: subprocess.Popen[str]) -> None:
    """Kill a process together with all that it has started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def run_and_measure(path: Path) -> None:
    """Run all stages once in a new workspace, and write how long each took beside it."""
    workspace = make_workspace(path)
    workspace.set("tasks", ["brand"])
    for training in TRAININGS:
        workspace.set(f"{training}.epochs", EPOCHS)
        workspace.set(f"{training}.early_stopping_patience", 3)
    process = start(workspace, "dvc", "repro")
    times = [(stage, time.monotonic()) for stage in started_stages(process)]
    assert process.wait() == 0, workspace.path.with_suffix(".stderr").read_text()
    ends = [moment for _, moment in times[1:]] + [time.monotonic()]
    seconds = {stage: end - begin for (stage, begin), end in zip(times, ends, strict=True)}
    workspace.run("git", "add", "-A")
    workspace.run("git", "commit", "-q", "-m", "Results")
    path.with_suffix(".seconds").write_text(json.dumps(seconds))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Undisturbed:
    """Run all stages once and measure them. Tests work on copies."""
    # Both workers begin with these tests: one makes this run, the other that of the pipeline's tests.
    finished = partial(make_finished, tmp_path_factory, programs)
    path = made_once(tmp_path_factory, "undisturbed", run_and_measure, finished)
    seconds = json.loads(path.with_suffix(".seconds").read_text())
    assert list(seconds) == list(STAGES)
    return Undisturbed(Workspace(path, environment_of(path)), seconds)


@pytest.fixture
def before(undisturbed: Undisturbed, tmp_path: Path, programs: Path) -> Iterator[Callable[[str], Workspace]]:
    """Make the one copy in which a stage is still to be run; it is removed after the test."""

    def copy(stage: str) -> Workspace:
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        return undisturbed.copy_before(stage, tmp_path / "copy", programs)

    yield copy
    shutil.rmtree(tmp_path / "copy", ignore_errors=True)

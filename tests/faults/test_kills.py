"""`dvc repro` is killed at random moments of each stage; the next one ends with the same bytes.

One kill is in the normal run, one in each stage in that of the slow tests. A longer run:
`OFFERBENCH_KILLS=30 python -m pytest -s tests/faults/test_kills.py`.
"""

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from offerbench.datasets import complete_journey

from ..pipeline.conftest import Workspace, make_workspace
from ..unit.core.directory import names
from .conftest import STAGES, Undisturbed, kill_group, start, started_stages

pytestmark = pytest.mark.pipeline

# The trainings first: they have most to lose. Then the others in turn.
RANKERS = ("train_augmented", "train_full", "train_mono@brand", "train_past")
ORDER = [
    *RANKERS,
    *("evaluate", "prepare", "backtest", "prepare_past", "train_peer@lightgbm", "audiences"),
    *("rebatch", "group_test", "report", "validate", "train_head", "train_boosted", "train_activity"),
    *("train_peer@least_squares", "report_campaigns"),
]
MIN_EPOCHS = 4  # early stopping lets no training end before
KILLS = [
    pytest.param(kill, marks=[pytest.mark.slow] if kill else [])
    for kill in range(int(os.environ.get("OFFERBENCH_KILLS", "10")))  # the others: nightly
]


def wait_for_epoch(process: subprocess.Popen[str], epoch: int) -> None:
    """Read what a training says until it has finished an epoch."""
    assert process.stdout is not None
    assert any(f"epoch {epoch} steps " in line for line in process.stdout)


def left_behind(workspace: Workspace) -> set[str]:
    """Files that git neither knows nor ignores, or knows in another form."""
    return set(workspace.run("git", "status", "--porcelain").stdout.splitlines())


def run_and_kill(
    undisturbed: Undisturbed, before: Callable[[str], Workspace], stage: str, draw: random.Random
) -> tuple[Workspace, str]:
    """Kill `dvc repro` and all its processes at a moment drawn within `stage`.

    Returns
    -------
    Workspace, str
        As the kill has left it, and when it was.
    """
    seconds = undisturbed.seconds[stage]
    in_epochs = stage in RANKERS and draw.random() < 0.75  # else most likely in imports
    if in_epochs:
        seconds = 0.4  # an epoch and its checkpoint, or a few, or the end and what is saved there
    while True:
        workspace = before(stage)
        process = start(workspace, "dvc", "repro")
        assert next(started_stages(process)) == stage
        if in_epochs:
            wait_for_epoch(process, draw.randint(1, MIN_EPOCHS))
        wait = draw.random() * seconds
        time.sleep(wait)
        kill_group(process)
        if process.returncode:
            return workspace, f"{wait:.2f} s after {'an epoch' if in_epochs else 'its start'}"
        seconds /= 2  # the run was faster than the undisturbed one and had ended: earlier


@pytest.mark.parametrize("kill", KILLS)
def test_a_killed_run_ends_with_the_same_bytes(
    undisturbed: Undisturbed, before: Callable[[str], Workspace], kill: int
) -> None:
    stage = ORDER[kill % len(ORDER)]
    draw = random.Random(f"{kill} {stage}")
    workspace, moment = run_and_kill(undisturbed, before, stage, draw)
    unfinished = stage not in workspace.lock()
    epochs = len(list(workspace.path.glob("data/checkpoints/*/epoch_*")))
    again = workspace.run("dvc", "repro")  # over the stale locks in .dvc/tmp too
    resumed = "resumed after epoch" in again.stdout
    said = "resumed" if resumed else "run anew" if unfinished else "had finished"
    print(f"kill {kill}: {stage} {moment}, {epochs} checkpoints left: {said}", flush=True)
    assert resumed or not epochs, again.stdout
    assert workspace.lock() == undisturbed.workspace.lock()
    # The stage's entry is now the last of dvc.lock; what is in it has just been compared.
    assert left_behind(workspace) <= {" M dvc.lock"}
    assert not list(workspace.path.glob("models/**/.*")), "nothing half-written stays among the models"
    assert not list(workspace.path.glob("data/checkpoints/*")), "the checkpoint of a finished training goes"


@pytest.mark.parametrize("kill", KILLS[:3])
def test_a_killed_fetch_ends_with_the_same_bytes(tmp_path: Path, programs: Path, kill: int) -> None:
    draw = random.Random(f"{kill} fetch")
    path = tmp_path / "checkout"
    workspace = make_workspace(path, programs)
    raw = path / "data/raw/complete_journey"
    undisturbed = complete_journey.fetch(tmp_path / "undisturbed")
    wanted = {file.name: file.read_bytes() for file in undisturbed}
    shutil.rmtree(raw)
    process = start(workspace, "python", "-m", "offerbench", "fetch")
    deadline = time.monotonic() + 60
    while not list(raw.parent.glob(".partial.*")) and time.monotonic() < deadline:
        time.sleep(0.0005)
    time.sleep(draw.random() * 0.02)
    kill_group(process)
    assert set(names(raw)) <= set(wanted)
    workspace.run("python", "-m", "offerbench", "fetch")
    assert {file.name: file.read_bytes() for file in raw.iterdir()} == wanted
    assert names(raw.parent) == ["complete_journey", "complete_journey.dvc"]


def test_stages_are_those_of_the_pipeline(undisturbed: Undisturbed) -> None:
    assert sorted(ORDER) == sorted(STAGES) == sorted(undisturbed.workspace.lock())

"""The gate on results of real runs: paired by user, and not to be had by edited files."""

import hashlib

import pytest

from .conftest import Workspace

pytestmark = pytest.mark.pipeline


def test_two_runs_are_compared_user_by_user(workspace: Workspace) -> None:
    same = workspace.run("python", "-m", "offerbench", "gate", "--baseline", "HEAD")
    assert same.stdout.endswith(" within tolerance.\n") and "user by user" not in same.stdout
    workspace.set("train_full.optimizer.learning_rate", 0.5)
    never_run = workspace.run("python", "-m", "offerbench", "gate", "--baseline", "HEAD", check=False)
    assert never_run.returncode == 2
    assert "params.yaml: train_full.optimizer.learning_rate is 0.5, but dvc.lock says" in never_run.stderr
    workspace.run("dvc", "repro")
    other = workspace.run("python", "-m", "offerbench", "gate", "--baseline", "HEAD", "--all", check=False)
    assert other.returncode in (0, 1) and "user by user" not in other.stdout
    rows = [line.split() for line in other.stdout.splitlines() if line.startswith(("published ", "clean "))]
    tolerances = {model: {row[7] for row in rows if row[3] == model} for model in ("full", "mono_brand")}
    assert tolerances["mono_brand"] == {"0.000100"}, "the same model: only the last digits may differ"
    assert all(float(width) > 0.001 for width in tolerances["full"])


def test_metrics_and_lock_that_were_edited_together_are_measured_anew(workspace: Workspace) -> None:
    wauc, lock = workspace.path / "metrics/wauc.json", workspace.path / "dvc.lock"
    honest = wauc.read_bytes()
    edited = honest.replace(b'"full": 0.', b'"full": 0.9')
    wauc.write_bytes(edited)
    before, after = (hashlib.md5(content).hexdigest() for content in (honest, edited))
    text = lock.read_text()
    assert before in text
    lock.write_text(text.replace(before, after))
    workspace.run("git", "commit", "-qam", "Better")
    assert "Running stage 'evaluate'" not in workspace.run("dvc", "repro").stdout
    workspace.run("dvc", "repro", "--force", "--single-item", "evaluate")
    assert wauc.read_bytes() == honest
    committed = ["python", "-m", "offerbench", "gate", "--baseline", "HEAD", "--tolerance", "0.01"]
    fell = workspace.run(*committed, check=False)
    assert fell.returncode == 1 and " full " in fell.stdout

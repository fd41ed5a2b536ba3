"""Where a checkout may be: in a directory of a larger repository, in a linked work tree, at no branch."""

import json
import shutil
from pathlib import Path

import pytest

from .conftest import Workspace, environment_of

pytestmark = pytest.mark.pipeline

STUDY = """\
title: More digits
about: Nothing but a digit more.
settings:
  more: {report.table_decimals: 4}
tabulate: {kind: models_as_rows}
"""


def study_and_gate(workspace: Workspace) -> None:
    """Run a study with what its report says compared, the gate, and a stage that has changed."""
    (workspace.path / "studies/digits.yaml").write_text(STUDY)
    wauc = json.loads((workspace.path / "metrics/wauc.json").read_text())
    said = workspace.run("offerbench", "study", "digits").stdout
    assert "study: digits-more finished, 1 of 1" in said
    found = json.loads((workspace.path / "reports/studies/digits.json").read_text())
    assert found["settings"]["more"]["wauc"] == wauc
    assert "digits-more" in workspace.run("dvc", "exp", "list", "--name-only").stdout
    assert "within tolerance" in workspace.run("offerbench", "gate", "--baseline", "HEAD").stdout
    assert json.loads(workspace.run("dvc", "status", "--json").stdout) == {}
    workspace.set("report.table_decimals", 4)
    assert "Running stage 'report'" in workspace.run("dvc", "repro").stdout


def test_a_directory_of_a_larger_repository(finished: Workspace, tmp_path: Path, programs: Path) -> None:
    larger, project = tmp_path / "larger", tmp_path / "larger/teams/shop"
    shutil.copytree(finished.path, project, symlinks=True)
    shutil.rmtree(project / ".git")
    (larger / "README.md").write_text("of all teams\n")
    workspace = Workspace(project, environment_of(project, programs))
    workspace.run("git", "init", "-q", "-b", "main", str(larger))
    workspace.run("git", "-C", str(larger), "add", "-A")
    workspace.run("git", "commit", "-q", "-m", "Start")
    study_and_gate(workspace)
    changed = workspace.run("git", "-C", str(larger), "status", "--porcelain").stdout.split()
    assert all(name.startswith("teams/shop/") for name in changed[1::2]), changed


def test_a_linked_work_tree_with_a_detached_head(
    workspace: Workspace, tmp_path: Path, programs: Path
) -> None:
    workspace.run("git", "worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    tree = Workspace(tmp_path / "tree", environment_of(tmp_path / "tree", programs))
    assert tree.run("git", "symbolic-ref", "-q", "HEAD", check=False).returncode != 0
    tree.run("dvc", "cache", "dir", "--local", str(workspace.path / ".dvc/cache"))
    tree.run("dvc", "checkout")
    study_and_gate(tree)
    assert workspace.run("git", "status", "--porcelain").stdout == ""

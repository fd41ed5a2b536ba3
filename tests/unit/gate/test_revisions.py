"""The baseline's revision: here, at the remote, in a shallow clone, nowhere."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from ..git_repository import commit_all, git
from .checkout import Gate, Results, make_repository, no_metrics, refusal


def test_an_unknown_revision(repository: Path, gate: Gate) -> None:
    for name in ("nowhere", "--all", "", "main..main"):
        line = refusal(gate(repository, f"--baseline={name}"))
        assert f"error: {name}: no such revision here. `git log --oneline --all` lists" in line


def test_no_repository_and_no_git(
    repository: Path, gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Results().write(tmp_path / "plain")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert "not a git repository" in refusal(gate(tmp_path / "plain", "--tolerance", "0"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Install git" in refusal(gate(repository))


def test_a_project_in_a_directory_of_its_repository(tmp_path: Path, gate: Gate) -> None:
    repository = make_repository(tmp_path / "repository")
    project = repository / "project"
    Results().write(project)
    no_metrics(repository)
    commit_all(repository)
    assert gate(project).status == 0


def feature_branch(repository: Path) -> None:
    """A second commit, on a branch, with a value that fell."""
    git(repository, "checkout", "-q", "-b", "feature")
    worse = Results()
    worse.wauc["all"]["brand"]["full"] = 0.6
    worse.write(repository)
    commit_all(repository)


def clone(repository: Path, *options: str) -> Path:
    target = repository.with_name("clone")
    git(repository.parent, "clone", "-q", *options, repository.as_uri(), str(target))
    return target


def follow_advice(directory: Path, line: str) -> str:
    """Run the command that a message gives, and return it."""
    advised = re.search("Run `(git [^`]+)`", line)
    assert advised
    subprocess.run(shlex.split(advised[1]), cwd=directory, check=True, capture_output=True)
    return advised[1]


def test_a_branch_that_only_the_remote_has(repository: Path, gate: Gate) -> None:
    feature_branch(repository)
    checkout = clone(repository, "--branch", "feature")
    outcome = gate(checkout, "--baseline", "main")
    assert outcome.status == 1
    assert "against origin/main (" in outcome.out


@pytest.mark.parametrize("baseline", ["main", "origin/main"])
def test_a_shallow_clone_says_how_to_fetch_a_branch(repository: Path, gate: Gate, baseline: str) -> None:
    feature_branch(repository)
    checkout = clone(repository, "--depth", "1", "--branch", "feature")
    line = refusal(gate(checkout, "--baseline", baseline))
    assert follow_advice(checkout, line).startswith("git fetch --depth 1 origin main")
    assert git(checkout, "rev-parse", "--is-shallow-repository") == "true"
    assert gate(checkout, "--baseline", baseline).status == 1


def test_a_shallow_clone_says_how_to_fetch_other_revisions(repository: Path, gate: Gate) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "v1")
    feature_branch(repository)
    checkout = clone(repository, "--depth", "1")
    for baseline in (commit, "v1", "HEAD~1"):
        shutil.rmtree(checkout)
        clone(repository, "--depth", "1")
        follow_advice(checkout, refusal(gate(checkout, f"--baseline={baseline}")))
        assert gate(checkout, "--baseline", baseline).status == 1


def test_a_full_clone_is_not_made_shallow(repository: Path, gate: Gate) -> None:
    checkout = clone(repository)
    git(repository, "branch", "later")
    follow_advice(checkout, refusal(gate(checkout, "--baseline", "later")))
    assert git(checkout, "rev-parse", "--is-shallow-repository") == "false"
    assert gate(checkout, "--baseline", "later").status == 0

"""Repositories of git that tests make, untouched by the configuration of the user."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .. import remembered_yaml


@pytest.fixture(autouse=True)
def plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of the user, and none of a hook that the tests run in."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@localhost")


def write_yaml(target: Path, content: Any) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(remembered_yaml.dumped(content))


def git(directory: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=directory, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit_all(directory: Path) -> str:
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "--allow-empty", "-m", "Results")
    return git(directory, "rev-parse", "HEAD")

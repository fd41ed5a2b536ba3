"""The gate, and a repository to run it in."""

import os
from pathlib import Path

import pytest

from offerbench import command
from offerbench.regression.__main__ import main

from .checkout import Gate, Outcome, make_repository


@pytest.fixture(autouse=True)
def plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of the user, and none of a hook that the tests run in."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@localhost")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repository")


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gate:
    """Runs the command in a directory."""

    def run(directory: Path, *arguments: str) -> Outcome:
        monkeypatch.chdir(directory)
        monkeypatch.setattr("sys.argv", ["regression", *arguments])
        with pytest.raises(SystemExit) as stopped:
            command.run(main)
        output = capsys.readouterr()
        return Outcome(stopped.value.code or 0, output.out, output.err)

    return run

"""The gate, and a repository to run it in."""

from pathlib import Path

import pytest

from offerbench.cli import main

from ... import remembered_yaml
from ..git_repository import plain_git  # noqa: F401
from .checkout import Gate, Outcome, make_repository


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repository")


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gate:
    """Runs the command in a directory."""
    for module in ("offerbench.parameters", "offerbench.gate.lock"):
        monkeypatch.setattr(f"{module}.parse_yaml", remembered_yaml.parsed)

    def run(directory: Path, *arguments: str) -> Outcome:
        monkeypatch.chdir(directory)
        monkeypatch.setattr("sys.argv", ["offerbench", "gate", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        output = capsys.readouterr()
        return Outcome(stopped.value.code or 0, output.out, output.err)

    return run

"""A user's mistake is one message and exit status 2; a programmer's keeps its trace-back."""

from collections.abc import Callable

import pytest

from offerbench import command
from offerbench.errors import OfferbenchError


def run(monkeypatch: pytest.MonkeyPatch, main: Callable[..., None], *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["stage", *arguments])
    with pytest.raises(SystemExit) as stopped:
        command.run(main)
    return stopped.value.code or 0


def test_success(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def main(task: str) -> None:
        print(f"trained {task}")

    assert run(monkeypatch, main, "brand") == 0
    assert capsys.readouterr().out == "trained brand\n"


def test_a_users_mistake(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise OfferbenchError("params.yaml: tasks: missing.")

    assert run(monkeypatch, main) == 2
    assert capsys.readouterr().err == "error: params.yaml: tasks: missing.\n"


def test_a_programmers_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    def main() -> None:
        raise KeyError("bug")

    monkeypatch.setattr("sys.argv", ["stage"])
    with pytest.raises(KeyError, match="bug"):
        command.run(main)

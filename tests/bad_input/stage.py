"""Runs a stage as DVC does, in this process, and checks how it ends."""

import json
import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .. import remembered_yaml

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Bench:
    """A directory with params.yaml and raw data that a stage runs in."""

    path: Path
    capture: pytest.CaptureFixture[str]

    def raw(self, dataset: str) -> Path:
        """The directory of the raw files, made if it is not there."""
        directory = self.path / "data/raw" / dataset
        directory.mkdir(parents=True, exist_ok=True)
        return directory

    def set(self, content: dict[str, Any]) -> None:
        (self.path / "params.yaml").write_text(remembered_yaml.dumped(content))

    def run(self, stage: str = "prepare") -> tuple[int, str]:
        """Exit status and what is on standard error."""
        self.capture.readouterr()
        with pytest.raises(SystemExit) as stopped:
            runpy.run_path(str(REPOSITORY / "stages" / f"{stage}.py"), run_name="__main__")
        return stopped.value.code or 0, self.capture.readouterr().err

    def refused(self, stage: str = "prepare", output: str = "data/prepared") -> str:
        """The one message of a run that must be refused; nothing may be left of it."""
        status, text = self.run(stage)
        assert status == 2
        assert text.count("error: ") == 1
        message = text[text.index("error: ") :].strip()
        assert len(message.splitlines()) == 1
        assert "Traceback" not in text
        assert not (self.path / output).exists()
        assert [path.name for path in (self.path / output).parent.glob(f".{Path(output).name}*")] == []
        assert not (self.path / f"metrics/{stage}.json").exists()
        spill = self.path / "data/spill"
        assert not spill.exists() or list(spill.iterdir()) == []
        return message

    def counts(self) -> dict[str, Any]:
        """The counts of a run that must succeed."""
        status, text = self.run()
        assert status == 0, text
        return dict(json.loads((self.path / "metrics/prepare.json").read_text()))

    def rejects(self) -> str:
        return (self.path / "data/prepared/rejects.csv").read_text()

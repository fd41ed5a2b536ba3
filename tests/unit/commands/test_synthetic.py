"""`offerbench synthetic`: the files of its arguments, and what it says."""

import logging
from pathlib import Path

import pytest

from offerbench.commands.synthetic import synthetic
from offerbench.datasets.synthetic.generate import generate


def test_it_writes_what_the_generator_makes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "offerbench"):
        synthetic(rows=500, months=2, seed=3, directory=tmp_path / "command")
    made = generate(tmp_path / "library", 500, 2, 3)
    assert {file.name: file.read_bytes() for file in (tmp_path / "command").iterdir()} == {
        file.name: file.read_bytes() for file in made
    }
    (line,) = caplog.messages
    assert line.startswith(f"wrote 500 rows to 2 files in {tmp_path}/command, ")

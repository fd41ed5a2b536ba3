"""`offerbench fetch`: what is missing of Complete Journey, and a count of both."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from offerbench.commands.fetch import fetch

from ..core.directory import names

KILLED = """
import os, signal
from pathlib import Path
write = Path.write_bytes
def half(path, content):
    write(path, content[: len(content) // 2])
    os.kill(os.getpid(), signal.SIGKILL)
Path.write_bytes = half
from offerbench.commands.fetch import fetch
fetch()
"""


def test_a_killed_one_leaves_nothing_among_the_raw_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, check=False)
    assert killed.returncode == -signal.SIGKILL
    raw = tmp_path / "data/raw/complete_journey"
    assert names(raw) == []
    assert len(names(raw.parent)) == 2, "what it wrote is beside the directory, under an ignored name"
    monkeypatch.chdir(tmp_path)
    fetch()
    assert names(raw) == ["products.parquet", "transactions.parquet"]
    assert names(raw.parent) == ["complete_journey"]


def test_it_writes_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    raw = tmp_path / "data/raw/complete_journey"
    raw.mkdir(parents=True)
    (raw / "transactions.parquet").write_text("mine")
    fetch()
    assert capsys.readouterr().out == "fetch: 1 files written, 1 already there\n"
    assert sorted(file.name for file in raw.iterdir()) == ["products.parquet", "transactions.parquet"]
    assert (raw / "transactions.parquet").read_text() == "mine"
    fetch()
    assert capsys.readouterr().out == "fetch: 0 files written, 2 already there\n"

"""`offerbench fetch`: what is missing of Complete Journey, and a count of both."""

from pathlib import Path

import pytest

from offerbench.commands.fetch import fetch


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

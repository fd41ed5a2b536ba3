"""JSON files: written atomically, without what JSON does not have."""

import json
from pathlib import Path

import pytest

from offerbench.core.json_files import read_json, write_json

from .directory import names


def test_json_round_trip(tmp_path: Path) -> None:
    content = {"b": {"ä": 0.762}, "a": None}
    write_json(tmp_path / "metrics.json", content)
    assert read_json(tmp_path / "metrics.json") == content
    assert list(json.loads((tmp_path / "metrics.json").read_text())) == ["b", "a"]  # order is kept


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_refuses_what_it_does_not_have(tmp_path: Path, number: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "metrics.json", {"wauc": number})
    assert names(tmp_path) == []

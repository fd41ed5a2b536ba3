"""The ratios of releases, and the seconds of stages, side by side."""

from pathlib import Path

import pytest
from benchmarks.history import HISTORY, draw, read_history, with_release
from benchmarks.stages import ALL, table_of

from offerbench.core.errors import OfferbenchError

FIRST = {"version": "0.1.0", "date": "2026-11-25", "ratios": {"a": 4.5}}
SECOND = {"version": "0.2.0", "date": "2026-11-26", "ratios": {"a": 4.6, "b": 50.0}}


def test_a_release_replaces_the_same_version() -> None:
    again = {**FIRST, "ratios": {"a": 5.0}}
    assert with_release([FIRST, SECOND], again) == [SECOND, again]
    assert with_release([FIRST], SECOND) == [FIRST, SECOND]


def test_the_committed_history_can_be_read_and_drawn(tmp_path: Path) -> None:
    history = read_history(HISTORY)
    assert len({release["version"] for release in history}) == len(history)
    draw([*history, SECOND], tmp_path / "history.png")
    assert (tmp_path / "history.png").stat().st_size > 1000


@pytest.mark.parametrize("line", ["{", "[]", '{"version": "1", "date": "yesterday", "ratios": {}}'])
def test_a_line_that_is_no_release_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"version": "1", "date": "2026-11-25", "ratios": {}}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(OfferbenchError, match=r"history\.jsonl, line 2: no release"):
        read_history(path)


def test_stages_of_runs_stand_side_by_side() -> None:
    def rows(*stages: str) -> list[dict[str, object]]:
        return [{"stage": stage, "wall": 1.0, "processor": 2.0} for stage in (*stages, ALL)]

    table = table_of({"before": rows("old", "same"), "after": rows("same", "new")})
    assert table["stage"].tolist() == ["same", "new", "old", ALL]
    assert table["after: wall, s"].isna().tolist() == [False, False, True, False]
    assert table["before: processor, s"].isna().tolist() == [False, True, False, False]

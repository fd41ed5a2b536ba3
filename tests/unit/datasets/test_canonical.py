"""The temporary event database."""

from pathlib import Path

import pytest

from offerbench.datasets.canonical import event_database


def test_the_database_is_removed_at_the_end(tmp_path: Path) -> None:
    with event_database(tmp_path / "spill", "500MB") as connection:
        connection.execute("CREATE TABLE events AS SELECT 1 AS a")
        assert list((tmp_path / "spill").iterdir()) != []
    assert list((tmp_path / "spill").iterdir()) == []


def test_the_database_is_removed_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(KeyError), event_database(tmp_path / "spill", "500MB"):
        raise KeyError
    assert list((tmp_path / "spill").iterdir()) == []


def test_the_memory_limit_is_set(tmp_path: Path) -> None:
    with event_database(tmp_path / "spill", "500MB") as connection:
        ((limit,),) = connection.sql("SELECT current_setting('memory_limit')").fetchall()
    assert limit == "476.8 MiB"  # 500,000,000 / 2**20

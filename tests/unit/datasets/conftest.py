"""A database for the readers."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from offerbench.datasets.canonical import event_database


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with event_database(tmp_path / "spill", "500MB") as opened:
        yield opened


def rows_of(connection: duckdb.DuckDBPyConnection) -> list[dict]:
    """The canonical table in the order of its rows."""
    return connection.sql("SELECT * FROM events ORDER BY rowid").to_arrow_table().to_pylist()

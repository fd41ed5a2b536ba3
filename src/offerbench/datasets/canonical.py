"""The canonical event table: what every source gives and all later code reads.

A DuckDB table `events`, its rows in file order (DuckDB's `rowid` is that order):

    user         BIGINT   user's number in the source
    day          INTEGER  days since 1970-01-01
    event_type   VARCHAR  `purchase`, `cart`
    product_id, category1, category2, category3, brand
                 VARCHAR  a missing value is the empty string, a value like any other
    price        DOUBLE   in the source's currency
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

EVENTS = "events"


@dataclass(frozen=True)
class ReadCounts:
    """What a reader saw in the raw files."""

    rows: int
    """Rows in the raw files."""
    event_types: dict[str, int]
    """Rows of each event type, kept or not."""
    left_out: dict[str, int]
    """Rows left out, by reason."""


@contextmanager
def event_database(spill_directory: Path, memory_limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a temporary DuckDB database on disk, removed at the end.

    Parameters
    ----------
    spill_directory : Path
        Where the database and the files that DuckDB spills to are put.
    memory_limit : str
        As DuckDB writes it, such as `4GB`.
    """
    spill_directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=spill_directory) as directory:
        connection = duckdb.connect(f"{directory}/events.duckdb")
        try:
            connection.execute("SET memory_limit = ?", [memory_limit])
            connection.execute("SET temp_directory = ?", [f"{directory}/spill"])
            connection.execute("SET preserve_insertion_order = true")
            connection.execute("SET enable_progress_bar = false")
            yield connection
        finally:
            connection.close()

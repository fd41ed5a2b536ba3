"""The canonical event table: what every source gives and all later code reads.

A DuckDB table `events`, its rows in file order (DuckDB's `rowid` is that order):

    user         BIGINT   user's number in the source
    day          INTEGER  days since 1970-01-01
    event_type   VARCHAR  `purchase`, `cart`
    product_id, category1, category2, category3, brand
                 VARCHAR  a missing value is the empty string, a value like any other
    price        DOUBLE   in the source's currency

Another source may have other text and number columns in place of the last six.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from offerbench.core.atomic import temporary_directory

EVENTS = "events"
ORDER, PLACE = "_order", "_place"
"""BIGINT columns that the events of a part of a log have: those of all parts are in the order of the one, and
then of the other. No column of a data set begins with an underscore."""


@dataclass(frozen=True)
class Reject:
    """A row of a raw file that was rejected."""

    file: str
    line: int | None
    """Line of the file, from 1; of a Parquet file the row. None if the reader does not know it."""
    reason: str
    text: str
    """The row, cut after some hundred characters."""


@dataclass(frozen=True)
class ReadCounts:
    """What a reader saw in the raw files."""

    rows: int
    """Rows in the raw files."""
    event_types: dict[str, int]
    """Rows of each event type, kept or not."""
    left_out: dict[str, int]
    """Rows left out, by reason, that are normal for the source."""
    rejected: dict[str, int] = field(default_factory=dict)
    """Rows that can't be used, by reason. Every row is an event, left out or rejected."""
    rejects: tuple[Reject, ...] = ()
    """The first rows of each reason in `rejected`."""
    rejected_by_type: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of each of the log's event types that are kept: its rows, and those that are rejected. Copies of
    another file's events are not among the latter: nothing is lost with them."""
    advice: str = ""
    """What may help where many rows are rejected: sentences that end with a blank."""
    warnings: tuple[str, ...] = ()
    """What the user should know though it stops nothing, a line each."""


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
    with temporary_directory(spill_directory, "events") as directory:
        connection = duckdb.connect(f"{directory}/events.duckdb")
        try:
            connection.execute("SET memory_limit = ?", [memory_limit])
            connection.execute("SET temp_directory = ?", [f"{directory}/spill"])
            connection.execute("SET preserve_insertion_order = true")
            connection.execute("SET enable_progress_bar = false")
            connection.execute("SET TimeZone = 'UTC'")  # days are the same on every machine
            yield connection
        finally:
            connection.close()


def identifier(name: str) -> str:
    """Quote a column's name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("'", "''") + "'"


def is_one_of(value: str, words: Iterable[str]) -> str:
    """Give the SQL condition that a text, an SQL expression, is one of these words; NULL is none.

    Neither `IN` nor `list_contains`: DuckDB makes a join of them, after which rows are in another order.
    """
    cases = " ".join(f"WHEN {literal(word)} THEN true" for word in words)
    return f"CASE {value} {cases} ELSE false END" if cases else "false"

"""Raw rows -> canonical events in one pass over the files, for logs of one row an event."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from offerbench.datasets import rejects
from offerbench.datasets.canonical import ReadCounts, identifier, is_one_of, literal
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.event_types import count_types
from offerbench.datasets.faults import first_fault
from offerbench.datasets.parts import whole_log
from offerbench.datasets.row_counts import count_rows, refuse_lost_rows


@dataclass(frozen=True)
class Log:
    """How the rows of a log become events: SQL expressions over its columns."""

    files: tuple[Path, ...]
    """In the order that they are read in."""
    rows: str
    """What follows FROM: the raw rows. `file_index` is the number of a row's file in `files`; no name of a
    column is taken from the data."""
    parameters: Mapping[str, Any]
    """Of `rows`."""
    event_type: str
    """The log's own event type."""
    kept: Mapping[str, str]
    """Event type by the log's own, of those that are kept; the others are left out."""
    values: Mapping[str, str]
    """The canonical columns, but for the event type."""
    faults: Mapping[str, str]
    """Conditions of a kept row that can't be used, by reason."""
    shown: tuple[str, ...]
    """Columns that a sample of such a row shows."""
    parse_reasons: Mapping[str, str] = field(default_factory=dict)
    """Reason of a CSV field that is not of its column's type, by column."""
    layout: CsvLayout | None = None
    """How the files are written, if they are CSV."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Conditions of a row of a kept type that is normal and not wanted, by reason; before faults."""
    user_is_text: bool = False
    """Users are numbered in the order of their text."""
    row_counts: tuple[int, ...] | None = None
    """Rows of each file, where `rows` has not all of it; None: they are counted."""


def stage_events(connection: duckdb.DuckDBPyConnection, log: Log) -> None:
    """Make the table `staged`, a row for each row of the log, and `rejected`.

    A row that is no event leaves its event type and NULLs, which take next to no room in a column
    store, so that it can be counted afterwards.

    Raises
    ------
    OfferbenchError
        If not every row of the files has been read or rejected, or a packed file is damaged.
    """
    expected = count_rows(log.files, log.layout) if log.row_counts is None else log.row_counts
    kept = " ".join(f"WHEN {literal(name)} THEN {literal(kind)}" for name, kind in log.kept.items())
    faults = {"event_type_missing": "log_type__ IS NULL", **log.left_out, **log.faults}
    selected = ", ".join(
        f"CASE WHEN kept_type__ IS NOT NULL AND fault__ IS NULL THEN {value} END AS {identifier(name)}"
        for name, value in log.values.items()
    )
    text = " || ',' || ".join(f"coalesce({identifier(name)}::VARCHAR, '')" for name in log.shown)
    is_fault = _is_rejected("fault__", log)
    connection.execute(
        f"""
        CREATE TABLE staged AS
        SELECT log_type__ AS log_type, kept_type__ AS event_type, fault__ AS fault, {selected},
               file_index::INTEGER AS file,
               CASE WHEN {is_fault} THEN left({text}, {rejects.TEXT_LENGTH}) END AS fault_text
        FROM (SELECT *, CASE WHEN log_type__ IS NULL OR kept_type__ IS NOT NULL
                        THEN {first_fault(faults)} END AS fault__
              FROM (SELECT *, CASE log_type__ {kept} END AS kept_type__
                    FROM (SELECT *, file_index, nullif({log.event_type}, '') AS log_type__
                          FROM {log.rows})))
        """,
        dict(log.parameters),
    )
    _check_order(connection)
    rejects.create_table(connection)
    if log.layout is not None:
        rejects.add_unparsed(connection, log.parse_reasons, log.files, log.layout)
    read = connection.sql(
        "SELECT file, count(*) FROM (SELECT file FROM staged UNION ALL SELECT file FROM rejected) GROUP BY 1"
    ).fetchall()
    refuse_lost_rows(log.files, expected, dict(read))


def _check_order(connection: duckdb.DuckDBPyConnection) -> None:
    """Make sure that the rows of `staged` are in the order of the files: their places give their lines."""
    ranges = connection.sql(
        "SELECT min(rowid), max(rowid), count(*) FROM staged GROUP BY file ORDER BY file"
    ).fetchall()
    ends = [-1, *(last for _, last, _ in ranges)]
    for end, (first, last, rows) in zip(ends, ranges, strict=False):
        if first != end + 1 or last - first + 1 != rows:
            raise RuntimeError("DuckDB gives the rows of the files in another order than theirs")


def _is_rejected(fault: str, log: Log) -> str:
    """Give the SQL condition that the reason `fault` is one of a row that can't be used."""
    return f"({fault} IS NOT NULL AND NOT {is_one_of(fault, log.left_out)})"


def _reject_faulty_rows(connection: duckdb.DuckDBPyConnection, log: Log) -> None:
    """Add the rows of `staged` that can't be used to `rejected`, with their places in their files."""
    is_fault = _is_rejected("fault", log)
    if not connection.sql(f"SELECT 1 FROM staged WHERE {is_fault} LIMIT 1").fetchall():
        return
    # Every row of a Parquet file is parsed: its place gives its number.
    line, place = ("NULL", "place") if log.layout is not None else ("place + 1", "NULL")
    connection.execute(
        f"""
        INSERT INTO rejected
        SELECT file, {line}, NULL, {place}, fault, fault_text
        FROM (SELECT *, staged.rowid AS row, staged.rowid - first_row AS place
              FROM staged JOIN (SELECT file, min(rowid) AS first_row FROM staged GROUP BY file) USING (file)
              WHERE {is_fault})
        ORDER BY row
        """
    )


def finish_events(connection: duckdb.DuckDBPyConnection, log: Log, where: str) -> ReadCounts:
    """Make the canonical table `events` of `staged`, and count.

    Parameters
    ----------
    connection : DuckDBPyConnection
        As `stage_events` left it.
    log : Log
        The log.
    where : str
        The raw files, for a message.

    Raises
    ------
    OfferbenchError
        If the files have no row.
    """
    return whole_log([finish_part(connection, log)], log.kept, log.left_out, where)


def finish_part(connection: duckdb.DuckDBPyConnection, log: Log) -> ReadCounts:
    """Make the canonical table `events` of `staged`, and count, for some of the files of a log.

    Parameters
    ----------
    connection : DuckDBPyConnection
        As `stage_events` left it.
    log : Log
        The log, of these files.

    Returns
    -------
    ReadCounts
        For `whole_log`.
    """
    _make_events(connection, log)
    return count_part(connection, log)


def _make_events(connection: duckdb.DuckDBPyConnection, log: Log) -> None:
    columns = ", ".join(
        f"staged.{identifier(name)}" for name in log.values if name not in ("user", "day", "second")
    )
    second = "staged.second, " if "second" in log.values else ""
    user, join = 'staged."user"', ""
    if log.user_is_text:
        connection.execute(
            """
            CREATE TABLE user_numbers AS
            SELECT "user", row_number() OVER (ORDER BY "user") - 1 AS number
            FROM (SELECT DISTINCT "user" FROM staged WHERE "user" IS NOT NULL)
            """
        )
        user, join = "number", 'JOIN user_numbers USING ("user")'
    connection.execute(
        f"""
        CREATE TABLE events AS SELECT {user} AS "user", day, staged.event_type, {columns} FROM staged {join}
        WHERE staged.event_type IS NOT NULL AND fault IS NULL ORDER BY {second}staged.rowid
        """
    )


def count_part(connection: duckdb.DuckDBPyConnection, log: Log) -> ReadCounts:
    """Count the rows of `staged`, which is dropped; see `finish_part`."""
    types = count_types(connection, _is_rejected("fault", log), log.layout, log.kept)
    ((unparsed,),) = connection.sql("SELECT count(*) FROM rejected").fetchall()
    reasons = dict(connection.sql("SELECT fault, count(*) FROM staged GROUP BY 1").fetchall())
    left_out = {reason: reasons[reason] for reason in log.left_out if reason in reasons}
    _reject_faulty_rows(connection, log)
    rejected, samples = rejects.summary(connection, log.files, log.layout)
    connection.execute("DROP TABLE staged")
    return ReadCounts(
        rows=sum(types.rows.values()) + types.without_type + unparsed,
        event_types=types.rows,
        left_out=types.left_out | left_out,
        rejected=rejected,
        rejects=samples,
        rejected_by_type=types.kept,
    )

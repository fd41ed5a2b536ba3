"""Raw rows -> canonical events in one pass over the files, for logs of one row an event."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import rejects
from offerbench.datasets.canonical import ReadCounts, identifier, literal
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.raw_files import as_pattern
from offerbench.datasets.row_counts import count_rows, refuse_lost_rows


@dataclass(frozen=True)
class Log:
    """How the rows of a log become events: SQL expressions over its columns."""

    files: tuple[Path, ...]
    """In the order that they are read in."""
    columns: tuple[str, ...]
    """Of the files."""
    rows: str
    """What follows FROM: the raw rows of `$files`, with the name of each row's file in column `$filename`."""
    parameters: Mapping[str, Any]
    """Of `rows`, but for `files` and `filename`."""
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
    user_is_text: bool = False
    """Users are numbered in the order of their text."""


def stage_events(connection: duckdb.DuckDBPyConnection, log: Log) -> None:
    """Make the table `staged`, a row for each row of the log, and `rejected`.

    A row that is no event leaves its event type and NULLs, which take next to no room in a column
    store, so that it can be counted afterwards.

    Raises
    ------
    OfferbenchError
        If not every row of the files has been read or rejected, or a packed file is damaged.
    """
    expected = count_rows(log.files, log.layout)
    filename, log_type, kept_type, fault = _free_names(
        ("filename__", "log_type__", "kept_type__", "fault__"), log.columns
    )
    kept = " ".join(f"WHEN {literal(name)} THEN {literal(kind)}" for name, kind in log.kept.items())
    faults = {"event_type_missing": f"{log_type} IS NULL", **log.faults}
    selected = ", ".join(
        f"CASE WHEN {kept_type} IS NOT NULL AND {fault} IS NULL THEN {value} END AS {identifier(name)}"
        for name, value in log.values.items()
    )
    text = " || ',' || ".join(f"coalesce({identifier(name)}::VARCHAR, '')" for name in log.shown)
    connection.execute(
        f"""
        CREATE TABLE staged AS
        SELECT {log_type} AS log_type, {kept_type} AS event_type, {fault} AS fault, {selected},
               (list_position($names, {filename}) - 1)::INTEGER AS file,
               CASE WHEN {fault} IS NOT NULL THEN left({text}, {rejects.TEXT_LENGTH}) END AS fault_text
        FROM (SELECT *, CASE WHEN {log_type} IS NULL OR {kept_type} IS NOT NULL
                        THEN {rejects.first_fault(faults)} END AS {fault}
              FROM (SELECT *, CASE {log_type} {kept} END AS {kept_type}
                    FROM (SELECT *, nullif({log.event_type}, '') AS {log_type} FROM {log.rows})))
        """,
        {
            **log.parameters,
            "files": [as_pattern(file) for file in log.files],
            "names": [str(file) for file in log.files],
            "filename": filename,
        },
    )
    rejects.create_table(connection)
    if log.layout is not None:
        rejects.add_unparsed(connection, log.parse_reasons, log.files, log.layout)
    read = connection.sql(
        "SELECT file, count(*) FROM (SELECT file FROM staged UNION ALL SELECT file FROM rejected) GROUP BY 1"
    ).fetchall()
    refuse_lost_rows(log.files, expected, dict(read))


def _free_names(names: Iterable[str], columns: Iterable[str]) -> tuple[str, ...]:
    """Give each name with as many `_` after it as it needs to be no column's."""
    taken = {column.lower() for column in columns}
    free = []
    for name in names:
        while name in taken:
            name += "_"
        free.append(name)
    return tuple(free)


def _reject_faulty_rows(connection: duckdb.DuckDBPyConnection, is_csv: bool) -> None:
    """Add the rows of `staged` that can't be used to `rejected`, with their places in their files."""
    if not connection.sql("SELECT 1 FROM staged WHERE fault IS NOT NULL LIMIT 1").fetchall():
        return
    # Every row of a Parquet file is parsed: its place gives its number.
    line, place = ("NULL", "place") if is_csv else ("place + 1", "NULL")
    connection.execute(
        f"""
        INSERT INTO rejected
        SELECT file, {line}, NULL, {place}, fault, fault_text
        FROM (SELECT *, staged.rowid AS row, staged.rowid - first_row AS place
              FROM staged JOIN (SELECT file, min(rowid) AS first_row FROM staged GROUP BY file) USING (file)
              WHERE fault IS NOT NULL)
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
    columns = ", ".join(f"staged.{identifier(name)}" for name in log.values if name not in ("user", "day"))
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
        WHERE staged.event_type IS NOT NULL AND fault IS NULL ORDER BY staged.rowid
        """
    )
    types = connection.sql(
        "SELECT log_type, count(*), any_value(event_type) IS NOT NULL FROM staged GROUP BY 1 ORDER BY 1"
    ).fetchall()
    ((unparsed,),) = connection.sql("SELECT count(*) FROM rejected").fetchall()
    _reject_faulty_rows(connection, log.layout is not None)
    rejected, samples = rejects.summary(connection, log.files, log.layout)
    connection.execute("DROP TABLE staged")
    rows = sum(count for _, count, _ in types) + unparsed
    if not rows:
        raise OfferbenchError(f"{where}: no row after the header. Fetch the files again.")
    return ReadCounts(
        rows=rows,
        event_types={name: count for name, count, _ in types if name is not None},
        left_out={
            f"event_type_{name}": count for name, count, kept in types if name is not None and not kept
        },
        rejected=rejected,
        rejects=samples,
    )

"""A shop's own log in Parquet, read in parts: each is some rows of a file, along its row groups.

What all files say together is found out first, without reading rows: where each column is, and what its type
is. The rows themselves are events, or are not, each for itself and the tables. Three things of the log need
all parts: users' numbers, which go by the order of their texts; events that two files hold; and the order of
the events, by their times. So a part's events keep the text of the user, and have second and row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from offerbench.datasets import custom as shop_log
from offerbench.datasets.canonical import ORDER, PLACE, ReadCounts, identifier
from offerbench.datasets.config import Custom
from offerbench.datasets.parts import whole_log
from offerbench.datasets.repeated_events import REPEATED
from offerbench.datasets.shop_log.columns import Wanted, wanted_columns
from offerbench.datasets.shop_log.encodings import in_utf8
from offerbench.datasets.shop_log.files import LogFile, is_parquet
from offerbench.datasets.shop_log.rows import ROW_NUMBER, Rows, column_values, depend_on_rows, rows_between
from offerbench.datasets.shop_log.tables import described_tables, joined_rows, places
from offerbench.datasets.shop_log.values import Form
from offerbench.datasets.staging import Log, count_part, stage_events


@dataclass(frozen=True)
class LogPart:
    """Some rows of a file."""

    name: str
    """The file's, in the raw directory."""
    values: tuple[str, ...]
    """SQL of the columns that are in the log, by what all files say."""
    file: int
    """Its number."""
    first: int
    """First row in the file, from 0."""
    rows: int
    is_whole: bool
    """All rows of the file."""
    place: int
    """Of its first row among the rows of all files."""


@dataclass(frozen=True)
class LogParts:
    """A log in parts."""

    custom: Custom
    found: dict[Wanted, int]
    """Where each wanted column is, see `places`."""
    names: tuple[str, ...]
    """Of the files, in the raw directory."""
    parts: tuple[LogPart, ...]
    """In the order of files and rows; those of a file without rows are none."""


def parts_of_log(
    connection: duckdb.DuckDBPyConnection,
    raw_directory: Path,
    custom: Custom,
    rows_of_part: int,
    has_rows: bool = True,
) -> LogParts | None:
    """Cut a log into parts; None if it is CSV, or has no rows, or some would have to be read for it.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Any; its time zone is set.
    raw_directory, custom
        See `custom.read_events`.
    rows_of_part : int
        A part ends with the row group that brings it to so many rows.
    has_rows : bool
        The files are whole; False: they have their ends alone.

    Raises
    ------
    OfferbenchError
        What `custom.read_events` refuses before it reads rows.
    """
    shop_log.check_times(connection, custom)
    paths, names = shop_log.found_log(raw_directory, custom)
    if not is_parquet(paths[0]):
        return None
    with in_utf8(connection, raw_directory, names, custom.encoding) as directory:
        files = shop_log.described_files(connection, directory, names[: len(paths)], custom)
        with shop_log.explained_log(directory, [file.path for file in files], custom):
            wanted = wanted_columns(custom)
            found = places(wanted, files, described_tables(connection, directory, custom))
            read = shop_log.columns_of_log(wanted, found, shop_log.column_names(wanted))
            if not has_rows and depend_on_rows(files, read):
                return None
            values = column_values(connection, files, read, Form.of(custom))
        of_files = list(_parts(files, names, values, rows_of_part))
    return LogParts(custom, found, tuple(names[: len(paths)]), tuple(of_files)) if of_files else None


def _parts(
    files: Sequence[LogFile], names: Sequence[str], values: Sequence[tuple[str, ...]], rows_of_part: int
) -> Iterator[LogPart]:
    known: dict[tuple[str, ...], tuple[str, ...]] = {}  # many files, few texts: each is sent to a task once
    place = 0
    for number, (file, of_file) in enumerate(zip(files, values, strict=True)):
        of_file = known.setdefault(of_file, of_file)
        ends = _ends(file, rows_of_part)
        for first, end in zip([0, *ends], ends, strict=False):
            is_whole = len(ends) == 1
            yield LogPart(names[number], of_file, number, first, end - first, is_whole, place + first)
        place += ends[-1] if ends else 0


def _ends(file: LogFile, rows_of_part: int) -> list[int]:
    """Give the rows after the last of each part of a file, ascending; none if it has no rows."""
    if not file.rows:
        return []
    if ROW_NUMBER in {name.lower() for name in file.columns}:  # hides what DuckDB would add: not cut
        return [file.rows]
    metadata = pq.read_metadata(file.path)
    groups = (metadata.row_group(number).num_rows for number in range(metadata.num_row_groups))
    ends, begin = [], 0
    for end in accumulate(groups):
        if end - begin >= rows_of_part:
            ends.append(end)
            begin = end
    return [*ends, file.rows] if begin < file.rows else ends


def read_part(
    connection: duckdb.DuckDBPyConnection,
    raw_directory: Path,
    log: LogParts,
    number: int,
    repeated: Sequence[int] = (),
) -> ReadCounts:
    """Make the table `events` of a part, with the columns `ORDER` and `PLACE`; its users are texts.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the table.
    raw_directory : Path
        Holds the files.
    log : LogParts
        What `parts_of_log` gave.
    number : int
        Which part.
    repeated : sequence of int
        `PLACE` of events that are rejected: another file has them.

    Returns
    -------
    ReadCounts
        For `whole`.

    Raises
    ------
    OfferbenchError
        If the file or a table can't be read.
    """
    custom, part = log.custom, log.parts[number]
    shop_log.check_times(connection, custom)
    tables = [table.file for table in custom.tables if (raw_directory / table.file).exists()]
    with in_utf8(connection, raw_directory, [part.name, *tables], custom.encoding) as directory:
        file = directory / part.name
        with shop_log.explained_log(directory, [file], custom):
            staged = replace(_log(connection, directory, file, log, part), row_counts=(part.rows,))
            stage_events(connection, staged)
            if repeated:
                _reject(connection, [place - part.place for place in repeated])
            _make_events(connection, staged, part.place)
            counts = count_part(connection, staged)
    rejects = (
        replace(reject, file=str(raw_directory / part.name), line=(reject.line or 0) + part.first)
        for reject in counts.rejects
    )
    return replace(counts, rejects=tuple(rejects))


def _log(
    connection: duckdb.DuckDBPyConnection, directory: Path, file: Path, log: LogParts, part: LogPart
) -> Log:
    custom, wanted = log.custom, wanted_columns(log.custom)
    names = shop_log.column_names(wanted)
    read = shop_log.columns_of_log(wanted, log.found, names)
    some = None if part.is_whole else (part.first, part.first + part.rows)
    rows = rows_between(file, part.values, read, some)
    tables = described_tables(connection, directory, custom)
    joined = joined_rows(connection, rows, tables, wanted, log.found, names, Form.of(custom))
    return shop_log.log_of(joined, names, [file], custom)


def _reject(connection: duckdb.DuckDBPyConnection, rows: Sequence[int]) -> None:
    connection.execute(
        f"UPDATE staged SET fault = '{REPEATED}', fault_text = '' WHERE rowid IN (SELECT unnest($rows))",
        {"rows": list(rows)},
    )


def _make_events(connection: duckdb.DuckDBPyConnection, log: Log, place: int) -> None:
    columns = ", ".join(identifier(name) for name in log.values if name not in ("user", "day", "second"))
    connection.execute(
        f"""
        CREATE TABLE events AS
        SELECT second AS {ORDER}, rowid + {place} AS {PLACE}, "user", day, event_type, {columns} FROM staged
        WHERE event_type IS NOT NULL AND fault IS NULL ORDER BY rowid
        """
    )


def key_of(custom: Custom) -> dict[str, str]:
    """Give what tells an event from another: name -> column of a part's events."""
    names = ["user", "day", *custom.features, *custom.numbers, "event_type"]
    return {"second": ORDER} | {name: name for name in names}


def whole(parts: Sequence[ReadCounts], custom: Custom, raw_directory: Path) -> ReadCounts:
    """Put the counts of all parts together, in their order; see `whole_log`."""
    names = shop_log.column_names(wanted_columns(custom))
    log = shop_log.log_of(Rows("", {}), names, [Path("any.parquet")], custom)
    read = whole_log(parts, log.kept, log.left_out, f"{raw_directory}/{custom.files}")
    return shop_log.with_advice(read, custom)

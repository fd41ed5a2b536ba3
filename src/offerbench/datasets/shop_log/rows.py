"""The rows of a log's files as SQL: every column that is wanted, read as what it is wanted as."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from offerbench.datasets import rejects
from offerbench.datasets.canonical import literal
from offerbench.datasets.raw_files import as_pattern
from offerbench.datasets.shop_log.columns import Use, place_of
from offerbench.datasets.shop_log.files import LogFile, parquet_rows
from offerbench.datasets.shop_log.parquet import LARGEST_WHOLE, check_types, parquet_value
from offerbench.datasets.shop_log.values import Form, known_text, written_number, written_second

ROW_NUMBER = "file_row_number"
"""Column that DuckDB adds: number of a row in its Parquet file, from 0."""


@dataclass(frozen=True)
class ReadColumn:
    """A column of the files that is read."""

    column: str
    """Its name there."""
    use: Use
    key: str
    """The key of params.yaml that names it."""
    name: str
    """Its name in the result."""


@dataclass(frozen=True)
class Rows:
    """What follows FROM: the wanted columns and `file_index`, in the order of files and rows."""

    sql: str
    parameters: dict[str, Any]


def rows_of_files(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[LogFile],
    wanted: Sequence[ReadColumn],
    form: Form,
    delimiter: str,
    has_header: bool,
) -> Rows:
    """Give the rows of files, which may have further columns, and in another order each.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Any.
    files : sequence of LogFile
        All CSV or all Parquet.
    wanted : sequence of ReadColumn
        What is read.
    form : Form
        How their fields are written.
    delimiter : str
        Between the fields of CSV.
    has_header : bool
        A CSV file's first line has the names of the columns.

    Raises
    ------
    OfferbenchError
        If a file lacks a column, or has it with a type that is not that of the other files.
    """
    values = column_values(connection, files, wanted, form)
    parts: list[str] = []
    parameters: dict[str, Any] = {}

    def layout(number: int) -> tuple[Any, ...]:
        return values[number], files[number].columns, files[number].types, _own_place(files[number], number)

    for (selected, columns, _, alone), group in groupby(range(len(files)), layout):
        numbers = list(group)
        part = len(parts)
        parameters[f"files_{part}"] = [as_pattern(files[number].path) for number in numbers]
        source = parquet_rows(f"$files_{part}")
        if not files[0].is_parquet:
            parameters[f"columns_{part}"] = {f"f{place}": "VARCHAR" for place in range(len(columns))}
            parameters |= {"delimiter": delimiter, "has_header": has_header}
            source = (
                f"read_csv($files_{part}, header = $has_header, auto_detect = false, delim = $delimiter, "
                f"quote = '\"', columns = $columns_{part}, {rejects.STORE_REJECTS})"
            )
        where = f"file_index + {numbers[0]}" if alone is None else str(alone)
        parts.append(f"SELECT {_named(selected, wanted)}, {where} AS file_index FROM {source}")
    return Rows(f"({' UNION ALL '.join(parts)})", parameters)


def rows_between(
    file: Path, values: Sequence[str], wanted: Sequence[ReadColumn], rows: tuple[int, int] | None
) -> Rows:
    """Give some rows of a Parquet file, in their order; DuckDB passes over the row groups without them.

    Parameters
    ----------
    file : Path
        The file.
    values : sequence of str
        What `column_values` gave for it, among all files of the log.
    wanted : sequence of ReadColumn
        What is read.
    rows : (int, int), optional
        First row and the one after the last, from 0; None: all.
    """
    source = parquet_rows("$files")
    if rows is not None:
        source = parquet_rows(f"$files, {ROW_NUMBER} = true")
        source += f" WHERE {ROW_NUMBER} >= {rows[0]} AND {ROW_NUMBER} < {rows[1]}"
    sql = f"(SELECT {_named(values, wanted)}, 0 AS file_index FROM {source})"
    return Rows(sql, {"files": [as_pattern(file)]})


def _named(values: Sequence[str], wanted: Sequence[ReadColumn]) -> str:
    return ", ".join(f"{value} AS {read.name}" for value, read in zip(values, wanted, strict=True))


def column_values(
    connection: duckdb.DuckDBPyConnection, files: Sequence[LogFile], wanted: Sequence[ReadColumn], form: Form
) -> list[tuple[str, ...]]:
    """Give the SQL of each wanted column, for each file; see `rows_of_files`.

    Raises
    ------
    OfferbenchError
        If a file lacks a column, or has it with a type that is not that of the other files.
    """
    places = [[place_of(read.column, file.columns, file.path, read.key) for read in wanted] for file in files]
    if files[0].is_parquet:
        return _parquet_values(connection, files, places, wanted, form)
    return [
        tuple(_csv_value(f"f{place}", read.use, form) for place, read in zip(row, wanted, strict=True))
        for row in places
    ]


def depend_on_rows(files: Sequence[LogFile], wanted: Sequence[ReadColumn]) -> bool:
    """Say whether `column_values` has to look into rows of Parquet files, see `check_types`.

    Raises
    ------
    OfferbenchError
        If a file lacks a column.
    """
    places = [[place_of(read.column, file.columns, file.path, read.key) for read in wanted] for file in files]
    for at, read in enumerate(wanted):
        types = {file.types[own[at]] for file, own in zip(files, places, strict=True) if file.rows}
        if len(types) > 1 or (read.use is Use.TEXT and types & LARGEST_WHOLE.keys()):
            return True
    return False


def _own_place(file: LogFile, number: int) -> int | None:
    """Give the number of a file whose columns hide the one that DuckDB adds; it is read by itself."""
    hides = file.is_parquet and "file_index" in {name.lower() for name in file.columns}
    return number if hides else None


def _csv_value(field: str, use: Use, form: Form) -> str:
    if use is Use.NUMBER:
        return written_number(field, form.decimal)
    return known_text(field, form.missing) if use is Use.TEXT else written_second(field, form)


def _value_of_partition(file: LogFile, place: int, use: Use, form: Form) -> str:
    """Give the SQL for a value that stands in the name of a directory: it is read as text in CSV is."""
    found = file.partition_value(place)
    assert found is not None
    return _csv_value("NULL::VARCHAR" if found[0] is None else literal(found[0]), use, form)


def _parquet_values(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[LogFile],
    places: Sequence[Sequence[int]],
    wanted: Sequence[ReadColumn],
    form: Form,
) -> list[tuple[str, ...]]:
    """Give the SQL of each wanted column, for each file; files without rows are no matter."""
    with_rows = [number for number, file in enumerate(files) if file.rows]
    values = [["NULL"] * len(wanted) for _ in files]
    for at, read in enumerate(wanted):
        if files[0].partition_value(places[0][at]):
            for number, file in enumerate(files):
                values[number][at] = _value_of_partition(file, places[number][at], read.use, form)
            continue
        types = check_types(
            connection,
            [files[number] for number in with_rows],
            [places[number][at] for number in with_rows],
            read.use,
            read.key,
        )
        typed = dict(zip(with_rows, types, strict=True))
        for number, file in enumerate(files):
            column = file.columns[places[number][at]]
            values[number][at] = parquet_value(column, typed.get(number, "NULL"), read.use, form, read.key)
    return [tuple(row) for row in values]

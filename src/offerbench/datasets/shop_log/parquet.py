"""Columns of Parquet files as a log reads them: types of the files compared, numbers widened without loss."""

from collections.abc import Sequence
from enum import StrEnum

import duckdb

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.canonical import identifier
from offerbench.datasets.raw_files import as_pattern
from offerbench.datasets.shop_log.columns import Use
from offerbench.datasets.shop_log.files import LogFile, parquet_rows
from offerbench.datasets.shop_log.values import (
    Form,
    clock_second,
    epoch_second,
    known_text,
    written_number,
    written_second,
    zoned_second,
)


class Family(StrEnum):
    """Types whose values mean the same, however wide they are."""

    EMPTY = "empty"
    INTEGER = "whole number"
    REAL = "number"
    DECIMAL = "decimal number"
    TEXT = "text"
    TRUTH = "truth value"
    TIME = "time"
    ZONED_TIME = "time with a zone"
    OTHER = "something else"


INTEGERS = {f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")}
INTEGERS |= {"INTEGER", "UINTEGER"}
# Above these a floating-point number can't tell a whole number from the next.
LARGEST_WHOLE = {"DOUBLE": 2**53, "FLOAT": 2**24}
READABLE = {
    Use.TEXT: set(Family) - {Family.OTHER},
    Use.NUMBER: {Family.EMPTY, Family.INTEGER, Family.REAL, Family.DECIMAL, Family.TEXT},
    Use.TIME: {
        *(Family.EMPTY, Family.INTEGER, Family.REAL, Family.TEXT, Family.TIME, Family.ZONED_TIME),
    },
}


def family(type_name: str) -> Family:
    """Give the family of a DuckDB type."""
    if type_name == "NULL":
        return Family.EMPTY
    if type_name in INTEGERS or (type_name.startswith("DECIMAL") and type_name.endswith(",0)")):
        return Family.INTEGER
    if type_name in LARGEST_WHOLE:
        return Family.REAL
    if type_name.startswith("DECIMAL"):
        return Family.DECIMAL
    if type_name in ("VARCHAR", "UUID") or type_name.startswith("ENUM"):
        return Family.TEXT
    if type_name == "BOOLEAN":
        return Family.TRUTH
    if type_name.startswith("TIMESTAMP WITH TIME ZONE") or type_name.startswith("TIMESTAMPTZ"):
        return Family.ZONED_TIME
    if type_name == "DATE" or type_name.startswith("TIMESTAMP"):
        return Family.TIME
    return Family.OTHER


def check_types(
    connection: duckdb.DuckDBPyConnection, files: Sequence[LogFile], places: Sequence[int], use: Use, key: str
) -> list[str]:
    """Compare the types of a column over the files; give them, `NULL` for a file where it is empty.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Any.
    files : sequence of LogFile
        Parquet files.
    places : sequence of int
        The column's place in each.
    use : Use
        What it is read as.
    key : str
        The key of params.yaml that names it.

    Raises
    ------
    OfferbenchError
        If a file's type can't be read as `use`, or two files have types that don't mean the same: names the
        column, the files and both types.
    """
    types = [file.types[place] for file, place in zip(files, places, strict=True)]
    if len(set(types)) > 1:
        types = [
            "NULL" if _is_empty(connection, file, place) else type_name
            for file, place, type_name in zip(files, places, types, strict=True)
        ]
    first: int | None = None
    for number, (file, place, type_name) in enumerate(zip(files, places, types, strict=True)):
        column = file.columns[place]
        if family(type_name) not in READABLE[use]:
            raise OfferbenchError(
                f"{key}: column '{column}' of {file.path} is {type_name}, which can't be read as {use}. "
                "Write it as text, number or time."
            )
        if family(type_name) is Family.EMPTY:
            continue
        first = number if first is None else first
        if not _mean_the_same(types[first], type_name, use):
            raise OfferbenchError(
                f"{key}: column '{column}' is {types[first]} in {files[first].path}, but {type_name} in "
                f"{file.path}. Write it with one type in all files."
            )
    if use is Use.TEXT:
        for number, type_name in enumerate(types):
            if family(type_name) is Family.REAL:
                _refuse_lost_digits(connection, files, places, types, number, key)
    return types


def _mean_the_same(first: str, second: str, use: Use) -> bool:
    numbers = {Family.INTEGER, Family.REAL} | ({Family.DECIMAL} if use is Use.NUMBER else set())
    families = {family(first), family(second)}
    if families <= numbers or (use is Use.TIME and len(families) == 1):
        return True
    return first == second or families == {Family.TEXT}


def _is_empty(connection: duckdb.DuckDBPyConnection, file: LogFile, place: int) -> bool:
    column = identifier(file.columns[place])
    some = _is_number(column) if file.types[place] in LARGEST_WHOLE else f"{column} IS NOT NULL"
    return not connection.execute(
        f"SELECT 1 FROM {parquet_rows('$files')} WHERE {some} LIMIT 1",
        {"files": [as_pattern(file.path)]},
    ).fetchall()


def _refuse_lost_digits(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[LogFile],
    places: Sequence[int],
    types: Sequence[str],
    number: int,
    key: str,
) -> None:
    """Refuse a text that is written as a floating-point number too large to tell it from the next."""
    file, column, type_name = files[number], files[number].columns[places[number]], types[number]
    largest = LARGEST_WHOLE[type_name]
    found = connection.execute(
        f"SELECT 1 FROM {parquet_rows('$files')} WHERE abs({identifier(column)}) > {largest} "
        f"AND isfinite({identifier(column)}) LIMIT 1",
        {"files": [as_pattern(file.path)]},
    ).fetchall()
    if found:
        others = [
            other for other, name in enumerate(types) if family(name) not in (Family.EMPTY, Family.REAL)
        ]
        other = f", but {types[others[0]]} in {files[others[0]].path}" if others else ""
        raise OfferbenchError(
            f"{key}: column '{column}' is {type_name} in {file.path}{other}. Numbers above {largest:,} lose "
            "their last digits as that: write it as whole numbers or text in all files."
        )


def parquet_value(column: str, type_name: str, use: Use, form: Form, key: str) -> str:
    """Give the SQL for a column of a Parquet file, read as `use`.

    Raises
    ------
    OfferbenchError
        If times are numbers, and `custom.time_format` does not say of what.
    """
    name, kind = identifier(column), family(type_name)
    if kind is Family.EMPTY:
        return f"NULL::{ {Use.TEXT: 'VARCHAR', Use.NUMBER: 'DOUBLE', Use.TIME: 'BIGINT'}[use] }"
    if use is Use.TEXT:
        return known_text(_text(name, type_name, form), form.missing)
    if use is Use.NUMBER:
        if kind is Family.TEXT:
            return written_number(name, form.decimal)
        return _number(name)
    if kind is Family.TIME:
        return clock_second(f"{name}::TIMESTAMP")
    if kind is Family.ZONED_TIME:
        return zoned_second(f"{name}::TIMESTAMPTZ", form.time_zone)
    if kind is Family.TEXT:
        return written_second(name, form)
    if not form.time_format.startswith("epoch_"):
        raise OfferbenchError(
            f"{key}: column '{column}' has numbers ({type_name}). Set custom.time_format to epoch_seconds or "
            "epoch_milliseconds."
        )
    return epoch_second(_number(name), form)


def _is_number(value: str) -> str:
    """Give the SQL condition that a floating-point number is one, not NaN.

    DuckDB asks a file's statistics about `isnan`, which leave NaN out: beside a zero it finds none.
    """
    return f"(isfinite({value}) OR isinf({value}))"


def _number(name: str) -> str:
    number = f"{name}::DOUBLE"
    return f"CASE WHEN {_is_number(number)} THEN {number} END"


def _text(name: str, type_name: str, form: Form) -> str:
    """Give the SQL for the text of a value: the same for 12, whatever number it is stored as."""
    kind = family(type_name)
    if kind is Family.ZONED_TIME:
        return f"timezone('UTC', {name}::TIMESTAMPTZ)::VARCHAR"
    if kind is not Family.REAL:
        return f"{name}::VARCHAR"
    is_whole = f"isfinite({name}) AND {name} = trunc({name}) AND abs({name}) <= {LARGEST_WHOLE[type_name]}"
    return (
        f"CASE WHEN {is_whole} THEN {name}::BIGINT::VARCHAR WHEN {_is_number(name)} THEN {name}::VARCHAR END"
    )

"""A shop's own log, its columns named in params.yaml: CSV, CSV.gz or Parquet files, one row an event."""

import csv
from fnmatch import fnmatchcase
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import rejects
from offerbench.datasets.canonical import ReadCounts, identifier, literal
from offerbench.datasets.config import Custom
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.raw_files import first_line
from offerbench.datasets.staging import Log, finish_events, stage_events


def _raw_files(raw_directory: Path, custom: Custom) -> list[Path]:
    names = sorted(path.name for path in raw_directory.iterdir()) if raw_directory.is_dir() else []
    found = [raw_directory / name for name in names if fnmatchcase(name, custom.files)]
    if not found:
        raise OfferbenchError(
            f"custom.files: no file {custom.files} in {raw_directory}, which has {names[:20]}. "
            "Put the log there."
        )
    return found


def _columns(file: Path, custom: Custom) -> list[str]:
    """Give the columns that a file says it has."""
    first = first_line(file)
    try:
        if file.suffix == ".parquet":
            return list(pq.read_schema(file).names)
        return next(csv.reader([first], delimiter=custom.delimiter), [])
    except (OSError, csv.Error, pa.ArrowException) as error:
        raise OfferbenchError(f"{file}: can't be read ({error}). Fetch the file again.") from None


def _check_columns(files: list[Path], custom: Custom) -> list[str]:
    """Refuse files of different columns, or without one that params.yaml names; give the columns."""
    columns = _columns(files[0], custom)
    for file in files[1:]:
        if (others := _columns(file, custom)) != columns:
            raise OfferbenchError(
                f"{file}: has the columns {others}, but {files[0]} has {columns}. All files need the same."
            )
    lower = [name.lower() for name in columns]
    if len(set(lower)) != len(lower) or "" in lower:
        raise OfferbenchError(f"{files[0]}: every column needs a name of its own, got {columns}.")
    named = {"custom.user": custom.user, "custom.time": custom.time}
    if custom.event_type.column is not None:
        named["custom.event_type.column"] = custom.event_type.column
    named |= {f"custom.features.{name}": column for name, column in custom.features.items()}
    named |= {f"custom.numbers.{name}": column for name, column in custom.numbers.items()}
    for key, column in named.items():
        if column not in columns:
            raise OfferbenchError(
                f"{key}: {files[0]} has no column '{column}'. It has {columns}. Set the key in params.yaml."
            )
    return columns


def _day(custom: Custom) -> str:
    """Give the SQL for days since 1970; NULL where the time can't be read."""
    column = identifier(custom.time)
    if custom.time_format == "epoch_seconds":
        return f"TRY_CAST(floor(TRY_CAST({column} AS DOUBLE) / 86400) AS INTEGER)"
    return f"(TRY_CAST({column} AS TIMESTAMP)::DATE - DATE '1970-01-01')"


def _log(files: list[Path], columns: list[str], custom: Custom) -> Log:
    is_csv = files[0].suffix != ".parquet"
    user, day = f"nullif({identifier(custom.user)}::VARCHAR, '')", _day(custom)
    numbers = {name: f"TRY_CAST({identifier(column)} AS DOUBLE)" for name, column in custom.numbers.items()}
    features = {
        name: f"coalesce({identifier(column)}::VARCHAR, '')" for name, column in custom.features.items()
    }
    faults = {"user_missing": f"{user} IS NULL", **rejects.day_faults(day)}
    if "product_id" in features:
        faults["product_missing"] = f"{features['product_id']} = ''"
    for name, number in numbers.items():
        faults |= rejects.number_faults(name, number)
    constant, column = custom.event_type.constant, custom.event_type.column
    rows = "read_parquet($files, filename = $filename, hive_partitioning = false)"
    parameters: dict[str, object] = {}
    if is_csv:
        rows = (
            "read_csv($files, header = true, auto_detect = false, delim = $delimiter, quote = '\"', "
            f"columns = $columns, filename = $filename, {rejects.STORE_REJECTS})"
        )
        parameters = {"delimiter": custom.delimiter, "columns": dict.fromkeys(columns, "VARCHAR")}
    return Log(
        files=tuple(files),
        columns=tuple(columns),
        rows=rows,
        parameters=parameters,
        event_type=literal(constant)
        if column is None and constant
        else f"{identifier(column or '')}::VARCHAR",
        kept={constant: constant} if constant else custom.event_type.values,
        values={"user": user, "day": day, **features, **numbers},
        faults=faults,
        shown=tuple(columns),
        layout=CsvLayout(custom.delimiter) if is_csv else None,
        user_is_text=True,
    )


def read_events(connection: duckdb.DuckDBPyConnection, raw_directory: Path, custom: Custom) -> ReadCounts:
    """Make the canonical table `events`, with the columns that `custom` names.

    Rows of an event type that is not named are left out and counted. A row that can't be parsed, or
    lacks its user, time or a number, is rejected and counted.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the table.
    raw_directory : Path
        Holds the files.
    custom : Custom
        Which columns mean what.

    Raises
    ------
    OfferbenchError
        If there is no file or no row, a file can't be read, or lacks a column.
    """
    files = _raw_files(raw_directory, custom)
    log = _log(files, _check_columns(files, custom), custom)
    try:
        stage_events(connection, log)
        return finish_events(connection, log, f"{raw_directory}/{custom.files}")
    except duckdb.Error as error:
        raise OfferbenchError(
            f"{raw_directory}/{custom.files}: can't be read with the section custom of params.yaml. "
            f"{str(error).splitlines()[0]}. Set the keys to what the files have, or fetch the files again."
        ) from None

"""Columns of users' own files, CSV or Parquet, with messages that name file and row."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError
from offerbench.core.tables import write_parquet

TYPES = {int: pa.int64(), float: pa.float64(), str: pa.string(), np.datetime64: pa.date32()}
KINDS = {int: "a whole number", float: "a number", str: "text", np.datetime64: "a date such as 2017-12-01"}
SUFFIXES = (".csv", ".parquet")


def refuse_other_suffix(file: Path) -> None:
    """Refuse a file that is neither CSV nor Parquet by its name."""
    if file.suffix.lower() not in SUFFIXES:
        raise OfferbenchError(f"{file}: must end in {' or '.join(SUFFIXES)}, which says how to write it.")


def first_line(file: Path) -> list[str]:
    """Give the fields of a CSV file's first line, or the names of a Parquet file's columns."""
    if file.suffix.lower() == ".parquet":
        return list(_parquet(file, None).column_names)
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            return [field.strip() for field in next(csv.reader(stream), [])]
    except FileNotFoundError:
        raise OfferbenchError(f"{file}: no such file.") from None
    except IsADirectoryError:
        raise OfferbenchError(f"{file}: a directory, not a file.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise OfferbenchError(f"{file}: not a CSV file ({error}).") from None


def read_columns(
    file: Path, columns: Mapping[str, type], *, header_needed: bool = True
) -> dict[str, npt.NDArray[Any]]:
    """Read columns of a file; none of their fields may be empty.

    Parameters
    ----------
    file : Path
        Parquet if its name ends so, else CSV.
    columns : mapping
        Name of each column and what its fields are: int, float, str or np.datetime64 (a day).
    header_needed : bool
        Whether a CSV file must have a header. If not, `columns` is a single one, and a file whose first
        line doesn't name it is a list: one field a line.

    Returns
    -------
    dict
        int64, float64, object (str) or datetime64[D], shape (rows,) each.

    Raises
    ------
    OfferbenchError
        If the file is missing or can't be read, a column is missing, or a field is not what it should be.
    """
    header = first_line(file)
    if not header:
        raise OfferbenchError(f"{file}: an empty file.")
    missing = [name for name in columns if name not in header]
    is_list = bool(missing) and not header_needed and len(header) == 1
    if missing and not is_list:
        raise OfferbenchError(
            f"{file}: no column {', '.join(repr(name) for name in missing)}. Its first line has "
            f"{', '.join(repr(name) for name in header[:8])}{', ...' if len(header) > 8 else ''}."
        )
    if file.suffix.lower() == ".parquet":
        if is_list:
            raise OfferbenchError(f"{file}: no column '{missing[0]}'. It has '{header[0]}'.")
        table = _parquet(file, list(columns))
    else:
        table = _csv(file, columns, is_list)
    return {name: _column(file, name, table[name], kind, 1 + (not is_list)) for name, kind in columns.items()}


def _parquet(file: Path, columns: list[str] | None) -> pa.Table:
    try:
        return pq.read_table(file, columns=columns) if columns else pq.read_schema(file).empty_table()
    except FileNotFoundError:
        raise OfferbenchError(f"{file}: no such file.") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise OfferbenchError(f"{file}: not an intact Parquet file ({_line(error)}).") from None


def _csv(file: Path, columns: Mapping[str, type], is_list: bool) -> pa.Table:
    names = list(columns) if is_list else None
    read = pyarrow.csv.ReadOptions(column_names=names, use_threads=False)  # one thread: rows have numbers
    types = {name: TYPES[kind] for name, kind in columns.items()}
    convert = pyarrow.csv.ConvertOptions(column_types=types, include_columns=list(columns))
    try:
        return pyarrow.csv.read_csv(file, read_options=read, convert_options=convert)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        kinds = ", ".join(f"{name} is {KINDS[kind]}" for name, kind in columns.items())
        raise OfferbenchError(f"{file}: not the table it should be: {_line(error)} ({kinds}).") from None


def _column(file: Path, name: str, column: Any, kind: type, first_row: int) -> npt.NDArray[Any]:
    try:
        values = column.cast(TYPES[kind])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise OfferbenchError(f"{file}: column '{name}' must be {KINDS[kind]}: {_line(error)}.") from None
    if kind is str:
        values = pc.utf8_trim_whitespace(values)
    if values.null_count:
        row = first_row + int(np.flatnonzero(values.is_null().to_numpy())[0])
        raise OfferbenchError(f"{file}: row {row} has no '{name}', which must be {KINDS[kind]}.")
    numbers = values.to_numpy()
    if kind is float and not np.isfinite(numbers).all():
        row = first_row + int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise OfferbenchError(f"{file}: row {row}: '{name}' must be a finite number.")
    return np.asarray(numbers)


def write_columns(file: Path, columns: Mapping[str, Any]) -> None:
    """Write equally long columns as CSV or Parquet, by the file's suffix; whole or not at all."""
    refuse_other_suffix(file)
    if file.suffix.lower() == ".parquet":
        write_parquet(file, columns)
        return
    with atomic_file(file) as temporary, temporary.open("wb") as stream:
        stream.write((",".join(columns) + "\n").encode())  # Arrow would put quotes around the names
        # Words, numbers and dates need no quotes; other text isn't written here.
        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
        pyarrow.csv.write_csv(pa.table(dict(columns)), stream, options)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())

"""The files of a shop's log, or of one of its tables: found, and asked for their columns."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.canonical import literal
from offerbench.datasets.raw_files import as_pattern, first_line
from offerbench.datasets.shop_log.partitions import Partition, parts_of

UNREADABLE = (".xlsx", ".xls", ".zip", ".7z", ".rar", ".zst", ".bz2", ".xz", ".json", ".jsonl", ".orc")
"""Ends of names of files that are neither CSV nor Parquet."""


@dataclass(frozen=True)
class LogFile:
    """A file and its columns."""

    path: Path
    columns: tuple[str, ...]
    """Their names, in the order of the file; then those of its partition."""
    types: tuple[str, ...] = ()
    """DuckDB's types of the columns of a Parquet file; empty for CSV."""
    rows: int | None = None
    """Number of rows of a Parquet file."""
    partition: Partition = ()
    """Columns that stand in the names of its directories."""

    def partition_value(self, place: int) -> tuple[str | None] | None:
        """Give the value of a column of the partition in brackets; None if the column is in the file."""
        number = place - (len(self.columns) - len(self.partition))
        return (self.partition[number][1],) if number >= 0 else None

    @property
    def is_parquet(self) -> bool:
        """Tell Parquet from CSV."""
        return is_parquet(self.path)


def is_parquet(path: Path) -> bool:
    """Tell Parquet from CSV by the name."""
    return path.suffix.lower() == ".parquet"


def found_files(directory: Path, pattern: str, key: str, excluded: Sequence[str] = ()) -> list[Path]:
    """Give the files of a directory whose names are like `pattern`, in the order of their names.

    A directory of such a name stands for the Parquet files in it.

    Parameters
    ----------
    directory : Path
        Where they are.
    pattern : str
        Their name; only `*` and `?` mean other characters.
    key : str
        The key of params.yaml that has the pattern.
    excluded : sequence of str
        Patterns of names that are something else.

    Raises
    ------
    OfferbenchError
        If there is none, one is of a format that can't be read, or only the case of letters keeps one out.
    """
    names = sorted(path.name for path in directory.iterdir()) if directory.is_dir() else []
    names = [name for name in names if not any(_is_like(name, other) for other in excluded)]
    found = [directory / name for name in names if _is_like(name, pattern)]
    for name in names:
        if not _is_like(name, pattern) and _is_like(name.lower(), pattern.lower()):
            raise OfferbenchError(
                f"{key}: {directory / name} differs from {pattern} by capitals only. Rename it to have it "
                "read, or move it away."
            )
    if not found:
        raise OfferbenchError(
            f"{key}: no file {pattern} in {directory}, which has {names[:20]}. Put the log there."
        )
    found = [file for path in found for file in ((path.is_dir() and parts_of(path)) or [path])]
    for file in found:
        if file.suffix.lower() in UNREADABLE:
            raise OfferbenchError(f"{file}: can't be read. Save it as CSV or Parquet.")
        if f"{file.name}.gz" in names and directory / f"{file.name}.gz" in found:
            raise OfferbenchError(f"{file}: is there a second time as {file}.gz. Remove one of the two.")
    if len({is_parquet(file) for file in found}) > 1:
        raise OfferbenchError(
            f"{key}: {pattern} names CSV and Parquet files, {[file.name for file in found][:20]}. Set it to "
            "the names of one of the two."
        )
    return found


def _is_like(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def described(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    delimiter: str,
    columns: Sequence[str] | None,
    partition: Partition = (),
) -> LogFile:
    """Ask a file for its columns.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Any.
    file : Path
        CSV, packed or not, or Parquet.
    delimiter : str
        Between the fields of a CSV file.
    columns : sequence of str, optional
        The columns of a CSV file without a header.
    partition : Partition
        Columns of a Parquet file that stand in the names of its directories.

    Raises
    ------
    OfferbenchError
        If it can't be read, or starts with a header that should not be there.
    """
    first = first_line(file)
    if is_parquet(file):
        return _described_parquet(connection, file, partition)
    header = _fields(first, delimiter, file)
    if columns is None:
        return LogFile(file, tuple(header))
    if list(columns) == header:
        raise OfferbenchError(
            f"{file}: the first line has the names of the columns. Set custom.columns: null."
        )
    return LogFile(file, tuple(columns))


def _described_parquet(connection: duckdb.DuckDBPyConnection, file: Path, partition: Partition) -> LogFile:
    try:
        schema = pq.read_schema(file)
        rows = pq.read_metadata(file).num_rows
        described = connection.execute(f"DESCRIBE FROM {parquet_rows(literal(as_pattern(file)))}").fetchall()
    except (OSError, pa.ArrowException, duckdb.Error) as error:
        reason = str(error).splitlines()[0]
        raise OfferbenchError(f"{file}: can't be read ({reason}). Fetch the file again.") from None
    lower = [name.lower() for name in schema.names]
    if len(set(lower)) != len(lower):
        raise OfferbenchError(f"{file}: every column needs a name of its own, got {schema.names}.")
    for column, _ in partition:
        if column.lower() in lower:
            raise OfferbenchError(
                f"{file}: has the column '{column}' in it and in the name of its directory. Write it without."
            )
    columns = (*(row[0] for row in described), *(column for column, _ in partition))
    types = (*(row[1].strip('"') for row in described), *("VARCHAR" for _ in partition))
    return LogFile(file, columns, types, rows, partition)


def parquet_rows(files: str) -> str:
    """Give the SQL that reads Parquet files, an SQL expression, with the columns that are in them only."""
    return f"read_parquet({files}, hive_partitioning = false)"


def _fields(line: str, delimiter: str, file: Path) -> list[str]:
    if len(delimiter) > 1:
        return [field.strip().removeprefix('"').removesuffix('"') for field in line.split(delimiter)]
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error as error:
        raise OfferbenchError(f"{file}: can't be read ({error}). Fetch the file again.") from None

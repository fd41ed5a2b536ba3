"""The number of rows of raw files, counted without DuckDB in one pass over their bytes.

DuckDB loses rows of a large file without a word where a quote is not closed, and does not look at the
checksum of a packed one. Every row that it gives or rejects is therefore held against a count of its own.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.canonical import ReadCounts
from offerbench.datasets.csv_blocks import CsvLayout, blocks
from offerbench.datasets.raw_files import opened, readable


def count_rows(files: Sequence[Path], layout: CsvLayout | None) -> list[int]:
    """Count the rows of each file; a packed one is unpacked to its end, and its checksum and length compared.

    Parameters
    ----------
    files : sequence of Path
        CSV files, plain or packed with gzip, or Parquet files.
    layout : CsvLayout or None
        How the CSV files are written; None for Parquet, which says itself how many rows it has.

    Raises
    ------
    OfferbenchError
        If a file can't be read or unpacked, its checksum is wrong, or a quote is never closed.
    """
    if layout is None:
        return [_rows_of_parquet(file) for file in files]
    total = sum(file.stat().st_size for file in files)
    with (
        tqdm(unit="B", unit_scale=True, total=total, disable=None, desc="rows counted") as progress,
        ThreadPoolExecutor(os.cpu_count()) as threads,  # unpacking and NumPy leave the interpreter free
    ):
        counts = [threads.submit(_rows_of_csv, file, layout, progress.update) for file in files]
        try:
            return [count.result() for count in counts]
        finally:
            threads.shutdown(cancel_futures=True)


def _rows_of_csv(file: Path, layout: CsvLayout, progress: Callable[[int], object]) -> int:
    rows, done = 0, 0
    with readable(file), file.open("rb") as raw, opened(file, raw) as stream:
        for block in blocks(file, stream, layout):
            rows += block.rows
            progress(raw.tell() - done)
            done = raw.tell()
    return rows


def _rows_of_parquet(file: Path) -> int:
    with readable(file):
        try:
            return int(pq.read_metadata(file).num_rows)
        except pa.ArrowException as error:
            raise OfferbenchError(f"{file}: can't be read ({error}). Fetch the file again.") from None


def refuse_lost_rows(files: Sequence[Path], expected: Sequence[int], read: Mapping[int, int]) -> None:
    """Refuse a file of which not every row was read.

    Parameters
    ----------
    files : sequence of Path
        The files.
    expected : sequence of int
        Rows of each, as `count_rows` gives them.
    read : mapping of int to int
        Rows that were read or rejected, by number of the file.

    Raises
    ------
    OfferbenchError
        If a number differs.
    """
    for number, (file, rows) in enumerate(zip(files, expected, strict=True)):
        if (got := read.get(number, 0)) != rows:
            raise OfferbenchError(
                f"{file}: has {rows:,} rows, but {got:,} could be told apart. Look for quotes that are not "
                "closed, and write all ends of lines the same way."
            )


def refuse_unaccounted_rows(read: ReadCounts, events: int, raw_directory: Path) -> None:
    """Refuse a run in which a row is neither an event nor left out nor rejected, or is two of them.

    Parameters
    ----------
    read : ReadCounts
        What the reader counted.
    events : int
        Rows of the canonical table.
    raw_directory : Path
        The raw files, for the message.

    Raises
    ------
    OfferbenchError
        If the sum differs.
    """
    left_out, rejected = sum(read.left_out.values()), sum(read.rejected.values())
    if events + left_out + rejected != read.rows:
        raise OfferbenchError(
            f"{raw_directory}: of {read.rows:,} rows {events:,} became events, {left_out:,} were left out "
            f"and {rejected:,} rejected, which does not add up. Report it with the files' first lines."
        )

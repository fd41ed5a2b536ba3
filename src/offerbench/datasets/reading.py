"""What DuckDB says when it can't read raw files, in words that help."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np

from offerbench.core.command import machine_fault
from offerbench.core.errors import OfferbenchError
from offerbench.datasets.csv_blocks import CARRIAGE_RETURN, LINE_FEED, CsvLayout, blocks, row_ends
from offerbench.datasets.raw_files import opened

ENDS = ("CR", "LF", "CRLF")


@contextmanager
def explained(
    what: str, advice: str, files: Sequence[Path] = (), layout: CsvLayout | None = None
) -> Iterator[None]:
    """Turn what DuckDB raises about raw files into one line; a failure of the machine stays what it is.

    Parameters
    ----------
    what : str
        What can't be read, in a sentence without its end.
    advice : str
        What the user shall do about it.
    files : sequence of Path
        The files that are read, to look for the line.
    layout : CsvLayout, optional
        How they are written, if they are CSV.

    Raises
    ------
    OfferbenchError
        In place of what DuckDB raises, unless memory or disk are full.
    """
    try:
        yield
    except duckdb.Error as error:
        if machine_fault(error) is not None:
            raise
        for file in files if layout is not None else ():
            refuse_mixed_ends(file, layout or CsvLayout(","))
        reason = str(error).splitlines()[0].removesuffix(".")
        raise OfferbenchError(f"{what}. {reason}. {advice}") from None


def refuse_mixed_ends(file: Path, layout: CsvLayout) -> None:
    """Refuse a CSV file whose lines end in several ways, which DuckDB does not read.

    Raises
    ------
    OfferbenchError
        Names the first line that ends in another way than the first.
    """
    first: int | None = None
    with opened(file) as stream:
        for block in blocks(file, stream, layout):
            array = np.frombuffer(block.data, np.uint8)
            ends = row_ends(block.data, layout)
            is_feed = array[ends - 1] == LINE_FEED
            is_both = is_feed & (ends > 1) & (array[ends - 2] == CARRIAGE_RETURN)
            kinds = is_feed.astype(int) + is_both
            if first is None and len(kinds):
                first = int(kinds[0])
            if len(others := np.flatnonzero(kinds != first)):
                other = int(others[0])
                line = block.line + block.data.count(b"\n", 0, int(ends[other]) - 1)
                raise OfferbenchError(
                    f"{file}: line {line} ends in {ENDS[kinds[other]]}, the first in {ENDS[first or 0]}. "
                    "Write all ends of lines the same way, such as with dos2unix."
                )

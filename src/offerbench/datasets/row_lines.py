"""The lines of a few rows of a CSV file, found by one pass over its bytes.

DuckDB gives neither the line of a row that it can parse nor, where a quoted field holds a newline, that
of a row that it can't. It gives the place of the one among the rows and the first byte of the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offerbench.datasets.csv_blocks import Block, CsvLayout, blocks, row_ends
from offerbench.datasets.raw_files import opened


@dataclass(frozen=True)
class Row:
    """A row of a file, as it is written there."""

    line: int
    """Of its first character, from 1."""
    text: str


def find_rows(
    file: Path,
    layout: CsvLayout,
    unparsed: npt.NDArray[np.int64],
    starts: Sequence[int],
    places: Sequence[int],
) -> tuple[dict[int, Row], dict[int, Row]]:
    """Find rows of a file; reading stops when all are found.

    Parameters
    ----------
    file : Path
        A CSV file, plain or packed with gzip, that DuckDB has read to its end.
    layout : CsvLayout
        How it is written.
    unparsed : int64 array
        First bytes (from 0) of all rows that DuckDB could not parse, ascending. It counts blank lines
        before a row as part of it, and a line feed that ends the row before.
    starts : sequence of int
        Those of `unparsed` to find.
    places : sequence of int
        Numbers, from 0, of the parsed rows to find.

    Returns
    -------
    starts, places : dict of int to Row
        The rows by what was asked for.
    """
    search = _Search(unparsed, starts, places)
    with opened(file) as stream:
        for block in blocks(file, stream, layout):
            if search.is_over:
                break
            if not search.skip(block):
                search.look_into(block, row_ends(block.data, layout).tolist())
    return search.by_start, search.by_place


class _Search:
    """Counts rows and lines, and picks those that were asked for."""

    def __init__(self, unparsed: npt.NDArray[np.int64], starts: Sequence[int], places: Sequence[int]) -> None:
        self.by_start: dict[int, Row] = {}
        self.by_place: dict[int, Row] = {}
        self._unparsed = unparsed
        self._starts, self._places = set(starts), set(places)
        self._offset = 0  # of the next block
        self._parsed, self._failed = 0, 0  # rows before it

    @property
    def is_over(self) -> bool:
        return not self._starts and not self._places

    def skip(self, block: Block) -> bool:
        """Pass over a block, unless a wanted row may be in it."""
        if block.has_blank_lines:  # of which DuckDB counts those at its end as part of the next row
            return False
        # Of the newline that ends the block DuckDB may say that the next row starts there.
        before = self._offset + len(block.data) - 1
        failed = int(np.searchsorted(self._unparsed, before))
        parsed = self._parsed + block.rows - (failed - self._failed)
        if any(start < before for start in self._starts) or any(place < parsed for place in self._places):
            return False
        self._parsed, self._failed = parsed, failed
        self._offset += len(block.data)
        return True

    def look_into(self, block: Block, ends: Sequence[int]) -> None:
        """Pick the wanted rows of a block, whose rows and blank lines end at `ends`, or with the file."""
        start, line = 0, block.line
        for end in [*ends, len(block.data)]:
            text = block.data[start:end]
            if text.strip(b"\r\n"):
                self._pick(self._offset + start, Row(line, text.decode(errors="replace").rstrip("\r\n")))
            line += text.count(b"\n")
            start = end
        self._offset += len(block.data)

    def _pick(self, first_byte: int, row: Row) -> None:
        failed = int(np.searchsorted(self._unparsed, first_byte, side="right"))
        if failed == self._failed:
            if self._parsed in self._places:
                self.by_place[self._parsed] = row
                self._places.remove(self._parsed)
            self._parsed += 1
        for start in self._unparsed[self._failed : failed].tolist():
            if start in self._starts:
                self.by_start[start] = row
                self._starts.remove(start)
        self._failed = failed

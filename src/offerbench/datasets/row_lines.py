"""The lines of a few rows of a CSV file, found by one pass over its bytes.

DuckDB gives neither the line of a row that it can parse nor, where a quoted field holds a newline, that
of a row that it can't. It gives the place of the one among the rows and the first byte of the other.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from offerbench.datasets.raw_files import opened

BLOCK = 1 << 20
"""Bytes read at a time."""
# DuckDB ends a row at a carriage return too. One at the end of a block may have its line feed in the next.
NEWLINE = re.compile(rb"\r?\n|\r(?!\n|\Z)")
OPENING = re.compile(rb' *"')
REST_OF_QUOTED = re.compile(rb'[^"]*+(?:""[^"]*+)*+"')


@dataclass(frozen=True)
class CsvLayout:
    """How a CSV file is written."""

    delimiter: str
    """One character of ASCII."""
    is_quoted: bool = True
    """A field may be in double quotes, and then hold delimiters and newlines."""
    has_header: bool = True


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
        if layout.has_header:
            search.pass_over(stream.readline(), 1)
        for block, rows in _blocks(stream, layout):
            if search.is_over:
                break
            if isinstance(rows, list):
                search.look_into(block, rows)
            elif not search.skip(block, rows):
                search.look_into(block, _ends(block, layout))
    return search.by_start, search.by_place


class _Search:
    """Counts rows and lines, and picks those that were asked for."""

    def __init__(self, unparsed: npt.NDArray[np.int64], starts: Sequence[int], places: Sequence[int]) -> None:
        self.by_start: dict[int, Row] = {}
        self.by_place: dict[int, Row] = {}
        self._unparsed = unparsed
        self._starts, self._places = set(starts), set(places)
        self._offset, self._line = 0, 1  # of the next block
        self._parsed, self._failed = 0, 0  # rows before it

    @property
    def is_over(self) -> bool:
        return not self._starts and not self._places

    def pass_over(self, block: bytes, lines: int) -> None:
        """Go to the end of a block."""
        self._offset += len(block)
        self._line += lines

    def skip(self, block: bytes, rows: int) -> bool:
        """Pass over a block of as many lines as rows, unless a wanted row is in it."""
        # Of the newline that ends the block DuckDB may say that the next row starts there.
        before = self._offset + len(block) - 1
        failed = int(np.searchsorted(self._unparsed, before))
        parsed = self._parsed + rows - (failed - self._failed)
        if any(start < before for start in self._starts) or any(place < parsed for place in self._places):
            return False
        self._parsed, self._failed = parsed, failed
        self.pass_over(block, rows)
        return True

    def look_into(self, block: bytes, ends: Sequence[int]) -> None:
        """Pick the wanted rows of a block, whose rows and blank lines end at `ends`."""
        start, line = 0, self._line
        for end in ends:
            text = block[start:end]
            if text.strip(b"\r\n"):
                self._pick(self._offset + start, Row(line, text.decode(errors="replace").rstrip("\r\n")))
            line += text.count(b"\n")
            start = end
        self.pass_over(block, line - self._line)

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


def _blocks(stream: BinaryIO, layout: CsvLayout) -> Iterator[tuple[bytes, int | list[int]]]:
    """Give the file in blocks of whole rows: with their number, or with the ends of rows and blank lines."""
    rest = b""
    while data := stream.read(BLOCK):
        rest += data
        block = rest[: rest.rfind(b"\n") + 1]
        rows = _plain_rows(block, layout)
        if rows is None:
            ends = _ends(block, layout)
            block = block[: ends[-1]] if ends else b""
        rest = rest[len(block) :]
        if block:
            yield block, ends if rows is None else rows
    if rest:
        ends = _ends(rest, layout)
        yield rest, ends if ends and ends[-1] == len(rest) else [*ends, len(rest)]


def _plain_rows(block: bytes, layout: CsvLayout) -> int | None:
    """Give the number of rows of a block; None if a line of it may be no row."""
    if (layout.is_quoted and b'"' in block) or block[:1] in (b"\n", b"\r"):
        return None
    is_end = np.frombuffer(block, np.uint8) == ord("\n")
    if (is_end[1:] & is_end[:-1]).any():
        return None
    if b"\r" in block and (b"\n\r" in block or block.count(b"\r") != block.count(b"\r\n")):
        return None
    return int(np.count_nonzero(is_end))


def _ends(block: bytes, layout: CsvLayout) -> list[int]:
    """Give where the rows that end in a block do, blank lines too."""
    ends = []
    end = 0
    while (end := _end(block, end, layout)) > 0:
        ends.append(end)
    return ends


def _end(block: bytes, start: int, layout: CsvLayout) -> int:
    """Give the byte after the newline of the row that starts at `start`; 0 if it is not in the block."""
    end = _newline(block, start)
    if not layout.is_quoted or block.find(b'"', start, end or len(block)) < 0:
        return end
    delimiter = layout.delimiter.encode()
    while True:
        if opening := OPENING.match(block, start):
            closing = REST_OF_QUOTED.match(block, opening.end())
            if closing is None:
                return 0
            start = closing.end()
        end, comma = _newline(block, start), block.find(delimiter, start) + 1
        if not comma or 0 < end < comma:
            return end
        start = comma


def _newline(block: bytes, start: int) -> int:
    """Give the byte after the next end of a line; 0 if there is none in the block."""
    found = NEWLINE.search(block, start)
    return found.end() if found else 0

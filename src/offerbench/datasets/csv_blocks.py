"""A CSV file in blocks of whole rows: how many rows and lines each has, in one pass over its bytes.

A row ends as DuckDB ends it: at a line feed or carriage return outside of quotes. A quote opens a quoted
field only where a field starts, spaces before it or not; anywhere else it is text. Blank lines are no rows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from offerbench.core.errors import OfferbenchError

BLOCK = 1 << 20
"""Bytes read at a time."""
MAX_ROW = 2_000_000
"""Bytes of a row that DuckDB reads at most."""
LINE_FEED, CARRIAGE_RETURN, QUOTE, SPACE = b'\n\r" '
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class CsvLayout:
    """How a CSV file is written."""

    delimiter: str
    """Between two fields."""
    is_quoted: bool = True
    """A field may be in double quotes, and then hold delimiters and newlines."""
    has_header: bool = True


@dataclass(frozen=True)
class Block:
    """Some rows of a file, from the first byte of the first to the last byte of the last."""

    data: bytes
    line: int
    """Of its first character, from 1."""
    rows: int
    has_blank_lines: bool

    @property
    def lines(self) -> int:
        """Number of ends of lines."""
        return self.data.count(b"\n")


def blocks(file: Path, stream: BinaryIO, layout: CsvLayout) -> Iterator[Block]:
    """Give a file in blocks of whole rows; the header is one of no row.

    Parameters
    ----------
    file : Path
        Its name, for a message.
    stream : BinaryIO
        Its bytes, unpacked.
    layout : CsvLayout
        How it is written.

    Raises
    ------
    OfferbenchError
        If a quote that is never closed, or a row of more than `MAX_ROW` bytes, swallows the rows after it.
    """
    line = 1
    if layout.has_header and (header := stream.readline(MAX_ROW)):
        yield Block(header, line, 0, False)
        line += header.count(b"\n")
    rest = b""
    while data := stream.read(BLOCK):
        rest += data
        if len(ends := row_ends(rest, layout)):
            yield (block := _block(rest[: ends[-1]], line, ends))
            line += block.lines
            rest = rest[ends[-1] :]
        if len(rest) > MAX_ROW:
            raise _swallowed(file, line, "quote not closed" if b"\n" in rest else "line too long")
    if rest:
        ends = row_ends(rest, layout)
        end = int(ends[-1]) if len(ends) else 0
        if re.search(rb"[\r\n]", rest[end:].rstrip(b"\r\n")) and _is_open(rest[end:], layout):
            raise _swallowed(file, line + rest.count(b"\n", 0, end), "quote not closed")
        yield _block(rest, line, np.append(ends, len(rest)) if end < len(rest) else ends)


def _block(data: bytes, line: int, ends: Places) -> Block:
    """Give the block of the rows and blank lines that end at `ends`."""
    lengths = np.diff(ends, prepend=0)
    array = np.frombuffer(data, np.uint8)
    is_end = (array == LINE_FEED) | (array == CARRIAGE_RETURN)
    # A line of one byte is blank if that ends it, one of two if both do.
    is_blank = is_end[ends - 1] & ((lengths == 1) | ((lengths == 2) & is_end[ends - 2]))
    blank = int(np.count_nonzero(is_blank))
    return Block(data, line, len(ends) - blank, blank > 0)


def _swallowed(file: Path, line: int, what: str) -> OfferbenchError:
    return OfferbenchError(
        f"{file}: line {line}: {what}, so the rows after it can't be told apart. Close the quote or remove "
        "the line."
    )


def row_ends(data: bytes, layout: CsvLayout) -> Places:
    """Give where the rows that end in `data`, and blank lines, do: the byte after each.

    Parameters
    ----------
    data : bytes
        From the start of a row on.
    layout : CsvLayout
        How it is written.

    Returns
    -------
    intp, shape (ends,)
        Ascending.
    """
    array = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(array == LINE_FEED) + 1
    if b"\r" in data:
        returns = np.flatnonzero(array[:-1] == CARRIAGE_RETURN)  # the last one may have its line feed later
        ends = np.union1d(ends, returns[array[returns + 1] != LINE_FEED] + 1)
    if layout.is_quoted and b'"' in data:
        opening, closing = _quoted(array, layout.delimiter.encode())
        ends = ends[np.searchsorted(opening, ends) == np.searchsorted(closing, ends)]
    return ends


def _quoted(array: npt.NDArray[np.uint8], delimiter: bytes) -> tuple[Places, Places]:
    """Give the quotes that open and that close quoted text; the last one may have no end."""
    quotes = np.flatnonzero(array == QUOTE)
    starts = _follows(array, quotes, delimiter)
    opening, closing = quotes[::2], quotes[1::2]
    ends = np.isin(array[np.minimum(closing + 1, len(array) - 1)], [delimiter[0], *b'\n\r"'])
    ends |= closing == len(array) - 1
    second = np.zeros(len(opening), bool)  # the second quote of an escaped one
    second[1:] = opening[1:] == closing[: len(opening) - 1] + 1
    if ends.all() and (starts[::2] | second).all():
        return opening, closing
    return _quoted_one_by_one(quotes.tolist(), starts.tolist())


def _is_open(data: bytes, layout: CsvLayout) -> bool:
    """Tell whether `data`, from the start of a row on, ends within quotes."""
    opening, closing = _quoted(np.frombuffer(data, np.uint8), layout.delimiter.encode())
    return len(opening) > len(closing)


def _follows(array: npt.NDArray[np.uint8], places: Places, delimiter: bytes) -> npt.NDArray[np.bool_]:
    """Tell which places are at the start of a field, but for spaces."""
    before = places - 1
    while (is_space := (before >= 0) & (array[before] == SPACE)).any():
        before = before - is_space
    starts = (before < 0) | np.isin(array[before], [LINE_FEED, CARRIAGE_RETURN])
    for place in (places - 1, before):  # the delimiter may be a space
        is_delimiter = place >= len(delimiter) - 1
        for offset, byte in enumerate(reversed(delimiter)):
            is_delimiter &= array[place - offset] == byte
        starts |= is_delimiter
    return starts


def _quoted_one_by_one(quotes: list[int], starts: list[bool]) -> tuple[Places, Places]:
    """Do what `_quoted` does where some quotes are text."""
    opening, closing = [], []
    place, number = 0, len(quotes)
    while place < number:
        if starts[place]:
            opening.append(quotes[place])
            place += 1
            while place + 1 < number and quotes[place + 1] == quotes[place] + 1:
                place += 2
            if place < number:
                closing.append(quotes[place])
        place += 1
    return np.array(opening, np.intp), np.array(closing, np.intp)

"""Why DuckDB's parser gives up on a CSV file: ends of lines that are written in two ways."""

import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.raw_files import opened, readable

BLOCK = 1 << 20
END = re.compile(rb"\r\n|\n|\r")
NAMES = {b"\r\n": "CRLF", b"\n": "LF", b"\r": "CR"}


def other_line_end(file: Path) -> tuple[int, str, str] | None:
    """Find the first line that ends in another way than the first one.

    Returns
    -------
    line, end, end of the first line : int, str, str
        The number of the line, from 1; None if all end the same way.
    """
    first, lines, rest = b"", 0, b""
    with readable(file), opened(file) as stream:
        while data := stream.read(BLOCK):
            block = rest + data
            rest = b"\r" if block.endswith(b"\r") else b""  # its line feed may be in the next block
            for end in END.findall(block[: len(block) - len(rest)]):
                lines += 1
                first = first or end
                if end != first:
                    return lines, NAMES[end], NAMES[first]
    return None


def refuse_mixed_line_ends(files: Sequence[Path], error: duckdb.Error) -> None:
    """Refuse the file because of which DuckDB's parser gave up, if it is for its ends of lines.

    Parameters
    ----------
    files : sequence of Path
        CSV files.
    error : duckdb.Error
        What DuckDB said of them.

    Raises
    ------
    OfferbenchError
        Names the file and the first line that differs.
    """
    if "invalid state" not in str(error):
        return
    for file in files:
        if (found := other_line_end(file)) is not None:
            line, end, first = found
            raise OfferbenchError(
                f"{file}: line {line} ends in {end}, the first in {first}. Write all ends of lines the same "
                "way, such as with dos2unix."
            ) from None

"""Raw files, plain or packed: opened, with one clear message if that fails."""

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from offerbench.core.errors import OfferbenchError

MAX_HEADER = 1_000_000
"""Bytes of a first line that are looked at."""


def opened(file: Path) -> BinaryIO:
    """Open a file for reading; one whose name ends in `.gz` is unpacked on the way."""
    return cast(BinaryIO, gzip.open(file, "rb")) if file.suffix == ".gz" else file.open("rb")


def first_line(file: Path) -> str:
    """Give the first line of a text file without its end; bytes that are not UTF-8 are replaced.

    Raises
    ------
    OfferbenchError
        If the file can't be read or unpacked.
    """
    try:
        with opened(file) as stream:
            return stream.readline(MAX_HEADER).decode("utf-8-sig", errors="replace").rstrip("\r\n")
    except PermissionError:
        raise OfferbenchError(
            f"{file}: you have no right to read it. Give yourself the right (chmod u+r), then run it again."
        ) from None
    except IsADirectoryError:
        raise OfferbenchError(
            f"{file}: is a directory, a file is needed. Move it away and put the file there."
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise OfferbenchError(f"{file}: can't be unpacked ({error}). Fetch the file again.") from None


def existing(file: Path, hint: str) -> Path:
    """Give the file back; it is there and can be read.

    Raises
    ------
    OfferbenchError
        If it is not there, is a directory, or the user may not read it.
    """
    if not file.exists():
        raise OfferbenchError(f"{file}: no such file. {hint}")
    first_line(file)
    return file

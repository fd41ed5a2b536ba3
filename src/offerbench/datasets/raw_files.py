"""Raw files, plain or packed: opened, with one clear message if that fails."""

import gzip
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from offerbench.core.errors import OfferbenchError

MAX_HEADER = 1_000_000
"""Bytes of a first line that are looked at."""


@contextmanager
def unchanged(directory: Path) -> Iterator[None]:
    """Refuse a directory whose files are written while they are read, such as by a download.

    Parameters
    ----------
    directory : Path
        Its files, and those of directories in it, are to have the same size, time and inode afterwards, and
        none is to appear or go.

    Raises
    ------
    OfferbenchError
        Names the first file that has changed.
    """
    before = _states(directory)
    yield
    after = _states(directory)
    for file in sorted(before.keys() | after.keys()):
        if before.get(file) != after.get(file):
            raise OfferbenchError(
                f"{file}: has changed while the raw files were read. Wait until it is complete, then run it "
                "again."
            )


def _states(directory: Path) -> dict[Path, tuple[int, int, int]]:
    states = {}
    for file in directory.rglob("*"):
        with suppress(FileNotFoundError):  # a link to nowhere, or gone since it was listed
            found = file.stat()
            if not stat.S_ISDIR(found.st_mode):
                states[file] = (found.st_size, found.st_mtime_ns, found.st_ino)
    return states


def as_pattern(file: Path) -> str:
    """Give the pattern that only this file matches: DuckDB takes every name for a pattern."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(file))


def opened(file: Path, stream: BinaryIO | None = None) -> BinaryIO:
    """Open a file for reading; one whose name ends in `.gz` is unpacked on the way.

    Parameters
    ----------
    file : Path
        The file.
    stream : BinaryIO, optional
        Its bytes, if it is open.
    """
    stream = stream or file.open("rb")
    return cast(BinaryIO, gzip.open(stream, "rb")) if file.suffix.lower() == ".gz" else stream


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """Say in one line why a file can't be read or unpacked.

    Raises
    ------
    OfferbenchError
        In place of what Python raises; before it is opened for what would never end, such as a pipe.
    """
    try:
        if not stat.S_ISREG(mode := file.stat().st_mode) and not stat.S_ISDIR(mode):
            raise OfferbenchError(
                f"{file}: is a pipe, a socket or a device. Move it away, or put a file there."
            )
        yield
    except PermissionError:
        raise OfferbenchError(
            f"{file}: you have no right to read it. Give yourself the right (chmod u+r), then run it again."
        ) from None
    except IsADirectoryError:
        raise OfferbenchError(
            f"{file}: is a directory, a file is needed. Move it away and put the file there."
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        what = "unpacked" if getattr(error, "errno", None) is None else "read"
        raise OfferbenchError(f"{file}: can't be {what} ({error}). Fetch the file again.") from None


def first_line(file: Path) -> str:
    """Give the first line of a text file without its end; bytes that are not UTF-8 are replaced.

    Raises
    ------
    OfferbenchError
        If the file can't be read or unpacked.
    """
    with readable(file), opened(file) as stream:
        return stream.readline(MAX_HEADER).decode("utf-8-sig", errors="replace").rstrip("\r\n")


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

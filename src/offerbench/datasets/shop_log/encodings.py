"""CSV files of other encodings: read from copies in UTF-8, and spoken of by their own names."""

import codecs
import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

import duckdb

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.raw_files import opened, readable
from offerbench.datasets.shop_log.files import is_parquet

BLOCK = 1 << 20
"""Bytes read at a time."""


@contextmanager
def in_utf8(
    connection: duckdb.DuckDBPyConnection, directory: Path, names: Sequence[str], encoding: str
) -> Iterator[Path]:
    """Give a directory with the files in UTF-8: their own, or one of copies that is removed at the end.

    Lines stay lines, so that a message about a copy is one about the file: it names that in its place.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Says where there is room for temporary files.
    directory : Path
        Of the files.
    names : sequence of str
        Of the files that are read; Parquet files are taken as they are.
    encoding : str
        Of the CSV files.

    Raises
    ------
    OfferbenchError
        If a file is not of the encoding.
    """
    if codecs.lookup(encoding).name == "utf-8":
        yield directory
        return
    ((spill,),) = connection.sql("SELECT current_setting('temp_directory')").fetchall()
    with TemporaryDirectory(dir=Path(spill).parent, prefix="utf8-") as copies:
        for name in names:
            if is_parquet(Path(name)):
                (Path(copies) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(copies) / name).symlink_to((directory / name).resolve())
            else:
                _copy(directory / name, Path(copies) / name, encoding)
        try:
            yield Path(copies)
        except OfferbenchError as error:
            raise OfferbenchError(str(error).replace(copies, str(directory))) from None


def _copy(file: Path, copy: Path, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    at = 0
    with readable(file), opened(file) as source, _created(copy) as target:
        try:
            while data := source.read(BLOCK):
                target.write(decoder.decode(data).encode())
                at += len(data)
            target.write(decoder.decode(b"", final=True).encode())
        except UnicodeError as error:
            raise OfferbenchError(
                f"{file}: is not of custom.encoding = {encoding}: {error} after some {at:,} bytes. Set it to "
                "what the file is written in, such as utf-8, windows-1252, utf-16."
            ) from None


def _created(copy: Path) -> BinaryIO:
    if copy.suffix.lower() == ".gz":
        return cast(BinaryIO, gzip.open(copy, "wb", compresslevel=1))
    return copy.open("wb")

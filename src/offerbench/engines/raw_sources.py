"""How the raw files of a data set are cut into parts, each of which a task reads by itself."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb

from offerbench.core.atomic import temporary_directory
from offerbench.core.errors import OfferbenchError
from offerbench.datasets import custom_parts, rees46
from offerbench.datasets.canonical import ORDER, PLACE, ReadCounts, event_database
from offerbench.datasets.config import Custom
from offerbench.datasets.custom_parts import LogParts
from offerbench.datasets.shop_log.files import is_parquet
from offerbench.datasets.sources import BY_FILE, reader
from offerbench.engines.remote_files import RemoteFile, fetch_footer, fetch_remote
from offerbench.preparation.resources import Resources

PART = "_part"
"""Column of the number of an event's part."""
ROWS_OF_PART = 2_000_000
"""A part of a Parquet file ends with the row group that brings it to so many rows."""


class Source(Protocol):
    """A data set in parts; the directory of the raw files is told when it is read."""

    @property
    def names(self) -> Sequence[str]:
        """Give the names of the files."""

    @property
    def file_of_part(self) -> Sequence[int]:
        """Give for each part the number of its file; nothing if the data set is read as a whole."""

    @property
    def key(self) -> Mapping[str, str]:
        """Give what tells an event from another: name -> column of a part's events."""

    def needs(self, part: int, name: str) -> bool:
        """Say whether a part needs the file of this name."""

    def read(
        self, connection: duckdb.DuckDBPyConnection, directory: Path, part: int, repeated: Sequence[int]
    ) -> ReadCounts:
        """Make the table `events` of a part, without the events whose `PLACE` is among `repeated`."""

    def events(self, part: int) -> str:
        """Give the SQL of a part's events with the columns `PART`, `ORDER` and `PLACE`."""

    def whole(self, parts: Sequence[ReadCounts], directory: Path) -> ReadCounts:
        """Put the counts of all parts together."""


def source_of(
    dataset: str,
    directory: Path,
    custom: Custom | None,
    remote: Sequence[RemoteFile],
    resources: Resources,
) -> Source:
    """Cut a data set into parts, as far as its source can be.

    Parameters
    ----------
    dataset, custom, resources
        See `prepare_dataset`.
    directory : Path
        The raw files.
    remote : sequence of RemoteFile
        The raw files, if they are elsewhere.

    Raises
    ------
    OfferbenchError
        What the reader refuses before it reads rows.
    """
    if dataset in BY_FILE:
        return Files(tuple(file.name for file in remote or rees46.raw_files(directory)))
    if dataset == "custom" and custom is not None:
        spill = Path(resources.spill_directory)
        with (
            _footers(directory, custom, remote, spill) as here,
            event_database(spill, resources.memory_limit) as connection,
        ):
            # A remote file is fetched whole: each is a part.
            rows = sys.maxsize if remote else ROWS_OF_PART
            log = custom_parts.parts_of_log(connection, here, custom, rows, has_rows=not remote)
        if log is not None and len(log.parts) > 1:
            return RowGroups(log)
    return Whole(dataset, custom)


@contextmanager
def _footers(directory: Path, custom: Custom, remote: Sequence[RemoteFile], spill: Path) -> Iterator[Path]:
    """Give the directory of the raw files; of remote ones, one with the tables and the ends of Parquet files.

    Raises
    ------
    OfferbenchError
        What is raised in the block names the files as if they were in the raw directory.
    """
    if not remote:
        yield directory
        return
    tables = {table.file for table in custom.tables}
    with temporary_directory(spill, "remote") as temporary:
        here = temporary / directory.name
        here.mkdir()
        for file in remote:
            if file.name in tables:
                fetch_remote(file, here / file.name)
            elif is_parquet(Path(file.name)):
                fetch_footer(file, here / file.name)
            else:
                (here / file.name).touch()  # only its name is looked at
        try:
            yield here
        except OfferbenchError as error:
            raise OfferbenchError(str(error).replace(str(here), str(directory))) from None


def _by_rows(part: int) -> str:
    return (
        f"SELECT {part} AS {PART}, {part}::BIGINT AS {ORDER}, rowid AS {PLACE}, * FROM events ORDER BY rowid"
    )


@dataclass(frozen=True)
class Whole:
    """Files that belong together: one part has all of them."""

    dataset: str
    custom: Custom | None
    names: tuple[str, ...] = ()
    file_of_part: tuple[int, ...] = ()

    @property
    def key(self) -> dict[str, str]:
        """Not asked for: its reader compares the files."""
        return {}

    def needs(self, part: int, name: str) -> bool:
        """See `Source`."""
        return True

    def read(
        self, connection: duckdb.DuckDBPyConnection, directory: Path, part: int, repeated: Sequence[int]
    ) -> ReadCounts:
        """See `Source`."""
        return reader(self.dataset, self.custom)(connection, directory)

    def events(self, part: int) -> str:
        """See `Source`."""
        return _by_rows(part)

    def whole(self, parts: Sequence[ReadCounts], directory: Path) -> ReadCounts:
        """See `Source`."""
        (counts,) = parts
        return counts


@dataclass(frozen=True)
class Files:
    """CSV files of REES46's schema: each is a part."""

    names: tuple[str, ...]

    @property
    def file_of_part(self) -> range:
        """See `Source`."""
        return range(len(self.names))

    @property
    def key(self) -> dict[str, str]:
        """See `Source`."""
        return {name: name for name in rees46.EVENT_KEY}

    def needs(self, part: int, name: str) -> bool:
        """See `Source`."""
        return name == self.names[part]

    def read(
        self, connection: duckdb.DuckDBPyConnection, directory: Path, part: int, repeated: Sequence[int]
    ) -> ReadCounts:
        """See `Source`."""
        file = directory / self.names[part]
        rees46.check_header(file)
        connection.execute("SET threads = 1")  # a core of Spark
        return rees46.read_file(connection, file, repeated)

    def events(self, part: int) -> str:
        """See `Source`."""
        return _by_rows(part)

    def whole(self, parts: Sequence[ReadCounts], directory: Path) -> ReadCounts:
        """See `Source`."""
        return rees46.whole(parts, directory)


@dataclass(frozen=True)
class RowGroups:
    """A shop's own log in Parquet: some row groups of a file are a part."""

    log: LogParts

    @property
    def names(self) -> tuple[str, ...]:
        """See `Source`."""
        return self.log.names

    @property
    def file_of_part(self) -> list[int]:
        """See `Source`."""
        return [part.file for part in self.log.parts]

    @property
    def key(self) -> dict[str, str]:
        """See `Source`."""
        return custom_parts.key_of(self.log.custom)

    def needs(self, part: int, name: str) -> bool:
        """See `Source`."""
        tables = (table.file for table in self.log.custom.tables)
        return name in (self.log.parts[part].name, *tables)

    def read(
        self, connection: duckdb.DuckDBPyConnection, directory: Path, part: int, repeated: Sequence[int]
    ) -> ReadCounts:
        """See `Source`."""
        connection.execute("SET threads = 1")  # a core of Spark
        return custom_parts.read_part(connection, directory, self.log, part, repeated)

    def events(self, part: int) -> str:
        """See `Source`."""
        return f"SELECT {part} AS {PART}, * FROM events ORDER BY rowid"

    def whole(self, parts: Sequence[ReadCounts], directory: Path) -> ReadCounts:
        """See `Source`."""
        return custom_parts.whole(parts, self.log.custom, directory)

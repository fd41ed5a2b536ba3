"""A raw file -> canonical events in Parquet: the task of Spark, which runs the one machine's own reader."""

import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
from pydantic import TypeAdapter

from offerbench.core.atomic import temporary_directory
from offerbench.core.command import machine_fault
from offerbench.core.errors import OfferbenchError
from offerbench.datasets import rees46
from offerbench.datasets.canonical import ReadCounts, event_database, literal
from offerbench.datasets.config import Custom
from offerbench.datasets.sources import reader
from offerbench.engines.exchange import Exchange, Written, attempt_name
from offerbench.engines.remote_files import RemoteFile, fetch_remote
from offerbench.preparation.resources import Resources

FILE, PLACE = "_file", "_place"
"""Number of an event's file, and its row among the events of it: their order is that of one machine. No
column of a data set begins with an underscore."""
READ = "number INT, part STRING, error STRING"
ROW = pa.schema([("number", pa.int32()), ("part", pa.string()), ("error", pa.string())])


@dataclass(frozen=True)
class RawFiles:
    """What a task is told."""

    dataset: str
    directory: Path
    """The raw files."""
    files: tuple[Path, ...]
    """Those that are read one by one; empty if the data set is read as a whole."""
    remote: tuple[RemoteFile, ...]
    """Where the raw files are, if they are elsewhere: a task fetches what it reads."""
    custom: Custom | None
    events: Exchange
    """Gets the events."""
    resources: Resources


@dataclass(frozen=True)
class Part:
    """What a task found."""

    events: Written
    """Parquet file of the events."""
    days: tuple[int, int] | None
    """First and last day; None without an event."""
    counts: ReadCounts


PARTS = TypeAdapter(Part)


def read_parts(batches: Iterable[pa.RecordBatch], told: RawFiles) -> Iterator[pa.RecordBatch]:
    """Read the files that rows of `number` and `repeated` name: the task itself, run by a worker of Spark.

    Yields
    ------
    pyarrow.RecordBatch
        A row of `READ` for each; what the reader refuses is no failure of the task.

    Raises
    ------
    OfferbenchError
        If the machine fails it, or can't leave its events: Spark tries another.
    """
    for batch in batches:
        for row in batch.to_pylist():
            found = {"number": row["number"], "part": None, "error": None}
            with told.events.drafts() as drafts:
                target = drafts / (attempt_name(f"{row['number']:05}") + ".parquet")
                try:
                    days, counts = _read_part(row["number"], row["repeated"], told, target)
                except OfferbenchError as error:
                    found["error"] = str(error)
                except Exception as error:
                    if (fault := machine_fault(error)) is None:
                        raise
                    raise OfferbenchError(f"{socket.gethostname()}: {fault}") from None
                else:
                    part = Part(told.events.leave(target), days, counts)
                    found["part"] = PARTS.dump_json(part).decode()
            yield pa.RecordBatch.from_pylist([found], ROW)


def _read_part(
    number: int, repeated: Sequence[int], told: RawFiles, target: Path
) -> tuple[tuple[int, int] | None, ReadCounts]:
    """Write the events of a file to `target`; give their first and last day, and what was counted."""
    spill = Path(told.resources.spill_directory)
    with (
        _raw_directory(number, told) as directory,
        event_database(spill, told.resources.memory_limit) as connection,
    ):
        if told.files:
            connection.execute("SET threads = 1")  # a core of Spark
            counts = rees46.read_file(connection, directory / told.files[number].name, repeated)
        else:
            counts = reader(told.dataset, told.custom)(connection, directory)
        rejects = tuple(
            replace(reject, file=reject.file.replace(str(directory), str(told.directory)))
            for reject in counts.rejects
        )
        ((first, last),) = connection.sql("SELECT min(day), max(day) FROM events").fetchall()
        connection.execute(
            f"COPY (SELECT {number}::INTEGER AS {FILE}, rowid AS {PLACE}, * FROM events ORDER BY rowid) "
            f"TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)"
        )
    return None if first is None else (first, last), replace(counts, rejects=rejects)


@contextmanager
def _raw_directory(number: int, told: RawFiles) -> Iterator[Path]:
    """Give the directory that has the raw files, fetched if they are elsewhere: one, or all of them.

    Raises
    ------
    OfferbenchError
        What is raised in the block names the files as if they were in the raw directory.
    """
    if not told.remote:
        yield told.directory
        return
    with temporary_directory(Path(told.resources.spill_directory), "remote") as temporary:
        directory = temporary / told.directory.name
        for file in [told.remote[number]] if told.files else told.remote:
            fetch_remote(file, directory / file.name)
        try:
            if told.files:
                rees46.raw_files(directory)
            yield directory
        except OfferbenchError as error:
            raise OfferbenchError(str(error).replace(str(directory), str(told.directory))) from None

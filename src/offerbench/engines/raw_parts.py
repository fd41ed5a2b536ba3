"""A part of the raw files -> canonical events in Parquet: the task, by the one machine's own reader."""

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
from offerbench.datasets.canonical import ReadCounts, event_database, literal
from offerbench.engines.exchange import Exchange, Written, attempt_name
from offerbench.engines.raw_sources import Source
from offerbench.engines.remote_files import RemoteFile, fetch_remote
from offerbench.preparation.resources import Resources

READ = "number INT, part STRING, error STRING"
ROW = pa.schema([("number", pa.int32()), ("part", pa.string()), ("error", pa.string())])


@dataclass(frozen=True)
class RawFiles:
    """What a task is told."""

    source: Source
    directory: Path
    """The raw files."""
    remote: tuple[RemoteFile, ...]
    """Where the raw files are, if they are elsewhere: a task fetches what it reads."""
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
    """Read the parts that rows of `number` and `repeated` name: the task itself, run by a worker of Spark.

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
    """Write the events of a part to `target`; give their first and last day, and what was counted."""
    spill = Path(told.resources.spill_directory)
    with (
        _raw_directory(number, told) as directory,
        event_database(spill, told.resources.memory_limit) as connection,
    ):
        counts = told.source.read(connection, directory, number, repeated)
        rejects = tuple(
            replace(reject, file=reject.file.replace(str(directory), str(told.directory)))
            for reject in counts.rejects
        )
        ((first, last),) = connection.sql("SELECT min(day), max(day) FROM events").fetchall()
        events = told.source.events(number)
        connection.execute(f"COPY ({events}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)")
    return None if first is None else (first, last), replace(counts, rejects=rejects)


@contextmanager
def _raw_directory(number: int, told: RawFiles) -> Iterator[Path]:
    """Give the directory that has the raw files, those that the part needs fetched if they are elsewhere.

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
        for file in told.remote:
            if told.source.needs(number, file.name):
                fetch_remote(file, directory / file.name)
        try:
            yield directory
        except OfferbenchError as error:
            raise OfferbenchError(str(error).replace(str(directory), str(told.directory))) from None

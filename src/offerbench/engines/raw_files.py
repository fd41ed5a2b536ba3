"""Raw files -> canonical events in Parquet by tasks of Spark, which run the one machine's own reader."""

import secrets
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import TypeAdapter

from offerbench.core.atomic import temporary_directory
from offerbench.core.command import machine_fault
from offerbench.core.errors import OfferbenchError
from offerbench.datasets import rees46
from offerbench.datasets.canonical import ReadCounts, event_database, identifier, literal
from offerbench.datasets.config import Custom
from offerbench.datasets.repeated_events import settle_repeated_events
from offerbench.datasets.sources import BY_FILE, reader
from offerbench.engines.remote_files import RemoteFile, fetch_remote, read_listing
from offerbench.preparation.resources import Resources

FILE, PLACE = "_file", "_place"
"""Number of an event's file, and its row among the events of it: their order is that of one machine. No
column of a data set begins with an underscore."""
READ = "number INT, path STRING, first INT, last INT, counts STRING, error STRING"
ROW = pa.schema(
    [
        *(("number", pa.int32()), ("path", pa.string()), ("first", pa.int32()), ("last", pa.int32())),
        *(("counts", pa.string()), ("error", pa.string())),
    ]
)
COUNTS = TypeAdapter(ReadCounts)


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
    events: Path
    """Gets the events."""
    resources: Resources


@dataclass(frozen=True)
class Part:
    """What a task found."""

    path: str
    """Parquet file of the events."""
    days: tuple[int, int] | None
    """First and last day; None without an event."""
    counts: ReadCounts


def read_raw_files(
    session: Any, dataset: str, raw_directory: Path, custom: Custom | None, work: Path, resources: Resources
) -> tuple[ReadCounts, list[str]]:
    """Read the raw files of a data set, each as a task if the source can be read file by file.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        The session.
    dataset, raw_directory, custom, resources
        See `prepare_dataset`.
    work : Path
        A directory that all machines see.

    Returns
    -------
    read : ReadCounts
        As the one machine's reader counts.
    events : list of str
        Parquet files of the canonical events, with the columns `FILE` and `PLACE`.

    Raises
    ------
    OfferbenchError
        What the reader refuses.
    """
    remote = tuple(read_listing(raw_directory))
    files: tuple[Path, ...] = ()
    if dataset in BY_FILE:
        found = [raw_directory / file.name for file in remote] or rees46.raw_files(raw_directory)
        files = tuple(found)
    told = RawFiles(dataset, raw_directory, files, remote, custom, work / "events", resources)
    told.events.mkdir()
    if not files:
        (part,) = _run(session, told, {0: ()}).values()
        return part.counts, [part.path]
    parts = _run(session, told, dict.fromkeys(range(len(files)), ()))
    if repeated := _repeated_events(parts, told):
        parts |= _run(session, told, repeated)
    in_order = [parts[number] for number in range(len(files))]
    return rees46.whole([part.counts for part in in_order], raw_directory), [part.path for part in in_order]


def _run(session: Any, told: RawFiles, repeated: Mapping[int, Sequence[int]]) -> dict[int, Part]:
    """Read files by their numbers, without their events of these numbers.

    Raises
    ------
    OfferbenchError
        What the reader refuses of the first file that is refused.
    """
    rows = [(task, number, list(events)) for task, (number, events) in enumerate(repeated.items())]
    tasks = session.createDataFrame(rows, "task INT, number INT, repeated ARRAY<BIGINT>")
    read = partial(read_parts, told=_absolute(told))
    done = tasks.repartitionById(len(rows), "task").mapInArrow(read, READ)
    parts = {}
    for row in sorted(done.collect(), key=lambda row: int(row.number)):
        if row.error is not None:
            raise OfferbenchError(_as_given(row.error, told))
        counts = COUNTS.validate_json(row.counts)
        rejects = tuple(replace(reject, file=_as_given(reject.file, told)) for reject in counts.rejects)
        days = None if row.first is None else (row.first, row.last)
        parts[int(row.number)] = Part(row.path, days, replace(counts, rejects=rejects))
    return parts


def _absolute(told: RawFiles) -> RawFiles:
    """Name the raw files as tasks see them, which run in directories of their own."""
    return replace(
        told, directory=told.directory.absolute(), files=tuple(file.absolute() for file in told.files)
    )


def _as_given(text: str, told: RawFiles) -> str:
    """Name the raw files as the user does."""
    return text.replace(str(told.directory.absolute()), str(told.directory))


def read_parts(batches: Iterable[pa.RecordBatch], told: RawFiles) -> Iterator[pa.RecordBatch]:
    """Read the files that rows of `number` and `repeated` name: the task itself, run by a worker of Spark.

    Yields
    ------
    pyarrow.RecordBatch
        A row of `READ` for each; what the reader refuses is no failure of the task.
    """
    for batch in batches:
        for row in batch.to_pylist():
            found = {"number": row["number"]} | dict.fromkeys(("path", "first", "last", "counts", "error"))
            try:
                found |= _read_part(row["number"], row["repeated"], told)
            except OfferbenchError as error:
                found["error"] = str(error)
            except Exception as error:
                if (fault := machine_fault(error)) is None:
                    raise
                raise OfferbenchError(f"{socket.gethostname()}: {fault}") from None  # Spark tries another
            yield pa.RecordBatch.from_pylist([found], ROW)


def _read_part(number: int, repeated: Sequence[int], told: RawFiles) -> dict[str, Any]:
    target = told.events / f"{number:05}-{secrets.token_hex(4)}.parquet"  # of this attempt alone
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
    told_of = COUNTS.dump_json(replace(counts, rejects=rejects)).decode()
    return {"path": str(target), "first": first, "last": last, "counts": told_of}


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


def _repeated_events(parts: Mapping[int, Part], told: RawFiles) -> dict[int, list[int]]:
    """Give the numbers of the events that an earlier file has too, by file, as one machine settles them.

    Raises
    ------
    OfferbenchError
        If two files hold the same events of more than their border day.
    """
    suspects = sorted(
        {
            number
            for (one, of_one), (other, of_other) in combinations(parts.items(), 2)
            if of_one.days is not None and of_other.days is not None
            if max(of_one.days[0], of_other.days[0]) <= min(of_one.days[1], of_other.days[1])
            for number in (one, other)
        }
    )
    if not suspects:
        return {}
    key = ", ".join(identifier(name) for name in rees46.EVENT_KEY)
    resources = told.resources
    with event_database(Path(resources.spill_directory), resources.memory_limit) as connection:
        connection.execute(
            f"""
            CREATE TABLE staged AS
            SELECT {FILE} AS file, {PLACE} AS place, {key}, NULL::VARCHAR AS fault, '' AS fault_text
            FROM read_parquet($paths) ORDER BY {FILE}, {PLACE}
            """,
            {"paths": [parts[number].path for number in suspects]},
        )
        settle_repeated_events(connection, told.files, rees46.EVENT_KEY)
        found = connection.sql(
            "SELECT file, list(place ORDER BY place) FROM staged WHERE fault IS NOT NULL GROUP BY 1"
        )
        return dict(found.fetchall())

"""Raw files -> canonical events in Parquet by tasks of Spark, and what the driver makes of their answers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.canonical import PLACE, ReadCounts, event_database, identifier
from offerbench.datasets.config import Custom
from offerbench.datasets.raw_files import as_pattern
from offerbench.datasets.repeated_events import settle_repeated_events
from offerbench.engines.exchange import Exchange, Written
from offerbench.engines.raw_parts import PARTS, READ, Part, RawFiles, read_parts
from offerbench.engines.raw_sources import PART, Source, source_of
from offerbench.engines.remote_files import read_listing
from offerbench.preparation.resources import Resources


def read_raw_files(
    session: Any,
    dataset: str,
    raw_directory: Path,
    custom: Custom | None,
    work: Exchange,
    resources: Resources,
) -> tuple[ReadCounts, list[Written]]:
    """Read the raw files of a data set, each part as a task if its source can be cut into parts.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        The session.
    dataset, raw_directory, custom, resources
        See `prepare_dataset`.
    work : Exchange
        The directory of the run.

    Returns
    -------
    read : ReadCounts
        As the one machine's reader counts.
    events : list of Written
        Parquet files of the canonical events, with the columns `PART`, `ORDER` and `PLACE`; of users
        that are texts, these.

    Raises
    ------
    OfferbenchError
        What the reader refuses.
    """
    remote = tuple(read_listing(raw_directory))
    source = source_of(dataset, raw_directory, custom, remote, resources)
    told = RawFiles(source, raw_directory, remote, work.inside("events"), resources)
    parts = _run(session, told, dict.fromkeys(range(max(len(source.file_of_part), 1)), ()))
    if repeated := _repeated_events(parts, told):
        parts |= _run(session, told, repeated)
    in_order = [parts[number] for number in sorted(parts)]
    counts = source.whole([part.counts for part in in_order], raw_directory)
    return counts, [part.events for part in in_order]


def _run(session: Any, told: RawFiles, repeated: Mapping[int, Sequence[int]]) -> dict[int, Part]:
    """Read parts by their numbers, without their events of these places.

    Raises
    ------
    OfferbenchError
        What the reader refuses of the first part that is refused.
    """
    rows = [(task, number, list(events)) for task, (number, events) in enumerate(repeated.items())]
    tasks = session.createDataFrame(rows, "task INT, number INT, repeated ARRAY<BIGINT>")
    read = partial(read_parts, told=_absolute(told))
    done = tasks.repartitionById(len(rows), "task").mapInArrow(read, READ)
    parts = {}
    for row in sorted(done.collect(), key=lambda row: int(row.number)):
        if row.error is not None:
            raise OfferbenchError(_as_given(row.error, told))
        part = PARTS.validate_json(row.part)
        rejects = tuple(replace(reject, file=_as_given(reject.file, told)) for reject in part.counts.rejects)
        parts[int(row.number)] = replace(part, counts=replace(part.counts, rejects=rejects))
    return parts


def _absolute(told: RawFiles) -> RawFiles:
    """Name the raw files as tasks see them, which run in directories of their own."""
    return replace(told, directory=told.directory.absolute())


def _as_given(text: str, told: RawFiles) -> str:
    """Name the raw files as the user does."""
    return text.replace(str(told.directory.absolute()), str(told.directory))


def _repeated_events(parts: Mapping[int, Part], told: RawFiles) -> dict[int, list[int]]:
    """Give the places of the events that an earlier file has too, by part, as one machine settles them.

    Raises
    ------
    OfferbenchError
        If two files hold the same events of more than their border day.
    """
    source, resources = told.source, told.resources
    days = _days_of_files(parts, source)
    suspects = {
        file
        for one, other in combinations(days, 2)
        if max(days[one][0], days[other][0]) <= min(days[one][1], days[other][1])
        for file in (one, other)
    }
    numbers = [number for number, file in enumerate(source.file_of_part) if file in suspects]
    if not numbers:
        return {}
    key = ", ".join(f"{identifier(column)} AS {identifier(name)}" for name, column in source.key.items())
    with (
        told.events.fetched([parts[number].events for number in numbers]) as files,
        event_database(Path(resources.spill_directory), resources.memory_limit) as connection,
    ):
        connection.execute(
            f"""
            CREATE TABLE staged AS
            SELECT $files[{PART} + 1] AS file, {PART}, {PLACE}, {key},
                   NULL::VARCHAR AS fault, '' AS fault_text
            FROM read_parquet($paths) ORDER BY file, {PLACE}
            """,
            {"files": list(source.file_of_part), "paths": [as_pattern(file) for file in files]},
        )
        settle_repeated_events(connection, [told.directory / name for name in source.names], [*source.key])
        found = connection.sql(
            f"SELECT {PART}, list({PLACE} ORDER BY {PLACE}) FROM staged WHERE fault IS NOT NULL GROUP BY 1"
        )
        return dict(found.fetchall())


def _days_of_files(parts: Mapping[int, Part], source: Source) -> dict[int, tuple[int, int]]:
    """Give the first and last day of each file that has an event."""
    found: dict[int, tuple[int, int]] = {}
    for number, file in enumerate(source.file_of_part):
        if (days := parts[number].days) is not None:
            first, last = found.get(file, days)
            found[file] = min(first, days[0]), max(last, days[1])
    return found

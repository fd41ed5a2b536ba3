"""Raw files -> canonical events in Parquet by tasks of Spark, and what the driver makes of their answers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import rees46
from offerbench.datasets.canonical import ReadCounts, event_database, identifier
from offerbench.datasets.config import Custom
from offerbench.datasets.repeated_events import settle_repeated_events
from offerbench.datasets.sources import BY_FILE
from offerbench.engines.exchange import Exchange, Written
from offerbench.engines.raw_parts import FILE, PARTS, PLACE, READ, Part, RawFiles, read_parts
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
    """Read the raw files of a data set, each as a task if the source can be read file by file.

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
    told = RawFiles(dataset, raw_directory, files, remote, custom, work.inside("events"), resources)
    if not files:
        (part,) = _run(session, told, {0: ()}).values()
        return part.counts, [part.events]
    parts = _run(session, told, dict.fromkeys(range(len(files)), ()))
    if repeated := _repeated_events(parts, told):
        parts |= _run(session, told, repeated)
    in_order = [parts[number] for number in range(len(files))]
    return rees46.whole([part.counts for part in in_order], raw_directory), [part.events for part in in_order]


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
        part = PARTS.validate_json(row.part)
        rejects = tuple(replace(reject, file=_as_given(reject.file, told)) for reject in part.counts.rejects)
        parts[int(row.number)] = replace(part, counts=replace(part.counts, rejects=rejects))
    return parts


def _absolute(told: RawFiles) -> RawFiles:
    """Name the raw files as tasks see them, which run in directories of their own."""
    return replace(
        told, directory=told.directory.absolute(), files=tuple(file.absolute() for file in told.files)
    )


def _as_given(text: str, told: RawFiles) -> str:
    """Name the raw files as the user does."""
    return text.replace(str(told.directory.absolute()), str(told.directory))


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
    with (
        told.events.fetched([parts[number].events for number in suspects]) as files,
        event_database(Path(resources.spill_directory), resources.memory_limit) as connection,
    ):
        connection.execute(
            f"""
            CREATE TABLE staged AS
            SELECT {FILE} AS file, {PLACE} AS place, {key}, NULL::VARCHAR AS fault, '' AS fault_text
            FROM read_parquet($paths) ORDER BY {FILE}, {PLACE}
            """,
            {"paths": [str(file) for file in files]},
        )
        settle_repeated_events(connection, told.files, rees46.EVENT_KEY)
        found = connection.sql(
            "SELECT file, list(place ORDER BY place) FROM staged WHERE fault IS NOT NULL GROUP BY 1"
        )
        return dict(found.fetchall())

"""Histories built in shards of users, and the shards put together to the files of one machine."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import TypeAdapter

from offerbench.core.columns import HISTORY, bag, user_feature, window
from offerbench.core.tables import ArrowColumns, read_arrow
from offerbench.engines.exchange import Exchange, Written, attempt_name
from offerbench.preparation.config import Prepare
from offerbench.preparation.encoding import whole_user_chunks
from offerbench.preparation.events import Built
from offerbench.preparation.tables import build_tables

SHARD_NUMBER = "_shard"
"""Column of a shard's number, which its events have beside their own columns."""
SHARD = "number INT, shard STRING"
ROW = pa.schema([("number", pa.int32()), ("shard", pa.string())])
EVENTS, HISTORIES = "target_events.arrow", "histories.arrow"


@dataclass(frozen=True)
class Shard:
    """What a task has built."""

    files: dict[str, Written]
    """Its files, of this attempt alone."""
    built: Built
    """What they hold."""


SHARDS = TypeAdapter(Shard)


def build_shards(
    batches: Iterable[pa.RecordBatch], directory: Exchange, prepare: Prepare, events_per_chunk: int
) -> Iterator[pa.RecordBatch]:
    """Build the tables of whole shards: the task itself, run by a worker of Spark.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Encoded events, sorted by (shard, user, day, file order).
    directory : Exchange
        Gets a directory for each shard.
    prepare, events_per_chunk
        See `build_tables` and `whole_user_chunks`.

    Yields
    ------
    pyarrow.RecordBatch
        A row of `SHARD` for each.
    """
    for number, of_shard in by_shard(batches):
        own = directory.inside(attempt_name(f"{number:05}"))
        with own.drafts() as drafts:
            chunks = whole_user_chunks(of_shard, prepare.offer_features, events_per_chunk)
            built = build_tables(chunks, drafts, prepare)
            shard = Shard({file.name: own.leave(file) for file in sorted(drafts.iterdir())}, built)
        row = {"number": number, "shard": SHARDS.dump_json(shard).decode()}
        yield pa.RecordBatch.from_pylist([row], ROW)


def by_shard(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, Iterator[pa.RecordBatch]]]:
    """Split events, sorted by shard, into the shards' own.

    Yields
    ------
    int, iterator of pyarrow.RecordBatch
        Number of a shard and its events. They are to be read before the next shard is asked for.
    """
    pieces = (piece for batch in batches for piece in _pieces(batch))
    for number, of_shard in groupby(pieces, key=lambda piece: piece[0]):
        yield number, (batch for _, batch in of_shard)


def _pieces(batch: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Cut a batch where the shard changes."""
    numbers = batch.column(SHARD_NUMBER).to_numpy()
    starts = np.flatnonzero(np.concatenate([np.ones(min(len(numbers), 1), bool), np.diff(numbers) != 0]))
    for start, stop in pairwise([*starts.tolist(), len(numbers)]):
        yield int(numbers[start]), batch.slice(start, stop - start)


def assemble(shards: Sequence[Shard], exchange: Exchange, directory: Path, prepare: Prepare) -> Built:
    """Write the tables of all users: the bytes that one machine writes.

    A shard counts its rows from 0. In the whole they begin where those of the earlier shards end.

    Parameters
    ----------
    shards : sequence of Shard
        In the order of their users.
    exchange : Exchange
        Has their files.
    directory : Path
        Gets the files.
    prepare : Prepare
        Parameters of the shards.

    Raises
    ------
    OfferbenchError
        If a file of a shard is gone or is not as its task left it.
    """
    files = {name: ArrowColumns(directory / name) for name in shards[0].files}
    rows = dict.fromkeys(files, 0)  # of the earlier shards
    bags = {
        bag(name)[0]: f"bag_{name}.arrow"
        for event_type in prepare.history.events
        for name in (user_feature(event_type, feature) for feature in prepare.offer_features)
    }
    starts = {window(prepare.target_event)[0]: EVENTS, **bags}
    for shard in shards:
        with exchange.fetched([shard.files[name] for name in files]) as paths:
            tables = {name: read_arrow(path) for name, path in zip(files, paths, strict=True)}
            events, histories = tables[EVENTS], tables[HISTORIES]
            events[HISTORY] = (events[HISTORY] + rows[HISTORIES]).astype(np.int32)
            for column, name in starts.items():
                histories[column] = histories[column] + rows[name]
            for name, columns in tables.items():
                files[name].append(columns)
                rows[name] += len(next(iter(columns.values())))
    for file in files.values():
        file.close()
    return _merged([shard.built for shard in shards])


def _merged(parts: Sequence[Built]) -> Built:
    """Add what the shards hold: no user is in two of them."""
    return Built(
        kept=sum(part.kept for part in parts),
        days=frozenset().union(*(part.days for part in parts)),
        target_events=sum(part.target_events for part in parts),
        contexts=sum(part.contexts for part in parts),
        histories=sum(part.histories for part in parts),
    )

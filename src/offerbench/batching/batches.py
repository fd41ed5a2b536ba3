"""Batches of a pass, and what a model looks up for one of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offerbench.batching.config import Rebatch
from offerbench.batching.sampling import draw_batches
from offerbench.core.atomic import atomic_file
from offerbench.core.columns import BATCH, DAY, EVENT, HISTORY, USER, Split
from offerbench.core.distinct import distinct
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import BATCHES_DIRECTORY
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.core.tables import ArrowColumns, read_arrow
from offerbench.preparation.prepared import BagStore, PreparedData

Labels = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Bag:
    """The bags of one feature for some histories or offers, one after the other."""

    values: Labels
    """Labels. Shape (values,)."""
    segments: Labels
    """Which bag each value belongs to, ascending. Shape (values,)."""
    weights: npt.NDArray[np.float32] | None = None
    """Weight of each value, as in `BagStore`. Shape (values,)."""
    labels: Labels | None = None
    """What values are places in, if they are no labels themselves; see `Share.take`. Shape (labels,)."""


@dataclass(frozen=True)
class Batch:
    """What a model looks up for B events that see V distinct histories."""

    bags: dict[str, Bag]
    """For each user feature, V bags of distinct values."""
    history_of_event: Labels
    """Which of the V histories each event sees. Shape (B,)."""
    offer_values: dict[str, Labels]
    """For each offer feature, its distinct labels. Shape (n,)."""
    offer_rows: dict[str, Labels]
    """For each offer feature, which of its labels each event has. Shape (B,)."""


def gather_bags(store: BagStore, histories: Rows) -> Bag:
    """Collect the bags of some histories.

    Parameters
    ----------
    store : BagStore
        Bags of all histories.
    histories : int64, shape (V,)
        Rows of the histories.
    """
    length = store.length[histories]
    rows = concatenated_ranges(store.start[histories], length)
    return Bag(
        values=store.values[rows],
        segments=np.repeat(np.arange(len(histories), dtype=np.int32), length),
        weights=None if store.weights is None else store.weights[rows],
    )


def make_batch(data: PreparedData, rows: Rows, offer_features: list[str]) -> Batch:
    """Look a batch up: each distinct history and value once, however many events share it.

    Parameters
    ----------
    data : PreparedData
        The data set.
    rows : int64, shape (B,)
        Rows of target events.
    offer_features : list of str
        Those that the model sees.
    """
    histories, history_of_event = distinct(data.events[HISTORY][rows])
    offer_values, offer_rows = {}, {}
    for feature in offer_features:
        values, row_of_event = distinct(data.events[feature][rows])
        offer_values[feature], offer_rows[feature] = values, row_of_event.astype(np.int32)
    return Batch(
        bags={name: gather_bags(store, histories.astype(np.int64)) for name, store in data.bags.items()},
        history_of_event=history_of_event.astype(np.int32),
        offer_values=offer_values,
        offer_rows=offer_rows,
    )


def drop_history(batch: Batch, rate: float, generator: np.random.Generator) -> Batch:
    """Leave out a random share of the values of each history.

    Parameters
    ----------
    batch : Batch
        The batch.
    rate : float
        Chance of each value to be left out.
    generator : numpy.random.Generator
        Source of the draws.
    """
    if not rate:
        return batch
    bags = {}
    for name, bag in batch.bags.items():
        kept = np.flatnonzero(generator.random(len(bag.values), np.float32) >= rate)
        weights = None if bag.weights is None else bag.weights[kept]
        bags[name] = Bag(values=bag.values[kept], segments=bag.segments[kept], weights=weights)
    return replace(batch, bags=bags)


def pass_generator(rebatch: Rebatch, split: Split, epoch: int = 0) -> np.random.Generator:
    """Source of the draws of one pass over a split: the same for every model."""
    return np.random.default_rng([rebatch.seed, int(split), epoch])


def draw_pass(data: PreparedData, split: Split, rebatch: Rebatch, epoch: int = 0) -> Iterator[Rows]:
    """Draw the batches of one pass over a split.

    Yields
    ------
    int64, shape (batch_size,)
        Rows of the target events of a batch, sorted by day.
    """
    for group in draw_batches(
        data.user_rows[split],
        data.events[USER],
        data.events[DAY],
        rebatch,
        pass_generator(rebatch, split, epoch),
    ):
        yield from group


def write_batches(target: Path, batches: Iterable[Rows]) -> int:
    """Write batches that are drawn once: columns batch and event (row of target_events.arrow).

    Returns
    -------
    int
        Number of batches.
    """
    count = 0
    with atomic_file(target) as temporary:
        file = ArrowColumns(temporary)
        try:
            for rows in batches:
                file.append({BATCH: np.full(len(rows), count, np.int32), EVENT: rows})
                count += 1
            file.close()
        finally:
            file.discard()
    return count


def batches_file(split: Split) -> Path:
    """File of the batches of a split that are drawn once."""
    return BATCHES_DIRECTORY / f"{split.part}.arrow"


def read_batches(source: Path, batch_size: int) -> Rows:
    """Map batches that `write_batches` wrote.

    Returns
    -------
    int64, shape (batches, batch_size)

    Raises
    ------
    OfferbenchError
        If the file is missing, or its batches are not of `batch_size` events.
    """
    events = read_arrow(source)[EVENT]
    if len(events) % batch_size:
        raise OfferbenchError(
            f"{source}: its batches are not of {batch_size} events. Run `dvc repro rebatch`."
        )
    return events.reshape(-1, batch_size)

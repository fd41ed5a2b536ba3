"""Batches of a pass, and what a model looks up for one of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offerbench.batching.prepared import BagStore, PreparedData
from offerbench.batching.sampling import Rows, concatenated_ranges, draw_batches
from offerbench.errors import OfferbenchError
from offerbench.params.rebatch import Rebatch
from offerbench.schema import BATCH, DAY, EVENT, USER, VIEW, Split
from offerbench.storage import ArrowColumns, read_arrow, whole_file

Labels = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Bag:
    """The bags of one feature for some views or offers, one after the other."""

    values: Labels
    """Labels. Shape (values,)."""
    segments: Labels
    """Which bag each value belongs to, ascending. Shape (values,)."""
    weights: npt.NDArray[np.float32] | None = None
    """Weight of each value, as in `BagStore`. Shape (values,)."""


@dataclass(frozen=True)
class Batch:
    """What a model looks up for B events that see V distinct histories."""

    bags: dict[str, Bag]
    """For each user feature, V bags of distinct values."""
    view_of_event: Labels
    """Which of the V histories each event sees. Shape (B,)."""
    offer_values: dict[str, Labels]
    """For each offer feature, its distinct labels. Shape (n,)."""
    offer_rows: dict[str, Labels]
    """For each offer feature, which of its labels each event has. Shape (B,)."""


def gather_bags(store: BagStore, views: Rows) -> Bag:
    """Collect the bags of some views.

    Parameters
    ----------
    store : BagStore
        Bags of all views.
    views : int64, shape (V,)
        Rows of the views.
    """
    length = store.length[views]
    rows = concatenated_ranges(store.start[views], length)
    return Bag(
        values=store.values[rows],
        segments=np.repeat(np.arange(len(views), dtype=np.int32), length),
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
    views, view_of_event = np.unique(data.events[VIEW][rows], return_inverse=True)
    offer_values, offer_rows = {}, {}
    for feature in offer_features:
        values, row_of_event = np.unique(data.events[feature][rows], return_inverse=True)
        offer_values[feature], offer_rows[feature] = values, row_of_event.astype(np.int32)
    return Batch(
        bags={name: gather_bags(store, views.astype(np.int64)) for name, store in data.bags.items()},
        view_of_event=view_of_event.astype(np.int32),
        offer_values=offer_values,
        offer_rows=offer_rows,
    )


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
    with whole_file(target) as temporary:
        file = ArrowColumns(temporary)
        try:
            for rows in batches:
                file.append({BATCH: np.full(len(rows), count, np.int32), EVENT: rows})
                count += 1
            file.close()
        finally:
            file.discard()
    return count


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

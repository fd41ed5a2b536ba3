"""The prepared data set, mapped into memory."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.core.columns import DAY, HISTORY, SPLIT, USER, VALUE, WEIGHT, Split, bag, window
from offerbench.core.json_files import read_json
from offerbench.core.paths import history_events_file
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.core.tables import read_arrow, read_parquet
from offerbench.preparation.config import History


@dataclass(frozen=True)
class BagStore:
    """The bags of one user feature for every history."""

    values: npt.NDArray[np.int32]
    """Labels; a history's distinct values are next to each other. Shape (values,)."""
    start: Rows
    """First row of each history's bag in `values`. Shape (histories,)."""
    length: Rows
    """Number of distinct values of each history. Shape (histories,)."""
    weights: npt.NDArray[np.float32] | None = None
    """Weight of each of `values`, to be divided by their bag's sum; None: all the same. Shape (values,)."""


@dataclass(frozen=True)
class PreparedData:
    """What the stage `prepare` made, read-only, mapped from its files."""

    events: dict[str, npt.NDArray[np.int32]]
    """Target events: user, day, history, a label for each offer feature. Shape (target events,)."""
    bags: dict[str, BagStore]
    """For each user feature."""
    history_start: Rows
    """First row of each history among the target events. Shape (histories,)."""
    history_length: Rows
    """Number of target events in each history. Shape (histories,)."""
    user_sizes: dict[str, int]
    """Number of labels of each user feature, in the order that models take them."""
    offer_sizes: dict[str, int]
    """Number of labels of each offer feature, in the order that models take them."""
    first_label: int
    """Labels below this are out-of-vocabulary buckets."""
    user_rows: dict[Split, tuple[Rows, Rows]]
    """First row and number of target events of each user of a split."""
    target_event: str
    """The event type to predict."""
    history: History
    """What of a user's past an event sees."""
    history_events: dict[str, dict[str, npt.NDArray[np.int32]]] = field(default_factory=dict)
    """Events of each other type in use: user, day, labels. Shape (events of the type,) each."""

    def train_shares(self, features: Iterable[str]) -> dict[str, npt.NDArray[np.float64]]:
        """Share of the train users' target events with each value of some features; float64, (labels,)."""
        rows = concatenated_ranges(*self.user_rows[Split.TRAIN])
        counts = {
            name: np.bincount(self.events[name][rows], minlength=self.offer_sizes[name]) for name in features
        }
        return {name: count / max(len(rows), 1) for name, count in counts.items()}

    def before(self, day: int) -> "PreparedData":
        """Leave the target events of a day and later ones out of every user's rows.

        Who draws batches, counts base rates or describes offers by the rows of users then knows nothing of
        these days. The histories of what is left are unchanged: they only ever know earlier days.

        Parameters
        ----------
        day : int
            Days since 1970-01-01.
        """
        earlier = np.concatenate([[0], np.cumsum(self.events[DAY] < day)])
        rows = {
            part: (first, earlier[first + length] - earlier[first])
            for part, (first, length) in self.user_rows.items()
        }
        return replace(self, user_rows=rows)

    def shared_tables(self, offer_features: Collection[str]) -> dict[str, str]:
        """Offer feature of the same attribute for each user feature that has one among `offer_features`."""
        # The user features of an event type are those of all offer features, in their order.
        both = zip(self.user_sizes, cycle(self.offer_sizes), strict=False)
        return {name: attribute for name, attribute in both if attribute in offer_features}

    @property
    def weighted_features(self) -> list[str]:
        """User features whose bags have weights."""
        return [name for name, store in self.bags.items() if store.weights is not None]


def load_prepared(directory: Path) -> PreparedData:
    """Map the prepared tables of a directory.

    Raises
    ------
    OfferbenchError
        If a file is missing or not what `prepare` writes.
    """
    features: dict[str, Any] = read_json(directory / "features.json")
    events = read_arrow(directory / "target_events.arrow")
    histories = read_arrow(directory / "histories.arrow")
    split = read_parquet(directory / "users.parquet")[SPLIT]
    first = np.searchsorted(events[USER], np.arange(len(split)))
    length = np.diff(np.append(first, len(events[USER])))
    bags = {}
    for name in features["user_features"]:
        start_column, length_column = bag(name)
        columns = read_arrow(directory / f"bag_{name}.arrow")
        bags[name] = BagStore(
            values=columns[VALUE],
            start=histories[start_column],
            length=histories[length_column],
            weights=columns.get(WEIGHT),
        )
    history = History(**features["history"])
    start_column, length_column = window(features["target_event"])
    return PreparedData(
        events={name: events[name] for name in (USER, DAY, HISTORY, *features["offer_features"])},
        bags=bags,
        history_start=histories[start_column],
        history_length=histories[length_column],
        user_sizes=features["user_features"],
        offer_sizes=features["offer_features"],
        first_label=features["out_of_vocabulary_buckets"],
        user_rows={part: (first[split == part], length[split == part]) for part in Split},
        target_event=features["target_event"],
        history=history,
        history_events={
            event_type: read_arrow(history_events_file(directory, event_type))
            for event_type in history.events
            if event_type != features["target_event"]
        },
    )

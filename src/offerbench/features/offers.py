"""Offers of a task: for each key, the distribution of every feature among its test events."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offerbench.core.columns import BASE, FEATURE, OFFER, VALUE, WEIGHT
from offerbench.core.tables import read_parquet, write_parquet

Labels = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Distribution:
    """Weighted bags of one feature for the offers of a task, one after the other."""

    values: Labels
    """Labels, most frequent first within an offer, ties by label. Shape (values,)."""
    segments: Labels
    """Which offer each value belongs to, ascending. Shape (values,)."""
    weights: npt.NDArray[np.float32]
    """Sum to 1 in each offer. Shape (values,)."""


@dataclass(frozen=True)
class OfferTable:
    """The offers of a task."""

    keys: Labels
    """Label of the task's feature that defines each offer, ascending. Shape (offers,)."""
    base: npt.NDArray[np.float32]
    """Share of all events that are of each offer. Shape (offers,)."""
    distributions: dict[str, Distribution]
    """For each offer feature."""


def feature_distribution(offers: Labels, labels: Labels, most_frequent: int) -> Distribution:
    """Distribution of a feature's values among the events of each offer.

    Parameters
    ----------
    offers : int32, shape (events,)
        Offer of each event; 0 .. offers - 1, each at least once.
    labels : int32, shape (events,)
        Value of the feature.
    most_frequent : int
        Values kept of an offer; ties go to the lower label. Weights are normalised after the cut.
    """
    pairs, counts = np.unique(offers.astype(np.int64) << 32 | labels, return_counts=True)
    segments, values = pairs >> 32, pairs & 0xFFFFFFFF
    order = np.lexsort((values, -counts, segments))
    segments, values, counts = segments[order], values[order], counts[order]
    first = np.searchsorted(segments, segments)  # first row of each value's offer
    kept = np.arange(len(segments)) - first < most_frequent
    segments, values, counts = segments[kept], values[kept], counts[kept]
    totals = np.bincount(segments, weights=counts)
    return Distribution(
        values=values.astype(np.int32),
        segments=segments.astype(np.int32),
        weights=(counts / totals[segments]).astype(np.float32),
    )


def group_offers(events: dict[str, Labels], task: str, most_frequent: int) -> OfferTable:
    """Group test events by the task's feature into offers.

    Parameters
    ----------
    events : dict of int32, shape (events,)
        Labels of every offer feature.
    task : str
        The feature that defines the offers; for it, an offer is {key: 1}.
    most_frequent : int
        Values kept of every other feature.
    """
    keys, offer_of_event = np.unique(events[task], return_inverse=True)
    offers = offer_of_event.astype(np.int32)
    return OfferTable(
        keys=keys,
        base=(np.bincount(offers) / len(offers)).astype(np.float32),
        distributions={
            name: feature_distribution(offers, labels, most_frequent) for name, labels in events.items()
        },
    )


def write_offers(target: Path, table: OfferTable) -> None:
    """Write an offer table as Parquet: columns offer (key), base, feature, value, weight."""
    parts = table.distributions
    offers = np.concatenate([part.segments for part in parts.values()])
    write_parquet(
        target,
        {
            OFFER: table.keys[offers],
            BASE: table.base[offers],
            FEATURE: np.repeat(list(parts), [len(part.values) for part in parts.values()]),
            VALUE: np.concatenate([part.values for part in parts.values()]),
            WEIGHT: np.concatenate([part.weights for part in parts.values()]),
        },
    )


def read_offers(source: Path) -> OfferTable:
    """Read an offer table that `write_offers` wrote.

    Raises
    ------
    OfferbenchError
        If the file is missing or not Parquet.
    """
    columns = read_parquet(source)
    keys, first = np.unique(columns[OFFER], return_index=True)
    distributions = {}
    for feature in dict.fromkeys(columns[FEATURE]):
        rows = columns[FEATURE] == feature
        distributions[str(feature)] = Distribution(
            values=columns[VALUE][rows],
            segments=np.searchsorted(keys, columns[OFFER][rows]).astype(np.int32),
            weights=columns[WEIGHT][rows],
        )
    return OfferTable(keys=keys, base=columns[BASE][first], distributions=distributions)

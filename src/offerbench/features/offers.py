"""Offers of a task: for each key, its base rate and the distribution of every feature among its events."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from offerbench.core.columns import BASE, FEATURE, OFFER, VALUE, WEIGHT
from offerbench.core.order import order_by_labels, run_starts
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
    order = order_by_labels(offers, labels)
    segments, values = offers[order], labels[order]
    start = np.flatnonzero(run_starts(segments, values))
    segments, values, counts = segments[start], values[start], np.diff(np.append(start, len(order)))
    order = order_by_labels(segments, counts.max(initial=0) - counts)  # values stay ascending
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


def most_frequent_values(offers: Distribution, most_frequent: int) -> Distribution:
    """Keep the most frequent values of each offer; weights are normalised after the cut."""
    first = np.searchsorted(offers.segments, offers.segments)
    kept = np.arange(len(offers.segments)) - first < most_frequent
    segments, weights = offers.segments[kept], offers.weights[kept]
    totals = np.bincount(segments, weights)
    return Distribution(offers.values[kept], segments, (weights / totals[segments]).astype(np.float32))


def group_offers(
    events: Mapping[str, Labels], task: str, most_frequent: int, keys: Labels | None = None
) -> OfferTable:
    """Group events by the task's feature into offers.

    Parameters
    ----------
    events : mapping of int32, shape (events,)
        Labels of every offer feature. Where users are ranked, these are events of other users: nothing
        that the ranked users chose enters a score.
    task : str
        The feature that defines the offers; for it, an offer is {key: 1}.
    most_frequent : int
        Values kept of every other feature.
    keys : int32, shape (offers,), optional
        The offers that are wanted, ascending; those of the events if None. One that none of the events
        is of has the base rate 0 and the distributions of all events.
    """
    keys = np.unique(events[task]) if keys is None else keys
    place = np.minimum(np.searchsorted(keys, events[task]), len(keys) - 1)
    known = keys[place] == events[task]
    offers = place[known].astype(np.int32)
    count = np.bincount(offers, minlength=len(keys))
    unknown = np.flatnonzero(count == 0).astype(np.int32)
    own = Distribution(keys, np.arange(len(keys), dtype=np.int32), np.ones(len(keys), np.float32))
    distributions = {}
    for name, labels in events.items():
        distributions[name] = own
        if name != task:
            of_known = feature_distribution(offers, labels[known], most_frequent)
            distributions[name] = _with_unknown(of_known, unknown, labels, most_frequent)
    base = (count / len(known)).astype(np.float32)
    return OfferTable(keys=keys, base=base, distributions=distributions)


def _with_unknown(known: Distribution, unknown: Labels, labels: Labels, most_frequent: int) -> Distribution:
    """Add offers that have the distribution of all events."""
    if not len(unknown):
        return known
    common = feature_distribution(np.zeros(len(labels), np.int32), labels, most_frequent)
    segments = np.concatenate([known.segments, np.repeat(unknown, len(common.values))])
    order = np.argsort(segments, kind="stable")
    return Distribution(
        values=np.concatenate([known.values, np.tile(common.values, len(unknown))])[order],
        segments=segments[order],
        weights=np.concatenate([known.weights, np.tile(common.weights, len(unknown))])[order],
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

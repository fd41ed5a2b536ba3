"""How much of a user's past has an offer's attributes: counts by value, expected over a distribution.

A match asks whether an event of the past is of the offer. This asks the same of each attribute by
itself: how many events of the past are of the offer's brands, weighted by how much of the offer each
brand is. It says something about an offer that the user has never bought.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.features.offers import Distribution
from offerbench.preparation.history import Labels, weighted_bags

Floats = npt.NDArray[np.float32]
PASTS_AT_A_TIME = 20_000
PAIRS_AT_A_TIME = 200_000


@dataclass(frozen=True)
class PastCounts:
    """Number of events of some pasts with each value of one feature, one past after the other."""

    values: Labels
    """Labels, ascending within a past. Shape (values,)."""
    counts: Floats
    """Events with each of `values`. Shape (values,)."""
    start: Rows
    """First place of each past in `values`. Shape (pasts,)."""
    length: Rows
    """Distinct values of each past. Shape (pasts,)."""
    size: int
    """Labels of the feature."""


class CountTable:
    """Lays the counts of some pasts out as a table, in memory that is used again.

    A table of many labels is almost empty, and to get the memory for a new one takes longer than to fill it.

    Parameters
    ----------
    counts : PastCounts
        What is laid out.
    """

    def __init__(self, counts: PastCounts) -> None:
        self._counts = counts
        self._memory = np.zeros(0, np.float32)  # of zeros, but for what `_filled` names
        self._filled = np.zeros(0, np.int64)

    def of(self, pasts: Rows) -> Floats:
        """Give the counts of some pasts; float32, shape (len(pasts), size). Valid until the next call."""
        counts = self._counts
        length = counts.length[pasts]
        rows = concatenated_ranges(counts.start[pasts], length)
        if len(self._memory) < len(pasts) * counts.size:
            self._memory = np.zeros(len(pasts) * counts.size, np.float32)
        else:
            self._memory[self._filled] = 0
        self._filled = np.repeat(np.arange(len(pasts)) * counts.size, length) + counts.values[rows]
        self._memory[self._filled] = counts.counts[rows]
        return self._memory[: len(pasts) * counts.size].reshape(len(pasts), counts.size)


def count_pasts(labels: Labels, start: Rows, length: Rows, size: int) -> PastCounts:
    """Count the values of one feature in windows of events.

    Parameters
    ----------
    labels : int32, shape (events,)
        Values of the feature.
    start, length : int64, shape (pasts,)
        Windows.
    size : int
        Labels of the feature.
    """
    parts, offset = [], 0
    for first in range(0, max(len(start), 1), PASTS_AT_A_TIME):
        part = slice(first, first + PASTS_AT_A_TIME)
        values, counts, starts, lengths = weighted_bags(labels, start[part], length[part], np.inf)
        parts.append((values, counts, starts + offset, lengths))
        offset += len(values)
    values, counts, starts, lengths = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return PastCounts(values, counts, starts, lengths, size)


def expected_counts(table: Floats, past_of_pair: Rows, offer_of_pair: Rows, offers: Distribution) -> Floats:
    """Events of each pair's past that have a value of its offer, expected over the offer's distribution.

    Parameters
    ----------
    table : float32, shape (pasts, size)
        From `CountTable`.
    past_of_pair, offer_of_pair : int64, shape (pairs,)
        Row of the table, and offer of the distribution.
    offers : Distribution
        Of the feature, for each offer at least one value.

    Returns
    -------
    float32, shape (pairs,)
        Equal pairs get equal bits: each is a sum by itself, in the order of the offer's values.
    """
    first = np.searchsorted(offers.segments, np.arange(int(offers.segments[-1]) + 2))
    found = np.empty(len(past_of_pair), np.float32)
    for start in range(0, len(found), PAIRS_AT_A_TIME):
        part = slice(start, start + PAIRS_AT_A_TIME)
        offer = offer_of_pair[part]
        length = first[offer + 1] - first[offer]
        rows = concatenated_ranges(first[offer], length)
        places = np.repeat(past_of_pair[part] * table.shape[1], length) + offers.values[rows]
        weighted = table.reshape(-1)[places] * offers.weights[rows]
        found[part] = np.add.reduceat(weighted, np.cumsum(length) - length)
    return found


def expected_shares(offers: Distribution, shares: npt.NDArray[np.float64]) -> Floats:
    """Share of all events that have a value of each offer, expected over its distribution.

    Parameters
    ----------
    offers : Distribution
        Of one feature.
    shares : float64, shape (size,)
        Share of all events with each value.

    Returns
    -------
    float32, shape (offers,)
    """
    expected: Floats = np.bincount(offers.segments, offers.weights * shares[offers.values]).astype(np.float32)
    return expected


def without_event(
    expected: Floats, own_count: Floats, offer_of_event: Rows, labels: Labels, offers: Distribution
) -> Floats:
    """Take each event out of its own offer's distribution, and with it out of an expected count.

    Otherwise a training would see what the user buys in the offer that it is to be ranked for.

    Parameters
    ----------
    expected : float32, shape (events,)
        From `expected_counts`, of each event's past with its own offer.
    own_count : float32, shape (events,)
        Events of its past with its own value.
    offer_of_event, labels : int, shape (events,)
        Offer and value of each event; the distribution is made of these.
    offers : Distribution
        Cut to the most frequent values.

    Returns
    -------
    float32, shape (events,)
        The expected count over the other events of the offer; as it was where there is none, or where
        the event's value was cut.
    """
    packed = offers.segments.astype(np.int64) << 32 | offers.values
    is_kept = np.isin(offer_of_event.astype(np.int64) << 32 | labels, packed)
    events = np.bincount(offer_of_event[is_kept], minlength=int(offers.segments[-1]) + 1)[offer_of_event]
    changed = is_kept & (events > 1)
    others = (expected * events - own_count) / np.maximum(events - 1, 1)
    # A difference of equal numbers may be a little below 0.
    return np.where(changed, np.maximum(others, 0), expected).astype(np.float32)


class AttributeMatches:
    """Counts of the values of several features in the pasts of contexts, to be matched with offers.

    Parameters
    ----------
    counts : mapping of PastCounts
        Of each feature, for the same pasts.
    shares : mapping of float64, shape (size,)
        Share of all users' events with each value of each feature.
    """

    def __init__(
        self, counts: Mapping[str, PastCounts], shares: Mapping[str, npt.NDArray[np.float64]]
    ) -> None:
        self._tables = {name: CountTable(of_feature) for name, of_feature in counts.items()}
        self._shares = shares

    def tables(self, contexts: Rows) -> dict[str, Floats]:
        """Lay out the counts of some contexts, as `CountTable.of`, for each feature."""
        return {name: table.of(contexts) for name, table in self._tables.items()}

    def counts(
        self,
        tables: Mapping[str, Floats],
        past_of_pair: Rows,
        offer_of_pair: Rows,
        offers: Mapping[str, Distribution],
    ) -> Floats:
        """Count events with an attribute of the offer, as `expected_counts`; shape (pairs, features)."""
        columns = [
            expected_counts(table, past_of_pair, offer_of_pair, offers[name])
            for name, table in tables.items()
        ]
        return np.stack(columns, axis=-1)

    def base(self, offers: Mapping[str, Distribution]) -> Floats:
        """All users' share of such events, as `expected_shares`; float32, shape (offers, features)."""
        return np.stack(
            [expected_shares(offers[name], shares) for name, shares in self._shares.items()], axis=-1
        )

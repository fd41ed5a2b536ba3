"""A batch whose events are seen as events of offers: grouped by keys, once or several times."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from offerbench.batching.batches import Batch, make_batch
from offerbench.core.columns import DAY, USER
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.features.config import GroupingParameters
from offerbench.features.groupings import Groups, draw_features, draw_groups, group_keys
from offerbench.features.keys import number_keys
from offerbench.features.match_counts import Ints, MatchIndex, Past
from offerbench.preparation.prepared import PreparedData


@dataclass(frozen=True)
class Key:
    """What the offers of a grouping are defined by."""

    features: list[int]
    """Places of the offer features whose values make the key, ascending."""
    change: GroupingParameters | None = None
    """How large groups are split at random and the groups then merged, now and then; None: never."""


@dataclass(frozen=True)
class Grouping:
    """A batch of B events, in negatives groups of m neighbours, seen as events of offers."""

    group_of_event: npt.NDArray[np.int32]
    """Offer of each event. Shape (B,)."""
    weights: npt.NDArray[np.float32]
    """1 for a pair that counts; 0 for an accidental hit. Shape (B / m, m, m)."""
    counts: npt.NDArray[np.int32]
    """Events of the user's past that match the offer, by window. Shape (B / m, m, m, windows)."""
    base: npt.NDArray[np.float32]
    """Share of the batch's events that match each event's offer. Shape (B,)."""


@dataclass(frozen=True)
class GroupedBatch:
    """A batch and its groupings."""

    batch: Batch
    past_lengths: npt.NDArray[np.int32]
    """Events of each event's past, by window. Shape (B, windows)."""
    groupings: list[Grouping]


def draw_keys(
    features: int, groupings: GroupingParameters | None, generator: np.random.Generator
) -> list[Key]:
    """Draw the keys of a batch's groupings; without groupings, one key of all features."""
    if groupings is None:
        return [Key(list(range(features)))]
    drawn = [draw_features(features, groupings.mean_features, generator) for _ in range(groupings.number)]
    return [Key(places, groupings) for places in drawn]


def single_keys(features: int) -> list[Key]:
    """Make a key of each feature alone: the offers of the tasks."""
    return [Key([feature]) for feature in range(features)]


@dataclass(frozen=True)
class _Pasts:
    """What the users of a batch bought on earlier days."""

    rows: Rows
    """Rows of all pasts, ascending, each once. Shape (past rows,)."""
    stop: Ints
    """Place in `rows` after each event's past. Shape (B,)."""
    lengths: list[Ints]
    """Events of each event's past, for each window. Shape (B,) each."""


class BatchMaker:
    """Makes batches with their groupings.

    Parameters
    ----------
    data : PreparedData
        The data set.
    offer_features : sequence of str
        Those that the model sees: keys are made of them.
    neighbours : int
        Events m of a negatives group; divides the batch size.
    windows : sequence of int or None
        Newest events of a past that matches are counted in; None: all of it.
    keep_accidental_hits : bool
        Whether a negative whose offer has the key of the user's own event counts.
    """

    def __init__(
        self,
        data: PreparedData,
        offer_features: Sequence[str],
        neighbours: int,
        windows: Sequence[int | None],
        keep_accidental_hits: bool = False,
    ) -> None:
        self._data = data
        self._offer_features = list(offer_features)
        self._neighbours = neighbours
        self._windows = list(windows)
        self._keep_accidental_hits = keep_accidental_hits

    @cached_property
    def _past(self) -> Past:
        return Past(self._data.events[USER], self._data.events[DAY])

    def make(self, rows: Rows, keys: Sequence[Key], generator: np.random.Generator) -> GroupedBatch:
        """Make a batch and its groupings.

        Parameters
        ----------
        rows : int64, shape (B,)
            Rows of target events.
        keys : sequence of Key
            One for each grouping; none: the events stay what they are.
        generator : numpy.random.Generator
            Source of the random changes of the groups.
        """
        batch = make_batch(self._data, rows, self._offer_features)
        if not keys:
            return GroupedBatch(batch, np.empty((len(rows), 0), np.int32), [])
        pasts = self._pasts(rows)
        return GroupedBatch(
            batch=batch,
            past_lengths=_by_window(pasts.lengths, (len(rows),)),
            groupings=[self._grouping(rows, pasts, key, generator) for key in keys],
        )

    def _pasts(self, rows: Rows) -> _Pasts:
        start, length = self._past.windows(rows, None)
        used = _union(start, length)
        return _Pasts(
            rows=used,
            stop=np.searchsorted(used, start) + length,
            lengths=[self._past.windows(rows, window)[1] for window in self._windows],
        )

    def _grouping(self, rows: Rows, pasts: _Pasts, key: Key, generator: np.random.Generator) -> Grouping:
        labels = [self._data.events[self._offer_features[place]] for place in key.features]
        key_of_event, key_of_past = number_keys(
            [column[rows] for column in labels], [column[pasts.rows] for column in labels]
        )
        groups = draw_groups(key_of_event, key.change, generator)
        first, keys = group_keys(groups)
        pairs = _pair_keys(groups, first, keys, self._neighbours)
        shape = (len(rows) // self._neighbours, self._neighbours, self._neighbours)
        share_of_key = np.bincount(groups.key_of_event) / len(rows)
        base = np.add.reduceat(share_of_key[keys], first[:-1])  # (groups,)
        of_pairs = [length[pairs.user_event] for length in pasts.lengths]
        counts = MatchIndex(key_of_past).count_before(pasts.stop[pairs.user_event], of_pairs, pairs.key)
        return Grouping(
            group_of_event=groups.group_of_event.astype(np.int32),
            weights=self._weights(groups, pairs).reshape(shape),
            counts=_by_window([pairs.total(count) for count in counts], shape),
            base=base[groups.group_of_event].astype(np.float32),
        )

    def _weights(self, groups: Groups, pairs: "_PairKeys") -> npt.NDArray[np.float32]:
        """1 for each pair that counts; float32, shape (pairs,)."""
        if self._keep_accidental_hits:
            return np.ones(pairs.pairs, np.float32)
        has_own_key = pairs.total(groups.key_of_event[pairs.user_event] == pairs.key) > 0
        is_positive = np.resize(np.eye(self._neighbours, dtype=bool), pairs.pairs)
        counts: npt.NDArray[np.bool_] = ~has_own_key | is_positive
        return counts.astype(np.float32)


@dataclass(frozen=True)
class _PairKeys:
    """Every key of every pair's offer."""

    pairs: int
    pair: Ints
    """Pair of each of its offer's keys, ascending. Shape (keys of all pairs,)."""
    user_event: Ints
    """Event whose user the pair is of. Shape (keys of all pairs,)."""
    key: Ints
    """Shape (keys of all pairs,)."""

    def total(self, values: npt.NDArray[np.generic]) -> Ints:
        """Sum over the keys of each pair; int64, shape (pairs,)."""
        return np.bincount(self.pair, weights=values, minlength=self.pairs).astype(np.int64)


def _pair_keys(groups: Groups, first: Ints, keys: Ints, neighbours: int) -> _PairKeys:
    """Lay the keys of the groups, from `group_keys`, out by pair."""
    group = groups.group_of_event.reshape(-1, neighbours)
    offers = np.repeat(group[:, None, :], neighbours, axis=1).reshape(-1)  # (pairs,)
    number = np.diff(first)[offers]
    pair = np.repeat(np.arange(len(offers)), number)
    key = keys[concatenated_ranges(first[offers], number)]
    return _PairKeys(pairs=len(offers), pair=pair, user_event=pair // neighbours, key=key)


def _union(start: Ints, length: Ints) -> Rows:
    """Rows of some windows, ascending, each once."""
    order = np.argsort(start, kind="stable")
    begin, stop = start[order], np.maximum.accumulate((start + length)[order])
    apart = np.flatnonzero(np.append(True, begin[1:] > stop[:-1]))
    first = begin[apart]
    return concatenated_ranges(first, stop[np.append(apart[1:], len(stop)) - 1] - first)


def _by_window(values: list[Ints], shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """Arrays of the windows side by side along a last axis."""
    if not values:
        return np.empty((*shape, 0), np.int32)
    stacked: npt.NDArray[np.int32] = np.stack(
        [array.reshape(shape) for array in values], axis=-1, dtype=np.int32, casting="same_kind"
    )
    return stacked

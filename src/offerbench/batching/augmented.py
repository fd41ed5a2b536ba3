"""An augmented batch: its events grouped into offers at random, several times."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from offerbench.batching.batches import Bag, Batch, make_batch
from offerbench.batching.grouping import Groups, draw_features, draw_groups, group_keys
from offerbench.batching.matching import Ints, MatchIndex, Past, number_keys
from offerbench.batching.prepared import PreparedData
from offerbench.batching.sampling import Rows, concatenated_ranges
from offerbench.params.train_augmented import Grouping
from offerbench.schema import DAY, USER


@dataclass(frozen=True)
class Key:
    """What the offers of a grouping are defined by."""

    features: list[int]
    """Places of the offer features whose values make the key, ascending."""
    change: float
    """Chance that large groups are split at random and the groups then merged."""


@dataclass(frozen=True)
class View:
    """A batch of B events, in minibatches of m neighbours, seen through one grouping."""

    group_of_event: npt.NDArray[np.int32]
    """Offer of each event. Shape (B,)."""
    weights: npt.NDArray[np.float32]
    """1 for a pair that counts; 0 for a negative whose offer has its positive's key. Shape (B / m, m, m)."""
    counts: npt.NDArray[np.int32]
    """Events of the user's past that match the offer, by window. Shape (B / m, m, m, windows)."""
    base: npt.NDArray[np.float32]
    """Share of the batch's events that match each event's offer. Shape (B,)."""


@dataclass(frozen=True)
class AugmentedBatch:
    """A batch and its views."""

    batch: Batch
    lengths: npt.NDArray[np.int32]
    """Events of each event's past, by window. Shape (B, windows)."""
    views: list[View]


def draw_keys(features: int, grouping: Grouping, generator: np.random.Generator) -> list[Key]:
    """Draw the keys of a batch's groupings; without groupings, one key of all features."""
    if not grouping.number:
        return [Key(list(range(features)), 0.0)]
    drawn = (draw_features(features, grouping.mean_features, generator) for _ in range(grouping.number))
    return [Key(places, grouping.coarser_and_finer_share) for places in drawn]


def single_keys(features: int) -> list[Key]:
    """Make a key of each feature alone: the offers of the tasks."""
    return [Key([feature], 0.0) for feature in range(features)]


@dataclass(frozen=True)
class _Pasts:
    """What the users of a batch bought on earlier days."""

    rows: Rows
    """Rows of all pasts, ascending, each once. Shape (past rows,)."""
    stop: Ints
    """Place in `rows` after each event's past. Shape (B,)."""
    lengths: list[Ints]
    """Events of each event's past, for each window. Shape (B,) each."""


class Augmentation:
    """Makes augmented batches.

    Parameters
    ----------
    data : PreparedData
        The data set.
    minibatch : int
        Number of negatives + 1; divides the batch size.
    windows : list of int or None
        Newest events of a past that matches are counted in; None: all of it.
    """

    def __init__(self, data: PreparedData, minibatch: int, windows: list[int | None]) -> None:
        self._data = data
        self._minibatch = minibatch
        self._windows = windows
        self._past = Past(data.events[USER], data.events[DAY])
        self._labels = [data.events[name] for name in data.offer_sizes]

    def make(self, rows: Rows, keys: list[Key], generator: np.random.Generator) -> AugmentedBatch:
        """Make a batch and its views.

        Parameters
        ----------
        rows : int64, shape (B,)
            Rows of target events.
        keys : list of Key
            One for each view.
        generator : numpy.random.Generator
            Source of the random changes of the groups.
        """
        pasts = self._pasts(rows)
        return AugmentedBatch(
            batch=make_batch(self._data, rows, list(self._data.offer_sizes)),
            lengths=_by_window(pasts.lengths, (len(rows),)),
            views=[self._view(rows, pasts, key, generator) for key in keys],
        )

    def _pasts(self, rows: Rows) -> _Pasts:
        start, length = self._past.windows(rows, None)
        used = _union(start, length)
        return _Pasts(
            rows=used,
            stop=np.searchsorted(used, start) + length,
            lengths=[self._past.windows(rows, window)[1] for window in self._windows],
        )

    def _view(
        self,
        rows: Rows,
        pasts: _Pasts,
        key: Key,
        generator: np.random.Generator,
    ) -> View:
        labels = [self._labels[feature] for feature in key.features]
        key_of_event, key_of_past = number_keys(
            [column[rows] for column in labels], [column[pasts.rows] for column in labels]
        )
        groups = draw_groups(key_of_event, key.change, generator)
        index = MatchIndex(key_of_past)
        first, keys = group_keys(groups)
        pairs = _pair_keys(groups, first, keys, self._minibatch)
        shape = (-1, self._minibatch, self._minibatch)
        own = pairs.total(groups.key_of_event[pairs.user_event] == pairs.key).reshape(shape) > 0
        share_of_key = np.bincount(groups.key_of_event) / len(rows)
        base = np.add.reduceat(share_of_key[keys], first[:-1])  # (groups,)
        of_pairs = [length[pairs.user_event] for length in pasts.lengths]
        counts = index.count_before(pasts.stop[pairs.user_event], of_pairs, pairs.key)
        return View(
            group_of_event=groups.group_of_event.astype(np.int32),
            weights=(~own | np.eye(self._minibatch, dtype=bool)).astype(np.float32),
            counts=_by_window([pairs.total(count) for count in counts], (len(own), *shape[1:])),
            base=base[groups.group_of_event].astype(np.float32),
        )


def drop_history(augmented: AugmentedBatch, rate: float, generator: np.random.Generator) -> AugmentedBatch:
    """Leave out a random share of the values of each history.

    Parameters
    ----------
    augmented : AugmentedBatch
        The batch.
    rate : float
        Chance of each value to be left out.
    generator : numpy.random.Generator
        Source of the draws.
    """
    if not rate:
        return augmented
    bags = {}
    for name, bag in augmented.batch.bags.items():
        kept = np.flatnonzero(generator.random(len(bag.values), np.float32) >= rate)
        weights = None if bag.weights is None else bag.weights[kept]
        bags[name] = Bag(values=bag.values[kept], segments=bag.segments[kept], weights=weights)
    return replace(augmented, batch=replace(augmented.batch, bags=bags))


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


def _pair_keys(groups: Groups, first: Ints, keys: Ints, minibatch: int) -> _PairKeys:
    """Lay the keys of the groups, from `group_keys`, out by pair."""
    group = groups.group_of_event.reshape(-1, minibatch)
    offers = np.repeat(group[:, None, :], minibatch, axis=1).reshape(-1)  # (pairs,)
    number = np.diff(first)[offers]
    pair = np.repeat(np.arange(len(offers)), number)
    key = keys[concatenated_ranges(first[offers], number)]
    return _PairKeys(pairs=len(offers), pair=pair, user_event=pair // minibatch, key=key)


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

"""wAUC of many bootstrap samples of the users at once: how far a result depends on who was tested.

A user's pairs stand or fall together, so the user is drawn, with replacement, not the pair. A
sample is a weight for each user, the times that it was drawn; a pair weighs what its user weighs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Weights = npt.NDArray[np.int32]
Samples = npt.NDArray[np.float64]
PAIRS_AT_A_TIME = 2_000  # offers of so many pairs side by side: their weights stay in a processor's cache


def draw_weights(users: int, samples: int, generator: np.random.Generator) -> Weights:
    """Draw how often each user is in each sample of as many users; int32, shape (users, samples)."""
    drawn = generator.multinomial(users, np.full(users, 1 / users), size=samples)  # (samples, users)
    return np.ascontiguousarray(drawn.T, np.int32)


@dataclass(frozen=True)
class PairSamples:
    """Pairs of a task, with the weights of their users in every sample.

    Parameters
    ----------
    offers : int32, shape (pairs,)
        Offer of each pair, below `count`.
    is_positive : bool, shape (pairs,)
        Target of each pair.
    users : int32, shape (pairs,)
        User of each pair.
    weights : int32, shape (users, samples)
        From `draw_weights`.
    count : int
        Number of offers.
    """

    offers: npt.NDArray[np.int32]
    is_positive: npt.NDArray[np.bool_]
    users: npt.NDArray[np.int32]
    weights: Weights
    count: int

    def sizes(self) -> tuple[Samples, Samples]:
        """Weighted number of positives and of negatives; float64, shape (offers, samples) each."""
        totals = []
        for of_kind in (self.is_positive, ~self.is_positive):
            place = (self.offers[of_kind], self.users[of_kind])
            shape = (self.count, len(self.weights))
            pairs = sparse.csr_matrix((np.ones(int(of_kind.sum()), np.float64), place), shape)
            totals.append(np.asarray(pairs @ self.weights))
        return totals[0], totals[1]

    def wins(self, scores: npt.NDArray[Any]) -> Samples:
        """Weighted (positive, negative) pairs of pairs that the positive wins; ties count half.

        Parameters
        ----------
        scores : float32 or float64, shape (pairs,)
            Higher is better.

        Returns
        -------
        float64, shape (offers, samples)
        """
        order = np.lexsort((self.is_positive, scores, self.offers))
        offers, scores = self.offers[order], scores[order]
        users, is_positive = self.users[order], self.is_positive[order]
        wins = np.zeros((self.count, self.weights.shape[1]))
        for start, stop in _runs_of_offers(offers):
            part = slice(start, stop)
            wins[offers[start] : offers[stop - 1] + 1] = self._wins_of(
                offers[part] - offers[start], scores[part], users[part], is_positive[part]
            )
        return wins

    def _wins_of(
        self,
        offers: npt.NDArray[np.int32],
        scores: npt.NDArray[Any],
        users: npt.NDArray[np.int32],
        is_positive: npt.NDArray[np.bool_],
    ) -> Samples:
        """Wins of some offers, 0 to the last; their pairs are sorted by offer, then by score."""
        count = int(offers[-1]) + 1
        negatives = np.cumsum(~is_positive)  # up to and with each pair
        # A tie is a run of pairs of one offer and one score, negatives first: a positive wins
        # against what stands before the run, and half against the run's negatives.
        changed = np.flatnonzero((offers[1:] != offers[:-1]) | (scores[1:] != scores[:-1])) + 1
        first = np.repeat(np.append(0, changed), np.diff(np.concatenate([[0], changed, [len(offers)]])))
        of_offer = np.searchsorted(offers, offers[is_positive])  # first pair of each positive's offer
        exclusive = np.append(0, negatives)
        lanes = self._lanes(users[~is_positive])
        packed = lanes.of_users.take(users[~is_positive], axis=1)
        before = np.zeros((len(packed), packed.shape[1] + 1), np.uint64)
        np.cumsum(packed, axis=1, out=before[:, 1:])
        start = before.take(exclusive[of_offer], axis=1)
        below = before.take(exclusive[first[is_positive]], axis=1) - start
        below += before.take(negatives[is_positive], axis=1) - start
        samples = self.weights.shape[1]
        # Twice the wins against negatives, (positives, samples).
        twice = np.ascontiguousarray(below.T).view(lanes.dtype)[:, :samples]
        won = twice * self.weights.take(users[is_positive], axis=0)
        positives_of_offer = np.append(0, np.cumsum(np.bincount(offers[is_positive], minlength=count)))
        place = np.arange(len(won)), positives_of_offer
        # Halves of whole numbers, whose sums are exact.
        halves = sparse.csr_matrix((np.full(len(won), 0.5), *place), (count, len(won)))
        return np.asarray(halves @ won, np.float64)

    def _lanes(self, users: npt.NDArray[np.int32]) -> "_Lanes":
        """Weights packed as tightly as twice the sum over some pairs allows."""
        times = np.bincount(users, minlength=len(self.weights))
        # A product of whole numbers, which BLAS with its threads doesn't take part in.
        most = 2 * int((times @ self.weights).max(initial=0))
        return self._narrow if most <= np.iinfo(np.uint16).max else self._wide

    @cached_property
    def _narrow(self) -> "_Lanes":
        return _packed(self.weights, np.uint16)

    @cached_property
    def _wide(self) -> "_Lanes":
        return _packed(self.weights, np.uint32)


@dataclass(frozen=True)
class _Lanes:
    """Weights of several samples side by side in one number: a sum of such numbers adds all of them."""

    of_users: npt.NDArray[np.uint64]
    """Shape (ceil(samples / samples of a number), users)."""
    dtype: type[np.unsignedinteger[Any]]
    """Of a single weight."""


def _packed(weights: Weights, dtype: type[np.unsignedinteger[Any]]) -> _Lanes:
    """Pack weights; the last number is filled up with zeros."""
    of_number = np.dtype(np.uint64).itemsize // np.dtype(dtype).itemsize
    padded = np.zeros((len(weights), -(-weights.shape[1] // of_number) * of_number), dtype)
    padded[:, : weights.shape[1]] = weights
    return _Lanes(np.ascontiguousarray(padded.view(np.uint64).T), dtype)


def _runs_of_offers(offers: npt.NDArray[np.int32]) -> Iterator[tuple[int, int]]:
    """Cut sorted pairs between offers, into parts of some thousand pairs or of one offer."""
    stops = np.append(np.flatnonzero(np.diff(offers)) + 1, len(offers))
    start = 0
    for stop in stops[np.append(np.diff(stops // PAIRS_AT_A_TIME) > 0, True)] if len(offers) else ():
        yield start, int(stop)
        start = int(stop)


def sampled_wauc(
    positives: Samples, negatives: Samples, wins: Samples, masks: dict[str, npt.NDArray[np.bool_]]
) -> dict[str, Samples]:
    """Take wAUC of every sample, for each segment.

    Parameters
    ----------
    positives, negatives, wins : float64, shape (offers, samples)
        From `PairSamples`. An offer without a positive or a negative in a sample is left out there.
    masks : dict of bool, shape (offers,)
        The offers of each segment.

    Returns
    -------
    dict of float64, shape (samples,)
        NaN where a sample has no offer.
    """
    counted = np.where(negatives > 0, positives, 0)  # (offers, samples)
    won = np.divide(wins, negatives, out=np.zeros_like(wins), where=negatives > 0)  # AUC x positives
    found = {}
    for segment, mask in masks.items():
        total = counted[mask].sum(axis=0)
        found[segment] = np.divide(
            won[mask].sum(axis=0), total, out=np.full(len(total), np.nan), where=total > 0
        )
    return found


def simultaneous_half_widths(samples: Samples) -> Samples:
    """Half the widths of intervals that hold for all of many values at once, in 95% of the cases.

    An interval of 1.96 standard deviations misses one value of twenty: of hundreds some are always missed. So
    each sample's largest deviation is taken, in standard deviations of its value, and the intervals are as
    wide as that is in 95% of the samples (the studentised maximum: Romano and Wolf, "Stepwise multiple
    testing as formalized data snooping", 2005). Values that go together widen them little.

    Parameters
    ----------
    samples : float64, shape (values, samples)
        The same draws for all values; NaN where a sample has no value.

    Returns
    -------
    float64, shape (values,)
        NaN where fewer than 2 samples have a value; 0 where all are the same.
    """
    found = np.full(len(samples), np.nan)
    some = np.isfinite(samples).sum(axis=1) >= 2
    if not some.any():
        return found
    values = np.where(np.isfinite(samples[some]), samples[some], np.nan)
    deviation = np.nanstd(values, axis=1, ddof=1)
    distance = np.abs(values - np.nanmean(values, axis=1)[:, None])
    varies = deviation > 0
    relative = distance[varies] / deviation[varies, None]
    largest = np.nan_to_num(relative).max(axis=0, initial=0.0)  # of each sample
    found[some] = max(1.96, float(np.quantile(largest, 0.95, method="higher"))) * deviation
    return found


def half_width(samples: Samples) -> float | None:
    """Half the width of the 95% interval around a value whose bootstrap samples are given.

    1.96 standard deviations of the samples (the normal interval of Efron and Tibshirani, 1993,
    section 13.3): with some hundred samples steadier than percentiles, and it serves a difference
    of two models as well. None if fewer than 2 samples have a value.
    """
    finite = samples[np.isfinite(samples)]
    return None if len(finite) < 2 else 1.96 * float(finite.std(ddof=1))

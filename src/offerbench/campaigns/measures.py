"""Measures of campaigns: AUC of each offer over users, share of the buyers reached, calibration."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.timeline import Floats, Ints
from offerbench.core.order import order_by_labels
from offerbench.evaluation.auc import OfferAuc, auc_by_offer
from offerbench.evaluation.bootstrap import Samples, Weights

BUYERS_AT_A_TIME = 4_000
Mask = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.floating[Any]]


def offer_auc(scores: Matrix, bought: Mask) -> OfferAuc:
    """ROC AUC of each offer over all users.

    Parameters
    ----------
    scores : float, shape (users, offers)
        Higher is better.
    bought : bool, shape (users, offers)
        Who bought what.
    """
    users, offers = bought.shape
    offer = np.tile(np.arange(offers, dtype=np.int32), users)
    return auc_by_offer(offer, bought.reshape(-1), np.ascontiguousarray(scores).reshape(-1), offers)


@dataclass(frozen=True)
class SampledAuc:
    """Weighted positives and negatives of each offer, and wins, in every bootstrap sample of the users."""

    positives: Samples
    """Shape (offers, samples)."""
    negatives: Samples
    """Shape (offers, samples)."""
    wins: dict[str, Samples]
    """For each row of the table; shape (offers, samples)."""


def sampled_auc(scores: dict[str, Matrix], bought: Mask, weights: Weights) -> SampledAuc:
    """Take wins of every row in every sample.

    Parameters
    ----------
    scores : dict of float, shape (users, offers)
        For each row.
    bought : bool, shape (users, offers)
        Who bought what.
    weights : int32, shape (users, samples)
        How often each user is drawn.
    """
    drawn = weights.astype(np.float32)
    positives = bought.T.astype(np.float32) @ drawn
    negatives = drawn.sum(axis=0) - positives
    return SampledAuc(
        positives.astype(np.float64),
        negatives.astype(np.float64),
        {name: sampled_wins(each, bought, drawn) for name, each in scores.items()},
    )


def sampled_wins(scores: Matrix, bought: Mask, weights: npt.NDArray[np.float32]) -> Samples:
    """Weighted (buyer, other user) pairs that the buyer wins, in every sample; ties count half.

    As `PairSamples.wins`, for offers that all have the same users: a buyer's wins are a product of the
    users that it beats with their weights. All sums are of halves below 2 ** 22, so they are exact.

    Parameters
    ----------
    scores : float, shape (users, offers)
        Higher is better.
    bought : bool, shape (users, offers)
        Who bought what.
    weights : float32, shape (users, samples)
        How often each user is drawn.

    Returns
    -------
    float64, shape (offers, samples)
    """
    wins = np.zeros((bought.shape[1], weights.shape[1]))
    offer, user = np.nonzero(bought.T)
    for start in range(0, len(offer), BUYERS_AT_A_TIME):
        part = slice(start, start + BUYERS_AT_A_TIME)
        of_offer, others = scores.T[offer[part]], ~bought.T[offer[part]]  # (buyers, users)
        own = scores[user[part], offer[part]][:, None]
        beaten = ((of_offer < own) + 0.5 * (of_offer == own)) * others
        won = (beaten.astype(np.float32) @ weights) * weights[user[part]]
        first = np.flatnonzero(np.diff(offer[part], prepend=-1))
        wins[offer[part][first]] += np.add.reduceat(won, first, axis=0, dtype=np.float64)
    return wins


def buyers_reached(scores: Matrix, bought: Mask, generator: np.random.Generator) -> Ints:
    """Count the buyers among the best users: of all offers together, for every size of the audience.

    Parameters
    ----------
    scores : float, shape (users, offers)
        Higher is better; equal scores stand in a random order.
    bought : bool, shape (users, offers)
        Who bought what.
    generator : numpy.random.Generator
        Source of the order.

    Returns
    -------
    int64, shape (users + 1,)
        Entry n: buyers among the n best users of each offer, summed over offers.
    """
    order = generator.permutation(len(scores))
    best = np.argsort(-scores[order], axis=0, kind="stable")
    found = np.take_along_axis(bought[order], best, axis=0).sum(axis=1)
    return np.concatenate([[0], np.cumsum(found)])


def audience_sizes(users: int, shares: Sequence[float]) -> list[int]:
    """Users in an audience of each share, at least one."""
    return [max(1, round(share * users)) for share in shares]


@dataclass(frozen=True)
class Calibration:
    """Expected and actual buyers, in parts of about equal expected buyers."""

    expected: Floats
    """Shape (bins,)."""
    actual: Floats
    """Shape (bins,)."""
    pairs: Ints
    """Number of pairs. Shape (bins,)."""

    @property
    def ratio(self) -> float:
        """Expected over actual buyers; NaN if there are none."""
        actual = self.actual.sum()
        return float(self.expected.sum() / actual) if actual else float("nan")

    @property
    def error(self) -> float:
        """Sum of the bins' |expected - actual|, as a share of the actual buyers; NaN if there are none."""
        actual = self.actual.sum()
        return float(np.abs(self.expected - self.actual).sum() / actual) if actual else float("nan")


def calibrate(chances: Sequence[Matrix], bought: Sequence[Mask], bins: int) -> Calibration:
    """Compare chances with what happened, by size of the chance.

    Parameters
    ----------
    chances, bought : sequences of shape (users, offers)
        Of each date.
    bins : int
        Number of parts.
    """
    chance = np.concatenate([each.reshape(-1) for each in chances]).astype(np.float64)
    actual = np.concatenate([each.reshape(-1) for each in bought])
    order = order_by_labels(chance.view(np.int64))  # the bits of numbers from 0 on are in their order
    cumulative = np.cumsum(chance[order])
    total = cumulative[-1] if len(cumulative) else 1.0
    part = np.minimum((cumulative / total * bins).astype(np.int64), bins - 1)
    return Calibration(
        np.bincount(part, chance[order], bins).astype(np.float64),
        np.bincount(part, actual[order], bins).astype(np.float64),
        np.bincount(part, minlength=bins),
    )

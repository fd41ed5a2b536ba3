"""ROC AUC from parts: what ranges of an offer's scores add up to, merged in the order of the scores.

A part holds three sums: positives, negatives, and wins: pairs of them that the positive wins, ties half. Of
two parts, all scores of the second above those of the first, a positive of the second wins against every
negative of the first:

    (p1, n1, w1) + (p2, n2, w2) = (p1 + p2, n1 + n2, w1 + w2 + p2 n1)

This is associative, and exact as long as the sums are half integers below 2**52. So the parts may be cut
anywhere between different scores, and an offer may have more pairs than a machine holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from offerbench.core.errors import OfferbenchError
from offerbench.evaluation.auc import OfferAuc
from offerbench.evaluation.bootstrap import PairSamples, Weights

Floats = npt.NDArray[np.float64]


def ordered(scores: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Give integers in the order of the scores, equal where they are equal: those of float32 or float64.

    Raises
    ------
    OfferbenchError
        If a score is not finite.
    """
    if not np.isfinite(scores).all():
        raise OfferbenchError(
            "a model gives scores that are not finite: its training diverged. Lower the rate."
        )
    bits = (scores.astype(np.float64) + 0.0).view(np.int64)  # adding 0 makes -0.0 the same as 0.0
    # An IEEE 754 number's bits order as the number does, negative ones the other way round.
    return np.asarray(bits ^ (bits >> 63 & 0x7FFF_FFFF_FFFF_FFFF), np.int64)


@dataclass(frozen=True)
class Sums:
    """Sums over some pairs of offers, weighted by the users' weights in each sample.

    float64, shape (offers, samples) each.
    """

    positives: Floats
    negatives: Floats
    wins: Floats

    @classmethod
    def nothing(cls, offers: int, samples: int) -> Self:
        """Give the sums over no pair at all."""
        return cls(*(np.zeros((offers, samples)) for _ in range(3)))

    def __add__(self, above: "Sums") -> "Sums":
        """Add the sums of a part whose scores are all above those of this one."""
        return Sums(
            self.positives + above.positives,
            self.negatives + above.negatives,
            self.wins + above.wins + above.positives * self.negatives,
        )

    def take(self, offers: npt.NDArray[Any]) -> "Sums":
        """Give the sums of some offers."""
        return Sums(self.positives[offers], self.negatives[offers], self.wins[offers])

    def put(self, offers: npt.NDArray[Any], sums: "Sums") -> None:
        """Set the sums of some offers."""
        self.positives[offers] = sums.positives
        self.negatives[offers] = sums.negatives
        self.wins[offers] = sums.wins


def pair_sums(
    offers: npt.NDArray[np.int32],
    is_positive: npt.NDArray[np.bool_],
    users: npt.NDArray[np.int32],
    scores: npt.NDArray[Any],
    weights: Weights,
) -> tuple[npt.NDArray[np.int32], Sums]:
    """Sum over some pairs.

    Parameters
    ----------
    offers, is_positive, users : shape (pairs,)
        Offer, target and user of each pair.
    scores : any numbers, shape (pairs,)
        Higher is better.
    weights : int32, shape (users, samples)
        Of all users; a column of ones gives the value itself.

    Returns
    -------
    int32, shape (offers with a pair,)
        The offers, ascending.
    Sums
        Of these offers.
    """
    keys, place = np.unique(offers, return_inverse=True)
    present, user = np.unique(users, return_inverse=True)  # only their weights are looked at
    samples = PairSamples(
        place.astype(np.int32), is_positive, user.astype(np.int32), weights[present], len(keys)
    )
    return keys, Sums(*samples.sizes(), samples.wins(scores))


def merged(parts: Sequence[tuple[npt.NDArray[np.int32], Sums]], offers: int, samples: int) -> Sums:
    """Merge parts, ascending by their scores within each offer, to the sums of all offers."""
    total = Sums.nothing(offers, samples)
    for places, sums in parts:
        total.put(places, total.take(places) + sums)
    return total


def auc_of(sums: Sums) -> OfferAuc:
    """Give AUC and size of each offer from sums of one sample, in which every user weighs 1."""
    positives, negatives = (part[:, 0].astype(np.int64) for part in (sums.positives, sums.negatives))
    pairs = positives * negatives
    auc = np.divide(sums.wins[:, 0], pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
    return OfferAuc(auc=auc, positives=positives, negatives=negatives)

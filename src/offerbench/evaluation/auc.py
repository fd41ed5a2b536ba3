"""ROC AUC of every offer at once, by one sort."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.core.errors import OfferbenchError


@dataclass(frozen=True)
class OfferAuc:
    """AUC and size of each offer."""

    auc: npt.NDArray[np.float64]
    """NaN where an offer has no positive or no negative. Shape (offers,)."""
    positives: npt.NDArray[np.int64]
    """Shape (offers,)."""
    negatives: npt.NDArray[np.int64]
    """Shape (offers,)."""


def _sortable(scores: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Non-negative integers below 2**32 in the order of the scores, equal where they are equal."""
    if not np.isfinite(scores).all():
        raise OfferbenchError(
            "a model gives scores that are not finite: its training diverged. Lower the rate."
        )
    if scores.dtype != np.float32:
        ranks: npt.NDArray[np.int64] = np.unique(scores, return_inverse=True)[1].astype(np.int64)
        return ranks
    bits = (scores + np.float32(0)).view(np.int32)  # adding 0 makes -0.0 the same as 0.0
    # An IEEE 754 number's bits order as the number does, negative ones the other way round.
    ordered: npt.NDArray[np.int64] = (bits ^ (bits >> 31 & 0x7FFFFFFF)).astype(np.int64) + 2**31
    return ordered


def auc_by_offer(
    offers: npt.NDArray[np.int32],
    is_positive: npt.NDArray[np.bool_],
    scores: npt.NDArray[Any],
    count: int,
) -> OfferAuc:
    """ROC AUC of each offer over its pairs: the Mann-Whitney statistic, ties count half.

    Offer, score and target of a pair are packed into one integer; sorting those integers puts each
    offer's pairs side by side in the order of their scores, and no index is needed. Sums are of
    half integers below 2**52, so they are exact.

    Parameters
    ----------
    offers : int32, shape (pairs,)
        Offer of each pair, below `count`.
    is_positive : bool, shape (pairs,)
        Target of each pair.
    scores : float32 or float64, shape (pairs,)
        Higher is better.
    count : int
        Number of offers, below 2**30.

    Raises
    ------
    OfferbenchError
        If a score is not finite.
    """
    packed = np.sort(offers.astype(np.int64) << 33 | _sortable(scores) << 1 | is_positive)
    targets = (packed & 1).astype(np.int64)
    ties = packed >> 1  # equal where offer and score are
    first = np.flatnonzero(np.concatenate([np.ones(min(len(ties), 1), bool), ties[1:] != ties[:-1]]))
    offer = ties[first] >> 32  # (runs of ties,)
    run_length = np.diff(np.append(first, len(ties)))
    run_positives = np.add.reduceat(targets, first) if len(first) else np.empty(0, np.int64)
    run_negatives = run_length - run_positives
    positives = np.bincount(offer, weights=run_positives, minlength=count).astype(np.int64)
    negatives = np.bincount(offer, weights=run_negatives, minlength=count).astype(np.int64)
    before_offer = np.cumsum(negatives) - negatives
    below = np.cumsum(run_negatives) - run_negatives - before_offer[offer]  # negatives with a lower score
    wins = np.bincount(offer, weights=run_positives * (below + run_negatives / 2), minlength=count)
    pairs = positives * negatives
    auc = np.divide(wins, pairs, out=np.full(count, np.nan), where=pairs > 0)
    return OfferAuc(auc=auc, positives=positives, negatives=negatives)

"""From a ranker's logit to expected purchases: who is active, times what they buy.

A pair's logit z is trained on groups of m neighbours, whose events give m positive pairs and m (m - 1)
others. The positives (u, v) are drawn as p(u, v) = p(u) p(v | u); the others as p(u) pi_v, m - 1 of them
for each positive, since neighbours have nothing to do with each other but the time. The logistic loss is
smallest where z is the logarithm of the ratio of the two densities:

    accidental hits kept      exp(z) = p(v | u) / ((m - 1) pi_v)
    accidental hits left out  of the others only those stay whose user's own event is not of v, which is so
                              with the chance 1 - p(v | u):
                              exp(z) = p(v | u) / ((m - 1) pi_v (1 - p(v | u)))

so the share of v in u's purchases is (m - 1) pi_v exp(z), or sigmoid(z + log(m - 1) + log pi_v). p(u)
cancels: a score that is trained on such pairs can't know who shops at all. That is what activity adds.

Purchases come in shopping days. A user with lambda expected events on lambda_b expected days has lambda /
lambda_b events on a day; it contains v unless none of them is of v:

    mu = lambda_b (1 - (1 - p) ** (lambda / lambda_b))

mu is the expected number of days with a purchase of v.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from offerbench.campaigns.timeline import Floats

MAX_SHARE = 1 - 1e-9


def share(
    logits: npt.NDArray[np.floating[Any]],
    base: Floats,
    neighbours: int,
    remove_accidental_hits: Literal["none", "offer", "bought_that_day"],
) -> Floats:
    """Give the share of offers in users' purchases.

    Parameters
    ----------
    logits : float, shape (pairs,)
        Scores of a ranker.
    base : float64, shape (pairs,)
        Share of all users' purchases that is of the offer, above 0.
    neighbours : int
        Events of a negatives group of its training.
    remove_accidental_hits : str
        Which negatives its training left out. Where all that the user bought on that day are left out, the
        chance that a negative stays is nearer to that of its own event than to 1.

    Returns
    -------
    float64, shape (pairs,)
        Below 1.
    """
    log_odds = logits.astype(np.float64) + np.log((neighbours - 1) * base)
    if remove_accidental_hits == "none":
        shares: Floats = np.exp(np.minimum(log_odds, 0))
    else:
        shares = expit(log_odds)
    return np.minimum(shares, MAX_SHARE)


def expected_purchase_days(shares: Floats, events: Floats, days: Floats) -> Floats:
    """Give the expected number of days with a purchase of the offer, mu.

    Parameters
    ----------
    shares : float64, shape (pairs,)
        From `share`.
    events, days : float64, shape (pairs,)
        Expected events of the user, and expected days with one.
    """
    expected: Floats = -days * np.expm1(events / days * np.log1p(-shares))
    return expected


def chance_without_label(expected: Floats, factor: float) -> Floats:
    """Give the chance of at least one purchase if purchases come independently: 1 - exp(-factor mu)."""
    chances: Floats = -np.expm1(-factor * expected)
    return chances


def fit_factor(expected: Floats, is_buyer: npt.NDArray[np.bool_], weights: Floats) -> float:
    """Find the factor of `chance_without_label` for which as many buyers are expected as there were.

    Parameters
    ----------
    expected, is_buyer, weights : shape (pairs,)
        Expected days with a purchase, who bought, and how many pairs each stands for.
    """
    actual = float((is_buyer * weights).sum())
    low, high = 1e-3, 1e3
    for _ in range(60):  # halves the interval of logarithms: exact to the last digits
        middle = float(np.sqrt(low * high))
        if float((chance_without_label(expected, middle) * weights).sum()) < actual:
            low = middle
        else:
            high = middle
    return float(np.sqrt(low * high))

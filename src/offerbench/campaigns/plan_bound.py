"""How many buyers a plan can expect at most: the Lagrange bound, for plans too large to be solved exactly.

Give each campaign c a price m_c >= 0 for a place in its audience and forget its size. Then each user u takes
the best `cap` of chance - price, as far as they are above 0, and

    L(m) = sum over c of m_c size_c + sum over u of the best `cap` of max(0, chance_uc - m_c)

is at least what any plan within the sizes expects (Geoffrion 1974), whatever the prices. The lowest L is the
optimum of the linear program, as the program is convex; subgradient steps of Polyak's length come near it.
"""

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.scored_users import Floats, Users

STEPS = 60


def lagrange_bound(
    user: Users, campaign: Users, chance: Floats, sizes: npt.NDArray[np.int64], cap: int, least: float
) -> tuple[float, Floats]:
    """Bound the expected buyers of every plan.

    Parameters
    ----------
    user, campaign : int64, shape (pairs,)
        The pairs that a plan may take.
    chance : float64, shape (pairs,)
        Of each pair.
    sizes : int64, shape (campaigns,)
        Users that each campaign takes at most.
    cap : int
        Pairs of a user that are taken at most.
    least : float
        Expected buyers of a plan that is known: the length of the steps goes by it.

    Returns
    -------
    bound : float
        The lowest L that was seen.
    prices : float64, shape (campaigns,)
        Its prices.
    """
    by_user = np.argsort(user, kind="stable")
    user, campaign, chance = user[by_user], campaign[by_user], chance[by_user]
    prices = np.zeros(len(sizes))
    bound, best_prices = np.inf, prices
    for _ in range(STEPS):
        value, taken = _relaxed(user, campaign, chance - prices[campaign], len(sizes), cap)
        found = float(prices @ sizes) + value
        if found < bound:
            bound, best_prices = found, prices
        slack = sizes - taken  # a subgradient of L
        slack = np.where((prices == 0) & (slack > 0), 0, slack)  # a price can't fall below 0
        if found <= least or not slack.any():
            break
        prices = np.maximum(0.0, prices - (found - least) / float(slack @ slack) * slack)
    return max(bound, least), best_prices


def _relaxed(
    user: Users, campaign: Users, value: Floats, campaigns: int, cap: int
) -> tuple[float, npt.NDArray[np.int64]]:
    """Let each user take its best pairs: their value, and how many each campaign gets.

    `user` is ascending. Pairs of value 0 and below are not taken.
    """
    positive = np.flatnonzero(value > 0)
    user, campaign, value = user[positive], campaign[positive], value[positive]
    order = np.lexsort((-value, user))
    sorted_user = user[order]
    place = np.arange(len(order)) - np.searchsorted(sorted_user, sorted_user)
    taken = order[place < cap]
    return float(value[taken].sum()), np.bincount(campaign[taken], minlength=campaigns)

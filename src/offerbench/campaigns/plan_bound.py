"""How many buyers a plan can expect at most, and which pairs can be in the best one: Lagrange's bound.

Give each campaign c a price m_c >= 0 for a place in its audience and forget its size. Then each user u takes
the best `cap` of chance - price, as far as they are above 0, and

    L(m) = sum over c of m_c size_c + sum over u of the best `cap` of max(0, chance_uc - m_c)

is at least what any plan within the sizes expects (Geoffrion 1974), whatever the prices. The lowest L is the
optimum of the linear program; subgradient steps of Polyak's length come near it.

It also rules out pairs. Let t_u be the least that u takes, 0 if that is less than `cap` pairs. A plan with
the pair (u, c) expects at most L(m) - (t_u - (chance_uc - m_c)): to make room for the pair u gives up t_u. If
that is below what a known plan expects, no better plan has the pair. Few pairs are left, so that plans of
millions of pairs can be solved exactly.

Where a campaign's list of users is cut short, its price is kept at the chance of the last one on the list or
above. Then chance - price is not above 0 for anybody who isn't on it, so L of the lists is L of all users.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.scored_users import Floats, Users

Counts = npt.NDArray[np.int64]
STEPS_TO_RULE_OUT = 10  # after so many steps pairs are ruled out, which makes the next steps cheaper
ROUNDING = 1e-9  # of sums, relative: a pair isn't ruled out by less


@dataclass(frozen=True)
class Bound:
    """What is known of all plans."""

    value: float
    """No plan expects more buyers."""
    prices: Floats
    """Of the campaigns, at the lowest L that was seen. Shape (campaigns,)."""
    possible: Counts
    """Pairs that a plan better than the known one can have, ascending. Shape (possible pairs,)."""


def no_bound(campaign: Users, chance: Floats, sizes: Counts) -> Bound:
    """Give what is known at the start: prices as if each campaign were alone, and all pairs."""
    return Bound(np.inf, own_prices(campaign, chance, sizes), np.arange(len(chance)))


def lagrange_bound(
    pairs: tuple[Users, Users, Floats],
    sizes: Counts,
    cap: int,
    known: float,
    start: Bound,
    steps: int,
    floors: Floats,
) -> Bound:
    """Bound the expected buyers of every plan.

    Parameters
    ----------
    pairs : tuple of int64, int64, float64, shape (pairs,) each
        User, campaign and chance of the pairs that a plan may take.
    sizes : int64, shape (campaigns,)
        Users that each campaign takes at most.
    cap : int
        Pairs of a user that are taken at most.
    known : float
        Expected buyers of a plan that is known. The nearer to the best, the more pairs are ruled out.
    start : Bound
        What is known so far.
    steps : int
        Subgradient steps.
    floors : float64, shape (campaigns,)
        No pair that is left out of `pairs` has a higher chance; 0 where none is.
    """
    user, campaign, chance = pairs
    possible = start.possible[np.argsort(user[start.possible], kind="stable")]
    prices = best_prices = start.prices
    lowest = np.inf
    if np.isfinite(start.value):  # the known plan may be better than at the start
        possible = rule_out(pairs, sizes, cap, known, prices, possible)
    for step in range(1, steps + 1):
        gain, taken, _ = take_best(user[possible], chance[possible] - prices[campaign[possible]], cap)
        found = float(prices @ sizes) + gain
        if found < lowest:
            lowest, best_prices = found, prices
        slack = sizes - np.bincount(campaign[possible[taken]], minlength=len(sizes))  # a subgradient of L
        slack = np.where((prices <= floors) & (slack > 0), 0, slack)  # a price can't fall below its floor
        if found <= known or not slack.any():
            break
        prices = np.maximum(floors, prices - (found - known) / float(slack @ slack) * slack)
        if step % STEPS_TO_RULE_OUT == 0:
            possible = rule_out(pairs, sizes, cap, known, best_prices, possible)
    possible = rule_out(pairs, sizes, cap, known, best_prices, possible)
    return Bound(max(min(lowest, start.value), known), best_prices, np.sort(possible))


def own_prices(campaign: Users, chance: Floats, sizes: Counts) -> Floats:
    """Give the chance of the last user that each campaign would take if it were alone; 0 if it has room."""
    prices = np.zeros(len(sizes))
    for number, size in enumerate(sizes.tolist()):
        own = chance[campaign == number]
        if len(own) >= size:
            prices[number] = np.partition(own, len(own) - size)[len(own) - size]
    return prices


def take_best(user: Users, value: Floats, cap: int) -> tuple[float, Counts, Floats]:
    """Let each user take its best pairs, as far as their value is above 0.

    Parameters
    ----------
    user : int64, shape (pairs,)
        Ascending.
    value : float64, shape (pairs,)
        Of each pair.
    cap : int
        Pairs that a user takes at most.

    Returns
    -------
    gain : float
        Sum of the values of the pairs that are taken.
    taken : int64, shape (taken pairs,)
        Their rows.
    least : float64, shape (pairs,)
        For each pair the least value that its user takes, 0 if the user takes less than `cap` pairs.
    """
    positive = np.flatnonzero(value > 0)
    owner, worth = user[positive], value[positive]
    order = np.lexsort((-worth, owner))
    owner, worth = owner[order], worth[order]
    place = np.arange(len(order)) - np.searchsorted(owner, owner)
    is_taken, is_last = place < cap, place == cap - 1
    least = np.zeros(len(user))
    if is_last.any():
        full = np.searchsorted(owner[is_last], user)
        full_user = np.minimum(full, int(is_last.sum()) - 1)
        is_full = owner[is_last][full_user] == user
        least[is_full] = worth[is_last][full_user[is_full]]
    return float(worth[is_taken].sum()), positive[order[is_taken]], least


def rule_out(
    pairs: tuple[Users, Users, Floats],
    sizes: Counts,
    cap: int,
    known: float,
    prices: Floats,
    possible: Counts,
) -> Counts:
    """Keep the pairs that a plan better than the known one can have; `possible` is in the order of users."""
    user, campaign, chance = pairs
    value = chance[possible] - prices[campaign[possible]]
    gain, _, least = take_best(user[possible], value, cap)
    bound = float(prices @ sizes) + gain
    is_kept = bound - (least - value) >= known - ROUNDING * (1 + abs(bound))
    return np.asarray(possible[is_kept], np.int64)

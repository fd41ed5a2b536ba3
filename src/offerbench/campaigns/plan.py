"""The plan of several campaigns that expects most buyers within the sizes and the cap on messages.

A pair (user, campaign) that is taken brings its chance. A campaign takes at most its size, a user at most
`cap` pairs. As a linear program, with x between 0 and 1 for each pair:

    maximise   sum of chance x    subject to   sum of x over a campaign <= its size
                                               sum of x over a user     <= cap

Its matrix is the incidence matrix of a bipartite graph: each column has one 1 among the rows of users and
one 1 among those of campaigns. Such a matrix is totally unimodular (Hoffman and Kruskal 1956): in a square
part with a column of one 1 or none the determinant is that of a smaller part, or 0; if all columns have
two, the rows of users and those of campaigns have the same sum, so it is 0. Sizes, cap and bounds are whole
numbers, so by Cramer's rule every vertex is whole: x is 0 or 1, without any branching. The simplex method
ends at a vertex.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linprog

from offerbench.campaigns.plan_bound import lagrange_bound, no_bound
from offerbench.campaigns.scored_users import Floats, Users

Mask = npt.NDArray[np.bool_]
STEPS = (10, 20, 40, 80)  # of the bound; after each number a better plan is looked for, at its prices
BLOCK = 100_000  # pairs that are looked at together; those without room are passed over at once


@dataclass(frozen=True)
class Pairs:
    """Pairs of user and campaign that a plan may take."""

    user: Users
    """Any number that stands for the user. Shape (pairs,)."""
    campaign: Users
    """0, 1, .. Shape (pairs,)."""
    chance: Floats
    """That the user buys the campaign's offer. Shape (pairs,)."""


@dataclass(frozen=True)
class Plan:
    """Which pairs are taken."""

    is_taken: Mask
    """Shape (pairs,)."""
    expected_buyers: float
    """Sum of the chances of the taken pairs."""
    bound: float
    """No plan expects more buyers."""
    is_exact: bool
    """Whether no plan is better; if not, the bound says by how much one could be."""


def best_plan(
    pairs: Pairs, sizes: Sequence[int], cap: int, exact_pairs: int, floors: Floats | None = None
) -> Plan:
    """Choose the pairs that together expect most buyers.

    Parameters
    ----------
    pairs : Pairs
        Of each campaign at least its best `needed_users`, or all; or its best `listed_users`.
    sizes : sequence of int
        Users that each campaign takes at most.
    cap : int
        Campaigns that take the same user at most.
    exact_pairs : int
        If more pairs than that can be in the best plan, by the bound of `plan_bound`, the plan is greedy: the
        pairs by descending chance, and by descending chance less the campaign's price in the bound, the
        better of both.
    floors : float64, shape (campaigns,), optional
        No pair that a campaign needs and that isn't in `pairs` has a higher chance; 0 where all are, which
        they are if None.
    """
    floors = np.zeros(len(sizes)) if floors is None else floors
    owner = np.unique(pairs.user, return_inverse=True)[1]
    pairs = Pairs(owner, pairs.campaign, pairs.chance)  # users as 0, 1, ..
    best = take_greedily(pairs, pairs.chance, sizes, cap)
    if cap >= len(sizes):  # no user can get too many: each campaign has its best
        return _exact(pairs, best)
    known = _expected(pairs, best)
    columns, limits = (pairs.user, pairs.campaign, pairs.chance), np.asarray(sizes)
    bound = no_bound(pairs.campaign, pairs.chance, limits)
    for steps in STEPS:
        bound = lagrange_bound(columns, limits, cap, known, bound, steps, floors)
        possible = _rows(pairs, bound.possible)
        by_price = take_greedily(possible, possible.chance - bound.prices[possible.campaign], sizes, cap)
        if _expected(possible, by_price) > known:
            best, known = _mask(bound.possible[by_price], len(owner)), _expected(possible, by_price)
    is_solved = len(bound.possible) <= exact_pairs
    if is_solved:
        is_taken = solve_exactly(_rows(pairs, bound.possible), sizes, cap)
        if _expected(_rows(pairs, bound.possible), is_taken) >= known:
            best = _mask(bound.possible[is_taken], len(owner))
    best = take_greedily(pairs, pairs.chance, sizes, cap, best)  # what room is left, for users of no chance
    if is_solved and not floors.any():
        return _exact(pairs, best)
    expected = _expected(pairs, best)
    return Plan(best, expected, max(bound.value, expected), is_exact=False)  # sums are rounded


def _rows(pairs: Pairs, rows: Users) -> Pairs:
    return Pairs(pairs.user[rows], pairs.campaign[rows], pairs.chance[rows])


def _mask(rows: Users, length: int) -> Mask:
    mask = np.zeros(length, bool)
    mask[rows] = True
    return mask


def _expected(pairs: Pairs, is_taken: Mask) -> float:
    return float(pairs.chance[is_taken].sum())


def _exact(pairs: Pairs, is_taken: Mask) -> Plan:
    expected = _expected(pairs, is_taken)
    return Plan(is_taken, expected, expected, is_exact=True)


def solve_exactly(pairs: Pairs, sizes: Sequence[int], cap: int) -> Mask:
    """Solve the linear program of the module by HiGHS's dual simplex.

    Returns
    -------
    bool, shape (pairs,)
    """
    count = len(pairs.user)
    if not count:
        return np.zeros(0, bool)
    _, of_user, pairs_of_user = np.unique(pairs.user, return_inverse=True, return_counts=True)
    is_binding = pairs_of_user > cap  # the others can't get too many
    row_of_user = np.cumsum(is_binding) - 1
    binding = np.flatnonzero(is_binding[of_user])
    rows = np.concatenate([pairs.campaign, len(sizes) + row_of_user[of_user[binding]]])
    columns = np.concatenate([np.arange(count), binding])
    shape = (len(sizes) + int(is_binding.sum()), count)
    matrix = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape)
    limits = np.concatenate([np.asarray(sizes, float), np.full(shape[0] - len(sizes), float(cap))])
    # Chances may all be tiny, while the solver's tolerances are absolute.
    scale = max(float(np.max(pairs.chance)), 1e-300)
    options = {"dual_feasibility_tolerance": 1e-10, "primal_feasibility_tolerance": 1e-10}
    solved = linprog(-pairs.chance / scale, matrix, limits, bounds=(0, 1), method="highs-ds", options=options)
    if solved.x is None:
        raise RuntimeError(f"the plan has no solution: {solved.message}")  # all zero is one
    is_taken: Mask = solved.x > 0.5
    if np.abs(solved.x - is_taken).max(initial=0.0) > 1e-6:
        raise RuntimeError("the plan is not whole: the solver did not end at a vertex")
    return is_taken


def take_greedily(
    pairs: Pairs, value: Floats, sizes: Sequence[int], cap: int, first: Mask | None = None
) -> Mask:
    """Take pairs by descending value where the campaign and the user still have room.

    Parameters
    ----------
    pairs, sizes, cap : Pairs, sequence of int, int
        As for `best_plan`; users are 0, 1, ..
    value : float64, shape (pairs,)
        The higher, the earlier; ties in the order of the pairs.
    first : bool, shape (pairs,), optional
        Pairs that are taken before all others.

    Returns
    -------
    bool, shape (pairs,)
    """
    is_taken = np.zeros(len(value), bool) if first is None else first.copy()
    owner = pairs.user
    room = np.asarray(sizes, np.int64) - np.bincount(pairs.campaign[is_taken], minlength=len(sizes))
    messages = cap - np.bincount(owner[is_taken], minlength=int(owner.max(initial=-1)) + 1)
    # Of the same numbers, and quicker to change one by one.
    room_left, messages_left = memoryview(room.data), memoryview(messages.data)
    order = np.argsort(-value, kind="stable")
    order = order[~is_taken[order]]
    for start in range(0, len(order), BLOCK):
        if not room.any():
            break
        block = order[start : start + BLOCK]
        block = block[(room[pairs.campaign[block]] > 0) & (messages[owner[block]] > 0)]
        listed = zip(block.tolist(), pairs.campaign[block].tolist(), owner[block].tolist(), strict=True)
        for pair, campaign, user in listed:
            if room_left[campaign] and messages_left[user]:
                room_left[campaign] -= 1
                messages_left[user] -= 1
                is_taken[pair] = True
    return is_taken

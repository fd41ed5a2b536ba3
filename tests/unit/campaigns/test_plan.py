"""The plan of several campaigns: the best there is, or how far from it at most."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.campaigns.plan import (
    Pairs,
    Plan,
    best_plan,
    take_greedily,
)
from offerbench.campaigns.plan_size import listed_users, needed_users, refuse_too_many_messages
from offerbench.core.errors import OfferbenchError
from tests.oracle.plan import best_value

CHANCES = st.none() | st.sampled_from([0.0, 0.1, 0.2, 0.2, 0.5]) | st.floats(0, 1)


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[list[float | None]], list[int], int]:
    campaigns, users = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    chances = [[draw(CHANCES) for _ in range(campaigns)] for _ in range(users)]
    sizes = [draw(st.integers(1, 4)) for _ in range(campaigns)]
    return chances, sizes, draw(st.integers(1, 3))


def pairs_of(chances: list[list[float | None]], needed: list[int] | None = None) -> Pairs:
    """All pairs, or only the best so many of each campaign, ties by user."""
    listed = []
    for campaign in range(len(chances[0])):
        of_campaign = [
            (-chance, user) for user, row in enumerate(chances) if (chance := row[campaign]) is not None
        ]
        kept = sorted(of_campaign)[: needed[campaign] if needed else None]
        listed.extend((user, campaign, -chance) for chance, user in kept)
    users, campaigns, values = zip(*listed, strict=True) if listed else ((), (), ())
    return Pairs(np.array(users, np.int64), np.array(campaigns, np.int64), np.array(values, np.float64))


def refuse_broken(plan: Plan, pairs: Pairs, sizes: list[int], cap: int) -> None:
    assert (np.bincount(pairs.campaign[plan.is_taken], minlength=len(sizes)) <= sizes).all()
    assert (np.unique(pairs.user[plan.is_taken], return_counts=True)[1] <= cap).all()
    assert plan.expected_buyers == pytest.approx(pairs.chance[plan.is_taken].sum())
    assert plan.expected_buyers <= plan.bound


@given(problems())
def test_no_plan_is_better(problem: tuple[list[list[float | None]], list[int], int]) -> None:
    chances, sizes, cap = problem
    best = best_value(chances, sizes, min(cap, len(sizes)))
    for needed in (None, needed_users(sizes, cap)):  # the best users of each campaign are enough
        pairs = pairs_of(chances, needed)
        pairs = Pairs(pairs.user * 7 - 3, pairs.campaign, pairs.chance)  # users have any numbers
        plan = best_plan(pairs, sizes, cap, exact_pairs=100)
        refuse_broken(plan, pairs, sizes, cap)
        assert plan.is_exact
        assert plan.bound == plan.expected_buyers == pytest.approx(best, abs=1e-9)


@given(problems())
def test_the_best_plan_is_between_the_greedy_one_and_its_bound(
    problem: tuple[list[list[float | None]], list[int], int],
) -> None:
    chances, sizes, cap = problem
    pairs = pairs_of(chances)
    plan = best_plan(pairs, sizes, cap, exact_pairs=0)
    refuse_broken(plan, pairs, sizes, cap)
    best = best_value(chances, sizes, min(cap, len(sizes)))
    assert plan.expected_buyers <= best + 1e-9
    assert best <= plan.bound + 1e-9
    greedy = take_greedily(pairs, pairs.chance, sizes, cap)
    assert plan.expected_buyers >= pairs.chance[greedy].sum() - 1e-12
    assert plan.expected_buyers >= best / 2 - 1e-9  # what greedy is worth at least (Avis 1983)


def drawn(users: int, campaigns: int, seed: int) -> Pairs:
    generator = np.random.default_rng(seed)
    logit = generator.normal(-3, 1.2, (users, 1)) + generator.normal(0, 0.8, (users, campaigns))
    return Pairs(
        np.repeat(np.arange(users), campaigns),
        np.tile(np.arange(campaigns), users),
        (1 / (1 + np.exp(-logit))).reshape(-1),
    )


@pytest.mark.parametrize("cap", [1, 2])
def test_the_gap_of_a_larger_plan_is_small(cap: int) -> None:
    pairs, sizes = drawn(1500, 4, 1), [300, 200, 250, 100]
    exact = best_plan(pairs, sizes, cap, exact_pairs=len(pairs.user))
    greedy = best_plan(pairs, sizes, cap, exact_pairs=0)
    assert exact.is_exact and not greedy.is_exact
    assert greedy.expected_buyers <= exact.expected_buyers <= greedy.bound
    assert greedy.bound - greedy.expected_buyers < 0.01 * exact.expected_buyers
    assert exact.is_taken.sum() == sum(sizes)


def test_a_user_that_two_campaigns_want_goes_where_the_other_loses_more() -> None:
    """By chance alone the first campaign would take user 0, and the second be left with 0.1."""
    pairs = pairs_of([[0.6, 0.5], [0.55, 0.1]])
    plan = best_plan(pairs, [1, 1], 1, exact_pairs=10)
    assert plan.expected_buyers == pytest.approx(1.05)
    assert pairs.chance[take_greedily(pairs, pairs.chance, [1, 1], 1)].sum() == pytest.approx(0.7)


@pytest.mark.parametrize(("sizes", "cap", "needed"), [([1, 1, 2], 1, [4, 4, 4]), ([1, 2, 2], 2, [3, 3, 3])])
def test_as_many_users_are_needed_as_others_can_take_away(
    sizes: list[int], cap: int, needed: list[int]
) -> None:
    """All want the same users, and the first values the second best hardly less than the best."""
    assert needed_users(sizes, cap) == needed
    assert needed_users(sizes, 3) == sizes  # nobody can be taken away
    chances: list[list[float | None]] = [
        [0.5 - user / 100, 0.9 - user / 5, 0.9 - user / 5] for user in range(4)
    ]
    plan = best_plan(pairs_of(chances, needed), sizes, cap, exact_pairs=100)
    assert plan.expected_buyers == pytest.approx(best_value(chances, sizes, cap), abs=1e-9)


def test_tiny_chances_are_told_apart() -> None:
    """The solver's tolerances are absolute."""
    chances = [[3e-9, 2e-9], [2.9e-9, 1e-9], [0.0, 0.0]]
    plan = best_plan(pairs_of(chances), [1, 1], 1, exact_pairs=10)  # type: ignore[arg-type]
    assert plan.expected_buyers == pytest.approx(4.9e-9, rel=1e-9)


def test_a_user_without_a_cap_is_in_all_audiences() -> None:
    pairs = pairs_of([[0.9, 0.8], [0.1, 0.2]])
    plan = best_plan(pairs, [1, 1], 2, exact_pairs=0)
    assert plan.is_exact
    assert plan.is_taken.tolist() == [True, False, True, False]


def test_more_messages_than_users_may_get_are_refused() -> None:
    refuse_too_many_messages([3, 3], 2, 3)
    with pytest.raises(OfferbenchError, match="want 7 messages, but 3 users with at most 2 each get 6"):
        refuse_too_many_messages([3, 4], 2, 3)
    with pytest.raises(OfferbenchError, match="get 6"):  # a third message of two campaigns is none
        refuse_too_many_messages([3, 4], 3, 3)


def test_room_is_filled_with_users_of_no_chance() -> None:
    plan = best_plan(pairs_of([[0.5, 0.4], [0.0, 0.0], [0.0, 0.0]]), [2, 1], 1, exact_pairs=10)
    assert plan.is_taken.sum() == 3
    assert plan.expected_buyers == 0.5


@pytest.mark.slow
def test_a_million_pairs_take_seconds() -> None:
    pairs = drawn(100_000, 10, 2)
    start = time.perf_counter()
    plan = best_plan(pairs, [5_000] * 10, 1, exact_pairs=200_000)
    assert time.perf_counter() - start < 120
    assert plan.is_exact
    refuse_broken(plan, pairs, [5_000] * 10, 1)


@given(problem=problems(), data=st.data())
def test_the_bound_holds_for_users_that_are_not_listed(
    problem: tuple[list[list[float | None]], list[int], int], data: st.DataObject
) -> None:
    chances, sizes, cap = problem
    listed = [data.draw(st.integers(size, len(chances) + size)) for size in sizes]
    columns = [[row[place] for row in chances if row[place] is not None] for place in range(len(sizes))]
    ordered = [sorted((each for each in column if each is not None), reverse=True) for column in columns]
    floors = [
        column[number - 1] if number < len(column) else 0.0
        for column, number in zip(ordered, listed, strict=True)
    ]
    pairs = pairs_of(chances, listed)
    best = best_value(chances, sizes, min(cap, len(sizes)))
    for exact_pairs in (0, 100):
        plan = best_plan(pairs, sizes, cap, exact_pairs, np.array(floors))
        refuse_broken(plan, pairs, sizes, cap)
        assert plan.expected_buyers <= best + 1e-9
        assert best <= plan.bound + 1e-9
        if plan.is_exact:
            assert plan.expected_buyers == pytest.approx(best, abs=1e-9)


def test_no_more_pairs_are_looked_at_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert listed_users([10, 20], 1, users=1000) == needed_users([10, 20], 1)
    assert listed_users([10, 20], 1, users=25) == [25, 25]
    monkeypatch.setattr("offerbench.campaigns.plan_size.MAX_PAIRS", 300)
    assert listed_users([10, 20], 1, users=1000) == needed_users([10, 20], 1)
    assert listed_users([50, 200], 1, users=1000) == [150, 200]  # of its size at least
    with pytest.raises(OfferbenchError, match="want 301 messages, but no more than 300 can be planned"):
        listed_users([101, 200], 1, users=1000)


@pytest.mark.parametrize("cap", [1, 3])
def test_a_plan_of_short_lists_is_near_its_bound(cap: int) -> None:
    pairs, sizes = drawn(4_000, 8, 2), [150] * 8
    matrix = pairs.chance.reshape(-1, 8)
    floors = np.sort(matrix, axis=0)[-400]
    listed = pairs.chance >= floors[pairs.campaign]
    some = Pairs(pairs.user[listed], pairs.campaign[listed], pairs.chance[listed])
    plan = best_plan(some, sizes, cap, 10**6, floors)
    best = best_plan(pairs, sizes, cap, 10**6)
    assert best.is_exact and not plan.is_exact
    assert plan.expected_buyers <= best.expected_buyers + 1e-9 <= plan.bound + 2e-9
    assert plan.bound - plan.expected_buyers < 0.02 * best.expected_buyers

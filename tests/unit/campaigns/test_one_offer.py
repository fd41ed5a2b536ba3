"""One offer and all users: the inputs of any pairs, bit for bit."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offerbench.campaigns.moment import Moment
from offerbench.campaigns.offers_as_of import OffersAsOf, described
from offerbench.campaigns.one_offer import _distinct
from offerbench.campaigns.single_offer import single_offer
from offerbench.campaigns.users_as_of import Numbers
from offerbench.core.columns import Split

SHARES = st.sampled_from([0.0, 0.001, 0.05, 0.5, 1.0])
"""Parts of the events that are of an offer: of none, of a few, of all."""
TASKS = st.sampled_from([None, "brand", "price_cluster"])


def drawn_offer(moment: Moment, day: int, share: float, task: str | None, seed: int) -> OffersAsOf:
    """An offer of events drawn at random."""
    is_of_offer = np.random.default_rng(seed).random(len(moment.timeline.users)) < share
    return single_offer(moment.past(day), is_of_offer, {}, moment.parameters.values_per_feature, task)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=SHARES, task=TASKS, seed=st.integers(0, 2**32 - 1), days=st.integers(0, 9), split=st.booleans())
def test_inputs_are_those_of_pairs(
    moment: Moment, share: float, task: str | None, seed: int, days: int, split: bool
) -> None:
    day = moment.until - days
    users, other = (moment.users([Split.TEST] if split else list(Split), day) for _ in range(2))
    offer = drawn_offer(moment, day, share, task, seed)
    places = np.arange(len(users)), np.zeros(len(users), np.int64)
    slow = moment.pairs(moment.past(day), other, offer)
    quick = moment.one_offer(moment.past(day), users, offer)
    expected, found = slow.columns(*places), quick.columns(*places)
    assert set(found) == set(expected)
    for name, values in expected.items():
        assert found[name].dtype == values.dtype == np.float32
        assert np.array_equal(found[name], values), name
    assert np.array_equal(quick.inputs(*places), slow.inputs(*places))  # 0.0 and -0.0 are equal
    for name, values in slow.history.of_pairs(*places).items():
        assert quick.bought[name].tobytes() == values.tobytes()
    numbers = (
        moment.head.chances_and_purchases(slow, *places),
        moment.head.chances_and_purchases(quick, *places),
    )
    for one, another in zip(*numbers, strict=True):
        assert one.tobytes() == another.tobytes()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 1.0])
def test_an_offer_is_described_as_many_are(moment: Moment, share: float) -> None:
    for day in (moment.until, moment.until - 9):
        past, found = moment.past(day), drawn_offer(moment, day, share, None, 5)
        expected = described(past, None, found.offer_of_row.astype(np.int32), found.table)
        for name in ("prior", "day_share", "buyers", "age"):
            one, another = getattr(found, name), getattr(expected, name)
            assert one.dtype == another.dtype and one.tobytes() == another.tobytes(), name


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 900)), max_size=40))
def test_distinct_combinations(rows: list[tuple[int, int]]) -> None:
    columns = [np.array([row[place] for row in rows], np.int64) for place in (0, 1)]
    first, combination = _distinct(columns)
    assert [rows[place] for place in first] == sorted(set(rows))
    assert [rows[first[each]] for each in combination] == rows


@given(st.lists(st.integers(0, 50), max_size=40))
def test_distinct_numbers(values: list[int]) -> None:
    found = Numbers.of(np.array(values, np.int64))
    assert found.values.tolist() == sorted(set(values))
    assert found.values[found.place].tolist() == values

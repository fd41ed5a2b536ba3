"""The pairs of a task and the negatives that are none, against loops over the pairs and the log."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from offerbench.core.columns import DAY, USER, Split
from offerbench.evaluation.pairs import Hits, Measure, find_hits, measured_pairs, pair_facts
from offerbench.features.offers import OfferTable
from offerbench.scorers.contexts import Contexts
from offerbench.scorers.pairs import TaskPairs
from tests.oracle import evaluation as oracle

from ..event_log import BRANDS, EVENTS, data_of


def pairs_of(events: list[tuple[int, int, int]], rows: np.ndarray) -> TaskPairs:
    """Negatives groups of some events, shape (groups, m), with their own brands."""
    data, keys = data_of(events), np.arange(BRANDS, dtype=np.int32)
    table = OfferTable(keys, np.ones(BRANDS, np.float32), distributions={})
    return TaskPairs("brand", table, Contexts.of_events(data, Split.TEST, rows), data.events["brand"][rows])


def places_of(mask: np.ndarray) -> list[tuple[int, int]]:
    """Places of the user's event and the offer's, of each pair of a mask (groups, m, m)."""
    neighbours = mask.shape[1]
    return [(b * neighbours + i, b * neighbours + j) for b, i, j in np.argwhere(mask).tolist()]


@given(EVENTS, st.integers(1, 5), st.data())
def test_hits_are_those_of_the_loops(
    events: list[tuple[int, int, int]], neighbours: int, data: st.DataObject
) -> None:
    size = neighbours * data.draw(st.integers(1, 4), "groups")
    place = st.integers(0, len(events) - 1)
    rows = data.draw(st.lists(place, min_size=size, max_size=size), "rows")
    pairs = pairs_of(events, np.array(rows).reshape(-1, neighbours))
    columns = (pairs.contexts.data.events[name].tolist() for name in (USER, DAY, "brand"))
    expected = oracle.hits(oracle.Log(*columns), rows, neighbours)
    found = find_hits(pairs, np.eye(pairs.shape[1], dtype=bool))
    for kind in oracle.KINDS:
        of_kind = [pair for pair, name in expected.items() if name == kind]
        assert places_of(getattr(found, kind)) == of_kind
    for measure in Measure:
        left_out = [pair for pair, name in expected.items() if name in oracle.LEFT_OUT[measure]]
        assert places_of(found.left_out(measure)) == left_out
    kinds = list(expected.values())
    assert found.counts() == {
        "negatives_with_own_offer": kinds.count(oracle.OWN_OFFER),
        "negatives_bought_that_day": kinds.count(oracle.BOUGHT_THAT_DAY),
        "negatives_of_own_events": kinds.count(oracle.OWN_EVENT),
    }


@given(EVENTS, st.integers(1, 5), st.data())
def test_facts_are_those_of_the_loops(
    events: list[tuple[int, int, int]], neighbours: int, data: st.DataObject
) -> None:
    size = neighbours * data.draw(st.integers(1, 4), "groups")
    place = st.integers(0, len(events) - 1)
    rows = data.draw(st.lists(place, min_size=size, max_size=size), "rows")
    pairs = pairs_of(events, np.array(rows).reshape(-1, neighbours))
    columns = (pairs.contexts.data.events[name].tolist() for name in (USER, DAY, "brand"))
    assert pair_facts(pairs, np.eye(neighbours, dtype=bool)) == oracle.pair_facts(
        oracle.Log(*columns), rows, neighbours
    )
    past = pairs.contexts.past(None)
    diagonal = np.diagonal(pairs.match_counts(*past), axis1=1, axis2=2)
    assert pairs.own_match_counts(*past).tolist() == diagonal.tolist()


@given(st.integers(1, 5), st.integers(0, 6), st.data())
def test_pairs_are_those_of_the_loops(neighbours: int, groups: int, data: st.DataObject) -> None:
    events = neighbours * groups
    offers = data.draw(st.lists(st.integers(0, 3), min_size=events, max_size=events), "offers")
    shape = (groups, neighbours, neighbours)
    number = groups * neighbours**2
    drawn = data.draw(st.lists(st.booleans(), min_size=number, max_size=number), "left out")
    left_out = np.array(drawn, bool).reshape(shape) & ~np.eye(neighbours, dtype=bool)
    found = measured_pairs(
        np.array(offers, np.int32).reshape(-1, neighbours), left_out, np.eye(neighbours, dtype=bool)
    )
    pairs = oracle.measured_pairs(events, neighbours, set(places_of(left_out)))
    assert places_of(found.kept) == [(pair.user_event, pair.offer_event) for pair in pairs]
    assert found.offers.tolist() == [offers[pair.offer_event] for pair in pairs]
    assert found.is_positive.tolist() == [pair.is_positive for pair in pairs]
    of_event = np.arange(events).reshape(-1, neighbours)
    assert found.of_users(of_event).tolist() == [pair.user_event for pair in pairs]


def test_published_pairs_by_hand() -> None:
    # One group of three users who bought brands 1, 2, 1. Of nine pairs the two negatives between the first
    # and the last event are of their positive's offer.
    pairs = pairs_of([(0, 0, 1), (1, 0, 2), (2, 0, 1)], np.arange(3)[None])
    hits = find_hits(pairs, np.eye(pairs.shape[1], dtype=bool))
    found = measured_pairs(pairs.offer_of_event, hits.left_out(Measure.PUBLISHED), np.eye(3, dtype=bool))
    assert found.kept.tolist() == [[[True, True, False], [True, True, True], [False, True, True]]]
    assert found.offers.tolist() == [1, 2, 1, 2, 1, 2, 1]
    assert found.is_positive.tolist() == [True, False, False, True, False, False, True]
    assert hits.counts() == {
        "negatives_with_own_offer": 2,
        "negatives_bought_that_day": 0,
        "negatives_of_own_events": 0,
    }
    # Nobody bought anything else that day: the clean pairs are the same.
    clean = measured_pairs(pairs.offer_of_event, hits.left_out(Measure.CLEAN), np.eye(3, dtype=bool))
    assert clean.kept.tolist() == found.kept.tolist()


def test_clean_pairs_by_hand() -> None:
    # User 0 buys brands 1 and 2 on day 5, and brand 3 on day 6; user 1 buys brand 2 on day 5.
    # The group: user 0's brand 1, user 1's brand 2, user 0's brand 3.
    log = [(0, 5, 1), (0, 5, 2), (0, 6, 3), (1, 5, 2)]
    pairs = pairs_of(log, np.array([[0, 3, 2]]))
    hits = find_hits(pairs, np.eye(pairs.shape[1], dtype=bool))
    nothing, no = np.zeros((1, 3, 3), bool), [False] * 3
    assert hits.own_offer.tolist() == nothing.tolist()
    # User 0 bought user 1's brand 2 on the day of brand 1, but not on the day of brand 3.
    assert hits.bought_that_day.tolist() == [[[False, True, False], no, no]]
    # Brands 1 and 3 are both of user 0, on different days.
    assert hits.own_event.tolist() == [[[False, False, True], no, [True, False, False]]]
    assert hits.left_out(Measure.PUBLISHED).tolist() == nothing.tolist()
    clean = measured_pairs(pairs.offer_of_event, hits.left_out(Measure.CLEAN), np.eye(3, dtype=bool))
    assert clean.kept.tolist() == [[[True, False, False], [True, True, True], [False, True, True]]]
    assert clean.offers.tolist() == [1, 1, 2, 3, 2, 3]
    assert clean.is_positive.tolist() == [True, False, True, False, False, True]


def test_measures_are_the_published_and_the_clean() -> None:
    assert [str(measure) for measure in Measure] == ["published", "clean"] == list(oracle.LEFT_OUT)
    one = [np.array([[[place == kind for place in range(3)]]]) for kind in range(3)]
    hits = Hits(*one)
    assert hits.left_out(Measure.PUBLISHED).tolist() == [[[True, False, False]]]
    assert hits.left_out(Measure.CLEAN).tolist() == [[[True, True, True]]]

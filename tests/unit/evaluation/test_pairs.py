"""The pairs of a task, against a triple loop."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from offerbench.evaluation.pairs import measured_pairs
from tests.oracle import evaluation as oracle


@given(st.integers(1, 5), st.integers(0, 6), st.data())
def test_pairs_are_those_of_the_loops(neighbours: int, groups: int, data: st.DataObject) -> None:
    events = neighbours * groups
    offers = data.draw(st.lists(st.integers(0, 3), min_size=events, max_size=events), "offers")
    found = measured_pairs(np.array(offers, np.int32).reshape(-1, neighbours))
    pairs, hits = oracle.measured_pairs(offers, neighbours)
    places = [(b * neighbours + i, b * neighbours + j) for b, i, j in np.argwhere(found.kept)]
    assert places == [(pair.user_event, pair.offer_event) for pair in pairs]
    assert found.offers.tolist() == [offers[pair.offer_event] for pair in pairs]
    assert found.is_positive.tolist() == [pair.is_positive for pair in pairs]
    assert found.accidental_hits == hits
    of_event = np.arange(events).reshape(-1, neighbours)
    assert found.of_users(of_event).tolist() == [pair.user_event for pair in pairs]


def test_pairs_by_hand() -> None:
    # One group whose users bought offers 1, 2, 1. Of nine pairs the two negatives between the first
    # and the last event are of their positive's offer.
    found = measured_pairs(np.array([[1, 2, 1]], np.int32))
    assert found.kept.tolist() == [[[True, True, False], [True, True, True], [False, True, True]]]
    assert found.offers.tolist() == [1, 2, 1, 2, 1, 2, 1]
    assert found.is_positive.tolist() == [True, False, False, True, False, False, True]
    assert found.accidental_hits == 2

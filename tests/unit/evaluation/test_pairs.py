"""The pairs of a task, against a triple loop."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from offerbench.evaluation.pairs import task_pairs
from tests.oracle import evaluation as oracle


@given(st.integers(1, 5), st.integers(0, 6), st.data())
def test_pairs_are_those_of_the_loops(minibatch: int, minibatches: int, data: st.DataObject) -> None:
    events = minibatch * minibatches
    offers = data.draw(st.lists(st.integers(0, 3), min_size=events, max_size=events), "offers")
    found = task_pairs(np.array(offers, np.int32).reshape(-1, minibatch))
    pairs, dropped = oracle.task_pairs(offers, minibatch)
    places = [(b * minibatch + i, b * minibatch + j) for b, i, j in np.argwhere(found.kept)]
    assert places == [(pair.user_event, pair.offer_event) for pair in pairs]
    assert found.offers.tolist() == [offers[pair.offer_event] for pair in pairs]
    assert found.is_positive.tolist() == [pair.is_positive for pair in pairs]
    assert found.collisions == dropped


def test_pairs_by_hand() -> None:
    # One minibatch whose users bought offers 1, 2, 1. Of nine pairs the two negatives between the first
    # and the last event are of their positive's offer.
    found = task_pairs(np.array([[1, 2, 1]], np.int32))
    assert found.kept.tolist() == [[[True, True, False], [True, True, True], [False, True, True]]]
    assert found.offers.tolist() == [1, 2, 1, 2, 1, 2, 1]
    assert found.is_positive.tolist() == [True, False, False, True, False, False, True]
    assert found.collisions == 2

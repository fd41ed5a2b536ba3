"""History affinity, against counting."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from offerbench.batching.matching import MatchIndex
from offerbench.evaluation.affinity import history_affinity
from tests.oracle import evaluation as oracle


@given(st.lists(st.integers(0, 4), max_size=30), st.data())
def test_share_of_the_window(labels: list[int], data: st.DataObject) -> None:
    place = st.integers(0, len(labels))
    windows = data.draw(st.lists(st.tuples(place, place, st.integers(0, 6)), max_size=15), "start, stop, key")
    starts, stops = [min(window[:2]) for window in windows], [max(window[:2]) for window in windows]
    keys = [window[2] for window in windows]
    found = history_affinity(
        MatchIndex(np.array(labels, np.int32)),
        np.array(starts, np.int64),
        np.array(stops, np.int64) - np.array(starts, np.int64),
        np.array(keys, np.int32),
    )
    expected = [
        oracle.history_affinity(labels[start:stop], key)
        for start, stop, key in zip(starts, stops, keys, strict=True)
    ]
    assert found.tolist() == expected


def test_affinity_by_hand() -> None:
    # Of 3, 5, 3, 3 the window 1 .. 3 (5, 3, 3) has two 3s and one 5; an empty history has nothing.
    labels = np.array([3, 5, 3, 3], np.int32)
    start, length, keys = np.array([1, 1, 1, 4]), np.array([3, 3, 3, 0]), np.array([3, 5, 4, 3], np.int32)
    assert history_affinity(MatchIndex(labels), start, length, keys).tolist() == [2 / 3, 1 / 3, 0, 0]

"""Decayed sums of windows of events, against a loop over the events of each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.features.decay import DecayedSums
from tests.oracle.evaluation import decayed

# Events of several runs, each with ascending days that are years apart or the same.
DAY = st.integers(0, 9) | st.sampled_from([700, 2000])
RUNS = st.lists(st.lists(DAY, min_size=1, max_size=8).map(sorted), min_size=1, max_size=5)
HALF_LIVES = st.floats(0.25, 5000)


def sums_of(runs: list[list[int]], half_life: float) -> DecayedSums:
    is_first = np.array([place == 0 for run in runs for place in range(len(run))])
    days = np.array([day for run in runs for day in run], np.int32)
    return DecayedSums(is_first, days, half_life)


@given(RUNS, HALF_LIVES, st.data())
def test_sums_of_windows(runs: list[list[int]], half_life: float, data: st.DataObject) -> None:
    sums, windows = sums_of(runs, half_life), []
    first = np.append(0, np.cumsum([len(run) for run in runs]))
    for number, run in enumerate(runs):
        start = data.draw(st.integers(0, len(run)), "start")
        stop = data.draw(st.integers(start, len(run)), "stop")
        as_of = (run[stop - 1] if stop > start else 0) + data.draw(st.integers(0, 20), "days after")
        windows.append((first[number] + start, first[number] + stop, as_of, run[start:stop]))
    starts, stops, days, of_windows = zip(*windows, strict=True)
    found = sums.of_windows(np.array(starts), np.array(stops), np.array(days, np.int32))
    expected = [decayed(own, day, half_life) for own, day in zip(of_windows, days, strict=True)]
    assert found == pytest.approx(np.array(expected), rel=1e-9, abs=1e-9)
    for value, own in zip(found, of_windows, strict=True):
        assert own or value == 0


@given(st.lists(DAY, min_size=1, max_size=8).map(sorted), RUNS, HALF_LIVES, st.integers(0, 3000))
def test_equal_pasts_have_equal_bits_whoever_and_whenever(
    past: list[int], others: list[list[int]], half_life: float, later: int
) -> None:
    # The same run twice, one so many days later and with other runs between.
    runs = [past, *others, [day + later for day in past]]
    sums, events = sums_of(runs, half_life), sum(map(len, runs))
    start, stop = np.array([0, events - len(past)]), np.array([len(past), events])
    as_of = np.array([past[-1] + 3, past[-1] + 3 + later], np.int32)
    first, again = sums.of_windows(start, stop, as_of)
    assert first.tobytes() == again.tobytes()


def test_sums_by_hand() -> None:
    # Half a week later an event weighs 1/2 where the half-life is 3 days: on days 0, 3 and 3, as of day 6,
    # 1/4 + 1/2 + 1/2. Without the first: 1. Of the second run, as of its own day: 1.
    sums = sums_of([[0, 3, 3], [5]], half_life=3.0)
    start, stop = np.array([0, 1, 3, 2, 4]), np.array([3, 3, 4, 2, 4])
    found = sums.of_windows(start, stop, np.array([6, 6, 5, 6, 6], np.int32))
    assert found == pytest.approx(np.array([1.25, 1, 1, 0, 0]))
    assert found[3:].tolist() == [0, 0]


def test_without_events_there_are_no_sums() -> None:
    empty = DecayedSums(np.empty(0, bool), np.empty(0, np.int32), 3.0)
    assert empty.of_windows(np.array([0]), np.array([0]), np.array([6], np.int32)).tolist() == [0]

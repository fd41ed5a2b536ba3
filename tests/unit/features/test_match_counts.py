"""Pasts and matches by binary searches, against loops over all rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.features.match_counts import MatchIndex, Past
from tests.oracle import match_counts as oracle

# Events of 0 .. 5 users on few days, sorted as in target_events.arrow.
EVENTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)), min_size=1, max_size=50).map(sorted)


def past_of(events: list[tuple[int, int]]) -> Past:
    users, days = np.array(events, np.int32).T
    return Past(users, days)


@given(EVENTS, st.one_of(st.none(), st.integers(1, 9)))
def test_pasts_are_the_newest_events_of_earlier_days(
    events: list[tuple[int, int]], newest: int | None
) -> None:
    users, days = zip(*events, strict=True)
    start, length = past_of(events).windows(np.arange(len(events)), newest)
    for row in range(len(events)):
        expected = oracle.past_rows(users, days, row, newest)
        assert list(range(start[row], start[row] + length[row])) == expected


def test_pasts_by_hand() -> None:
    # User 1 buys on days 3, 3, 4 and 6, user 2 on day 5: events of a day don't see each other.
    past = past_of([(1, 3), (1, 3), (1, 4), (1, 6), (2, 5)])
    assert past.windows(np.arange(5), None)[1].tolist() == [0, 0, 2, 3, 0]
    start, length = past.windows(np.array([[3, 2], [4, 3]]), 1)
    assert length.tolist() == [[1, 1], [0, 1]]
    assert [start[0, 0], start[0, 1], start[1, 1]] == [2, 1, 2]


@given(EVENTS)
def test_contexts_have_a_past_and_events_of_their_day(events: list[tuple[int, int]]) -> None:
    users, days = zip(*events, strict=True)
    past = past_of(events)
    distinct = sorted(set(events))
    assert past.context_of_event.tolist() == [distinct.index(event) for event in events]
    assert len(past.start) == len(past.length) == len(past.events_of_day) == len(distinct)
    for row, context in enumerate(past.context_of_event):
        start, length, of_day = past.start[context], past.length[context], past.events_of_day[context]
        assert list(range(start, start + length)) == oracle.past_rows(users, days, row, None)
        day = range(start + length, start + length + of_day)
        assert list(day) == oracle.rows_of_day(users, days, row)


@given(labels=st.lists(st.integers(0, 6), max_size=30), data=st.data())
@pytest.mark.parametrize("offset", [0, 2**16 - 3, 2**31 - 9], ids=["narrow", "about_2_16", "wide"])
def test_rows_of_a_window_that_have_a_key(labels: list[int], data: st.DataObject, offset: int) -> None:
    labels = [label + offset for label in labels]
    place = st.integers(0, len(labels))
    query = st.tuples(place, place, st.integers(0, 8))
    queries = data.draw(st.lists(query, max_size=15), "one end, other end, key")
    starts = [min(ends) for *ends, _ in queries]
    stops = [max(ends) for *ends, _ in queries]
    keys = [key + offset for *_, key in queries]
    index, length = MatchIndex(np.array(labels, np.int32)), np.subtract(stops, starts).astype(np.int64)
    asked = np.array(starts, np.int64), length, np.array(keys)
    found = index.count(*asked)
    assert found.tolist() == [
        oracle.count(labels, range(start, stop), {key})
        for start, stop, key in zip(starts, stops, keys, strict=True)
    ]
    first, after = index.places(*asked)
    for place, (start, stop, key) in enumerate(zip(starts, stops, keys, strict=True)):
        rows = index.rows[first[place] : after[place]].tolist()
        assert rows == [row for row in range(start, stop) if labels[row] == key]


@given(labels=st.lists(st.integers(0, 3), max_size=30), data=st.data())
def test_windows_of_several_lengths_that_end_at_one_row(labels: list[int], data: st.DataObject) -> None:
    stop = data.draw(st.lists(st.integers(0, len(labels)), max_size=15), "stop")
    keys = data.draw(st.lists(st.integers(0, 4), min_size=len(stop), max_size=len(stop)), "keys")
    both = [[data.draw(st.integers(0, end)) for end in stop] for _ in range(2)]
    found = MatchIndex(np.array(labels, np.int32)).count_before(
        np.array(stop, np.int64), [np.array(lengths, np.int64) for lengths in both], np.array(keys, np.int64)
    )
    assert [counts.tolist() for counts in found] == [
        [
            oracle.count(labels, range(end - length, end), {key})
            for end, length, key in zip(stop, lengths, keys, strict=True)
        ]
        for lengths in both
    ]


def test_matches_by_hand() -> None:
    # Of 3, 5, 3, 3 the rows 1 .. 3 have two 3s and one 5; the last row's window ends at the end.
    index = MatchIndex(np.array([3, 5, 3, 3]))
    start, length = np.array([1, 1, 1, 3, 4]), np.array([3, 3, 3, 1, 0])
    assert index.count(start, length, np.array([3, 5, 4, 3, 3])).tolist() == [2, 1, 0, 1, 0]

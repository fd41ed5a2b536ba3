"""Windows into the past and their distinct values, against loops over the events."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.preparation import history
from tests.oracle import histories
from tests.oracle.histories import Event

# Few users, days and labels, so that days are shared, values come again and pasts grow long.
USERS, DAYS, LABELS = st.integers(0, 3), st.integers(-2, 5), st.integers(0, 4)
Rows = list[tuple[int, int, int]]
EVENTS = st.lists(st.tuples(USERS, DAYS, LABELS), max_size=40).map(
    lambda rows: sorted(rows, key=lambda row: row[:2])
)
CONTEXTS = st.lists(st.tuples(st.integers(-1, 4), st.integers(-3, 6)), max_size=12)
LENGTHS = st.integers(1, 8)
KEEPS = st.sampled_from(["oldest", "latest"])


def columns(rows: list[tuple[int, ...]], width: int) -> list[np.ndarray]:
    return list(np.array(rows, np.int32).reshape(-1, width).T)


def past_rows(
    events: list[tuple[int, int, int]], context: tuple[int, int], length: int, keep: str
) -> list[int]:
    log = [Event(row, user, day, "purchase", {}) for row, (user, day, _) in enumerate(events)]
    return [event.row for event in histories.past_events(log, *context, "purchase", length, keep)]


@given(EVENTS, CONTEXTS, LENGTHS, KEEPS)
def test_past_windows_are_the_earlier_days_events(
    events: Rows, contexts: list[tuple[int, int]], length: int, keep: str
) -> None:
    users, days, _ = columns(events, 3)
    context_users, context_days = columns(contexts, 2)
    starts, lengths = history.past_windows(context_users, context_days, users, days, length=length, keep=keep)
    for context, start, count in zip(contexts, starts, lengths, strict=True):
        assert list(range(start, start + count)) == past_rows(events, context, length, keep)
        assert all(days[row] < context[1] for row in range(start, start + count))


@given(EVENTS, CONTEXTS, LENGTHS, KEEPS)
def test_window_bags_are_the_distinct_values_in_order(
    events: Rows, contexts: list[tuple[int, int]], length: int, keep: str
) -> None:
    users, days, labels = columns(events, 3)
    windows = history.past_windows(*columns(contexts, 2), users, days, length=length, keep=keep)
    previous = history.previous_occurrence(users, labels)
    values, starts, lengths = history.window_bags(previous, labels, *windows)
    assert len(values) == lengths.sum()  # one list for each window, nothing else
    for context, start, count in zip(contexts, starts, lengths, strict=True):
        expected = histories.distinct(labels[row] for row in past_rows(events, context, length, keep))
        assert values[start : start + count].tolist() == expected


@given(EVENTS, CONTEXTS, LENGTHS)
def test_prefix_bags_are_the_distinct_values_in_order(
    events: Rows, contexts: list[tuple[int, int]], length: int
) -> None:
    users, days, labels = columns(events, 3)
    windows = history.past_windows(*columns(contexts, 2), users, days, length=length, keep="oldest")
    previous = history.previous_occurrence(users, labels)
    values, starts, lengths = history.prefix_bags(previous, labels, *windows)
    for context, start, count in zip(contexts, starts, lengths, strict=True):
        expected = histories.distinct(labels[row] for row in past_rows(events, context, length, "oldest"))
        assert values[start : start + count].tolist() == expected
    assert len(values) == len({(user, label) for user, _, label in events})  # shared by a user's windows


def listed(values: np.ndarray, weights: np.ndarray, start: int, count: int) -> dict[int, float]:
    place = slice(start, start + count)
    return dict(zip(values[place].tolist(), weights[place].tolist(), strict=True))


@given(EVENTS, CONTEXTS, LENGTHS, KEEPS, st.one_of(st.none(), st.floats(0.1, 50.0)))
def test_weighted_bags_add_up_the_weights_of_a_values_events(
    events: Rows, contexts: list[tuple[int, int]], length: int, keep: str, half_life: float | None
) -> None:
    users, days, labels = columns(events, 3)
    windows = history.past_windows(*columns(contexts, 2), users, days, length=length, keep=keep)
    values, weights, starts, lengths = history.weighted_bags(labels, *windows, half_life or np.inf)
    assert (values.dtype, weights.dtype, starts.dtype) == (np.int32, np.float32, np.int64)
    assert len(values) == len(weights) == lengths.sum()
    kind = "count" if half_life is None else "recency"
    for context, start, count in zip(contexts, starts, lengths, strict=True):
        past = [int(labels[row]) for row in past_rows(events, context, length, keep)]
        expected = histories.value_weights(past, kind, half_life or 1.0)
        assert values[start : start + count].tolist() == sorted(expected)
        assert listed(values, weights, start, count) == pytest.approx(expected, rel=1e-6)


@given(EVENTS, CONTEXTS, LENGTHS, KEEPS)
def test_counts_of_windows_without_repeats_are_distinct_values(
    events: Rows, contexts: list[tuple[int, int]], length: int, keep: str
) -> None:
    users, days, _ = columns(events, 3)
    labels = np.arange(len(events), dtype=np.int32)  # nothing is bought twice
    windows = history.past_windows(*columns(contexts, 2), users, days, length=length, keep=keep)
    distinct = history.window_bags(history.previous_occurrence(users, labels), labels, *windows)
    values, weights, *bags = history.weighted_bags(labels, *windows, np.inf)
    for found, expected in zip((values, *bags), distinct, strict=True):
        assert found.tolist() == expected.tolist()
    assert weights.tolist() == [1.0] * len(values)


@given(EVENTS)
def test_previous_occurrence(events: Rows) -> None:
    users, _, labels = columns(events, 3)
    assert history.previous_occurrence(users, labels).tolist() == histories.previous_occurrence(users, labels)


@given(EVENTS)
def test_contexts_are_the_first_rows_of_user_days(events: Rows) -> None:
    users, days, _ = columns(events, 3)
    assert history.contexts(users, days).tolist() == histories.context_rows(users, days)


def test_a_day_by_hand() -> None:
    # User 0 buys 5, 6 on day 1, then 5, 7 on day 2; user 1 buys 8 on day 1.
    users = np.array([0, 0, 0, 0, 1], np.int32)
    days = np.array([1, 1, 2, 2, 1], np.int32)
    labels = np.array([5, 6, 5, 7, 8], np.int32)
    contexts = np.array([0, 0, 0, 1], np.int32), np.array([1, 2, 3, 1], np.int32)
    # Before day 1 there is nothing; before day 2 both of day 1; before day 3 four, cut to three.
    oldest = history.past_windows(*contexts, users, days, length=3, keep="oldest")
    latest = history.past_windows(*contexts, users, days, length=3, keep="latest")
    assert [part.tolist() for part in oldest] == [[0, 0, 0, 4], [0, 2, 3, 0]]
    assert [part.tolist() for part in latest] == [[0, 0, 1, 4], [0, 2, 3, 0]]
    previous = history.previous_occurrence(users, labels)
    assert previous.tolist() == [-1, -1, 0, -1, -1]
    # The oldest three, 5 6 5, are 5 6; the latest three, 6 5 7, have all values new to the window.
    values, starts, lengths = history.window_bags(previous, labels, *latest)
    assert values.tolist() == [5, 6, 6, 5, 7]
    assert lengths.tolist() == [0, 2, 3, 0]
    values, starts, lengths = history.prefix_bags(previous, labels, *oldest)
    assert values.tolist() == [5, 6, 7, 8]
    assert (starts.tolist(), lengths.tolist()) == ([0, 0, 0, 3], [0, 2, 2, 0])
    # Half-life 2: of 5 6 5 the newer 5 weighs 1, the 6 a root of a half, the older 5 a half.
    values, weights, starts, lengths = history.weighted_bags(labels, *oldest, 2.0)
    assert values.tolist() == [5, 6, 5, 6]
    assert weights == pytest.approx([0.5**0.5, 1.0, 1.5, 0.5**0.5])
    assert (starts.tolist(), lengths.tolist()) == ([0, 0, 2, 4], [0, 2, 2, 0])
    assert history.weighted_bags(labels, *oldest, np.inf)[1].tolist() == [1, 1, 2, 1]


def test_largest_users_days_and_labels_do_not_overflow() -> None:
    largest = 2**31 - 1
    users, days = np.array([largest, largest], np.int32), np.array([-(2**31), largest], np.int32)
    labels = np.array([largest, largest], np.int32)
    windows = history.past_windows(users, days, users, days, length=5, keep="oldest")
    assert [part.tolist() for part in windows] == [[0, 0], [0, 1]]
    assert history.previous_occurrence(users, labels).tolist() == [-1, 0]

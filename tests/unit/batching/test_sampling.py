"""Which events are together in a batch: against a loop that takes the same draws."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from offerbench.batching.sampling import draw_batches, keep_per_context
from tests.oracle import batches as oracle

from ..parameters import rebatch_parameters

# Events of 0 .. 5 users on few days, sorted as in target_events.arrow.
EVENTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=60).map(sorted)


def columns(events: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    users, days = np.array(events, np.int32).T
    return users, days


@given(EVENTS, st.integers(1, 5), st.integers(0, 9))
def test_keep_per_context_keeps_the_lowest_ranks(
    events: list[tuple[int, int]], limit: int, seed: int
) -> None:
    users, days = columns(events)
    ranks = np.random.default_rng(seed).random(len(events))
    kept = keep_per_context(users, days, ranks, limit)
    assert kept.tolist() == oracle.keep_per_context(users.tolist(), days.tolist(), ranks.tolist(), limit)


def test_keep_per_context_by_hand() -> None:
    # Of user 0, day 0 the ranks .9, .1, .5 leave .1 and .5; the other two contexts have one event each.
    users, days = np.array([0, 0, 0, 0, 1], np.int32), np.array([0, 0, 0, 1, 1], np.int32)
    kept = keep_per_context(users, days, np.array([0.9, 0.1, 0.5, 0.999, 0.0]), 2)
    assert kept.tolist() == [1, 2, 3, 4]


@given(
    EVENTS,
    st.sets(st.integers(0, 5), min_size=1),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(2, 7),
    st.integers(0, 9),
)
def test_batches_of_a_pass(
    events: list[tuple[int, int]],
    split: set[int],
    users_per_group: int,
    events_per_user_day: int,
    batch_size: int,
    seed: int,
) -> None:
    users, days = columns(events)
    split_users = np.array(sorted(split), np.int64)
    first = np.searchsorted(users, split_users)
    length = np.searchsorted(users, split_users, side="right") - first
    rebatch = rebatch_parameters(
        users_per_group=users_per_group, events_per_user_day=events_per_user_day, batch_size=batch_size
    )
    groups = list(draw_batches((first, length), users, days, rebatch, np.random.default_rng(seed)))
    batches = [batch.tolist() for group in groups for batch in group]

    assert all(len(batch) == batch_size for batch in batches)
    assert all(days[batch].tolist() == sorted(days[batch].tolist()) for batch in batches)
    rows = [row for batch in batches for row in batch]
    assert len(set(rows)) == len(rows)
    assert {int(users[row]) for row in rows} <= split
    contexts = Counter((int(users[row]), int(days[row])) for row in rows)
    assert max(contexts.values(), default=0) <= events_per_user_day
    for group in groups:
        assert len({int(users[row]) for row in group.reshape(-1)}) <= users_per_group

    assert batches == oracle.draw_batches(
        split_users.tolist(),
        users.tolist(),
        days.tolist(),
        users_per_group=users_per_group,
        events_per_user_day=events_per_user_day,
        batch_size=batch_size,
        generator=np.random.default_rng(seed),
    )


def test_only_the_last_incomplete_batch_of_a_group_is_dropped() -> None:
    # 4 users of 5 days with 3 events each; 2 a day are kept: 10 events a user, 20 a group of 2 users.
    # 20 // 6 = 3 batches a group, two groups.
    users, days = columns([(user, day) for user in range(4) for day in range(5) for _ in range(3)])
    rebatch = rebatch_parameters(users_per_group=2, events_per_user_day=2, batch_size=6)
    user_rows = np.arange(4) * 15, np.full(4, 15)
    groups = list(draw_batches(user_rows, users, days, rebatch, np.random.default_rng(0)))
    assert [group.shape for group in groups] == [(3, 6), (3, 6)]
    assert len({*users[groups[0]].reshape(-1), *users[groups[1]].reshape(-1)}) == 4


def test_events_of_a_day_stay_in_shuffled_order() -> None:
    # All events on one day: sorting by day must leave the shuffle, so neighbours are of any users.
    users, days = columns([(user, 0) for user in range(50) for _ in range(2)])
    rebatch = rebatch_parameters(users_per_group=50, events_per_user_day=2, batch_size=100)
    user_rows = np.arange(50) * 2, np.full(50, 2)
    (group,) = draw_batches(user_rows, users, days, rebatch, np.random.default_rng(0))
    assert sorted(group[0]) == list(range(100))
    # In a random order some 50 of 99 steps go down; in any sorted order none.
    assert 30 < (np.diff(group[0]) < 0).sum() < 70

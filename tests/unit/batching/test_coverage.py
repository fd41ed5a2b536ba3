"""Which events get into batches, event by event; and the batch size that makes enough of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.batching.batches import draw_pass
from offerbench.batching.coverage import (
    ENOUGH_BATCHES,
    Coverage,
    better_batch_size,
    empty_histories,
    kept_events,
)
from offerbench.batching.findings import batch_findings
from offerbench.core.columns import Split
from tests.oracle import batches as oracle

from ..conftest import TinyData
from ..parameters import rebatch_parameters


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=40), st.integers(1, 4))
def test_kept_events_are_those_of_the_loop(events: list[tuple[int, int]], limit: int) -> None:
    users, days = (list(column) for column in zip(*sorted(events), strict=True)) if events else ([], [])
    ranks = [0.5] * len(events)
    expected = len(oracle.keep_per_context(users, days, ranks, limit))
    assert kept_events(np.array(users, np.int32), np.array(days, np.int32), limit) == expected


@pytest.mark.parametrize(
    "changes", [{}, {"users_per_group": 10, "batch_size": 15}, {"events_per_user_day": 1}]
)
@pytest.mark.parametrize("split", Split)
def test_every_event_is_in_a_batch_or_left_out_once(
    tiny_data: TinyData, split: Split, changes: dict[str, int]
) -> None:
    rebatch, data = rebatch_parameters(**changes), tiny_data.data
    coverage = Coverage(data, split, rebatch)
    drawn = [rows.tolist() for rows in coverage.counting(draw_pass(data, split, rebatch))]
    assert drawn == [rows.tolist() for rows in draw_pass(data, split, rebatch)]
    counts = coverage.counts()
    first, length = data.user_rows[split]
    users, days = data.events["user"], data.events["day"]
    rows = [row for start, count in zip(first, length, strict=True) for row in range(start, start + count)]
    context = [(users[row], days[row]) for row in rows]
    kept = sum(min(context.count(each), rebatch.events_per_user_day) for each in set(context))
    in_batches = [row for batch in drawn for row in batch]
    early = {
        (user, event_type): min(
            event.day for event in tiny_data.kept if (event.user, event.event_type) == (user, event_type)
        )
        for user, event_type in {(event.user, event.event_type) for event in tiny_data.kept}
    }
    targets = [tiny_data.targets[row] for row in in_batches]
    empty = [
        not any(
            early.get((event.user, event_type), event.day) < event.day
            for event_type in tiny_data.prepare.history.events
        )
        for event in targets
    ]
    assert counts == {
        "users": len(first),
        "events": len(rows),
        "batches": len(drawn),
        "events_in_batches": len(in_batches),
        "events_over_daily_limit": len(rows) - kept,
        "events_in_incomplete_batches": kept - len(in_batches),
        "events_with_empty_history": sum(empty),
    }


def test_some_histories_are_empty(tiny_data: TinyData) -> None:
    assert 0 < empty_histories(tiny_data.data).sum() < len(tiny_data.data.history_start)


@given(
    users=st.integers(1, 400),
    users_per_group=st.integers(1, 500),
    events=st.integers(1, 40_000),
    multiple_of=st.sampled_from([2, 5, 10]),
)
def test_a_better_batch_size_makes_enough_batches(
    users: int, users_per_group: int, events: int, multiple_of: int
) -> None:
    rebatch = rebatch_parameters(users_per_group=users_per_group)
    counts = {"users": users, "events": events, "events_over_daily_limit": 0}
    size, batches = better_batch_size(counts, rebatch, multiple_of)
    assert size % multiple_of == 0 and size >= multiple_of
    if size > multiple_of:
        assert batches >= ENOUGH_BATCHES


def test_the_batch_size_that_is_named_makes_about_as_many_batches(tiny_data: TinyData) -> None:
    large = rebatch_parameters(users_per_group=100, batch_size=300)
    coverage = Coverage(tiny_data.data, Split.TRAIN, large)
    few = sum(1 for _ in coverage.counting(draw_pass(tiny_data.data, Split.TRAIN, large)))
    size, expected = better_batch_size(coverage.counts(), large, 5)
    smaller = rebatch_parameters(users_per_group=100, batch_size=size)
    assert few < 30
    assert sum(1 for _ in draw_pass(tiny_data.data, Split.TRAIN, smaller)) == expected >= ENOUGH_BATCHES


def counts_of(**changes: int) -> dict[str, int]:
    return {
        "users": 100,
        "events": 20_000,
        "batches": 40,
        "events_in_batches": 10_000,
        "events_over_daily_limit": 9_000,
        "events_in_incomplete_batches": 1_000,
        "events_with_empty_history": 2_000,
        **changes,
    }


def warned(**changes: int) -> list[str]:
    rebatch = rebatch_parameters(users_per_group=100, batch_size=250)
    counts = {"train": counts_of(**changes), "validation": counts_of(), "test": counts_of(**changes)}
    return [str(found) for found in batch_findings(counts, rebatch, 5) if found.warning]


def test_nothing_is_beyond_its_level() -> None:
    assert warned() == []


def test_few_batches_name_a_batch_size() -> None:
    (found,) = warned(batches=29)
    assert found == (
        "a pass over the train users has 29 batches of 250 events, fewer than 30 steps; a rebatch.batch_size "
        "of 135 would make about 81"
    )


def test_many_empty_histories_are_warned_of() -> None:
    (found,) = warned(events_with_empty_history=2_001)
    assert found.startswith("20.0% of the test events in batches have an empty history, more than 20%")


def test_many_events_in_no_batch_are_warned_of() -> None:
    train, test = warned(events_in_incomplete_batches=1_200, events_over_daily_limit=8_800)
    assert train.startswith(
        "50.0% of the train events are in no batch: 44.0% as more than 2 of a "
        "user's day, 6.0% as they fill no batch"
    )
    assert "lower rebatch.batch_size" in train and test.startswith("50.0% of the test events")

"""What scorers are given: contexts, their pasts, and counts of matches, against loops over the log."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.batching.batches import draw_pass
from offerbench.core.columns import DAY, HISTORY, USER, Split
from offerbench.features.offers import OfferTable, group_offers
from offerbench.scorers.pairs import Contexts, TaskPairs
from tests.oracle import match_counts as oracle

from ..conftest import TinyData
from ..parameters import rebatch_parameters

NEIGHBOURS, MOST_FREQUENT = 5, 4


def contexts_of(tiny: TinyData, split: Split = Split.TEST) -> Contexts:
    """Target events of a split in negatives groups."""
    batches = list(draw_pass(tiny.data, split, rebatch_parameters()))
    return Contexts(tiny.data, split, np.stack(batches).reshape(-1, NEIGHBOURS))


def pairs_of(contexts: Contexts, task: str) -> TaskPairs:
    """The events' own offers, as tasks are evaluated."""
    labels = contexts.data.events[task][contexts.rows]
    table = group_offers({task: labels.reshape(-1)}, task, MOST_FREQUENT)
    return TaskPairs(task, table, contexts, np.searchsorted(table.keys, labels).astype(np.int32))


def pasts_of(tiny: TinyData, rows: list[int], newest: int | None) -> list[list[int]]:
    users, days = tiny.data.events[USER].tolist(), tiny.data.events[DAY].tolist()
    return [oracle.past_rows(users, days, row, newest) for row in rows]


@pytest.mark.parametrize("split", list(Split), ids=str)
def test_rows_of_a_split_are_those_of_its_users(tiny_data: TinyData, split: Split) -> None:
    contexts, (first, length) = contexts_of(tiny_data, split), tiny_data.data.user_rows[split]
    expected = [
        row for start, count in zip(first, length, strict=True) for row in range(start, start + count)
    ]
    assert contexts.rows_of_split.tolist() == expected
    assert set(contexts.rows.reshape(-1).tolist()) <= set(expected)


def test_each_history_is_there_once(tiny_data: TinyData) -> None:
    contexts = contexts_of(tiny_data)
    own = tiny_data.data.events[HISTORY][contexts.rows]
    assert contexts.histories.tolist() == sorted(set(own.reshape(-1).tolist()))
    assert contexts.histories[contexts.history_of_context].tolist() == own.tolist()
    assert len(contexts.histories) < own.size  # several events see one history


@pytest.mark.parametrize("task", ["brand", "product_id"])
@pytest.mark.parametrize("newest", [None, 3, 1])
@pytest.mark.parametrize("split", [Split.TEST, Split.VALIDATION], ids=str)
def test_matches_of_the_past(tiny_data: TinyData, task: str, newest: int | None, split: Split) -> None:
    contexts = contexts_of(tiny_data, split)
    pairs = pairs_of(contexts, task)
    start, length = contexts.past(newest)
    counts = pairs.match_counts(start, length)
    assert start.shape == length.shape == contexts.rows.shape
    assert counts.shape == pairs.shape == (*contexts.rows.shape, NEIGHBOURS)
    labels, events = tiny_data.data.events[task].tolist(), contexts.rows.reshape(-1).tolist()
    pasts = pasts_of(tiny_data, events, newest)
    assert length.reshape(-1).tolist() == [len(past) for past in pasts]
    # An offer of a task is its key: each event's group is its label.
    expected = oracle.pair_counts(pasts, labels, events, [labels[row] for row in events], NEIGHBOURS)
    assert counts.reshape(-1).tolist() == expected
    assert len(set(counts.reshape(-1).tolist())) > {None: 4, 3: 2, 1: 1}[newest]


@settings(max_examples=20)
@given(st.data())
def test_users_and_offers_of_a_group_may_be_any(tiny_data: TinyData, data: st.DataObject) -> None:
    # As in an audience: all users of a day with some offers that none of them bought.
    rows_of_split = contexts_of(tiny_data).rows_of_split
    groups, users, offers = (data.draw(st.integers(1, 3), name) for name in ("groups", "users", "offers"))
    place = st.integers(0, len(rows_of_split) - 1)
    rows = rows_of_split[data.draw(st.lists(place, min_size=groups * users, max_size=groups * users), "rows")]
    keys = np.unique(tiny_data.data.events["brand"]).astype(np.int32)
    offer_of_event = np.array(
        data.draw(st.lists(st.integers(0, len(keys) - 1), min_size=groups * offers, max_size=groups * offers))
    ).reshape(groups, offers)
    table = OfferTable(keys=keys, base=np.ones(len(keys), np.float32), distributions={})
    contexts = Contexts(tiny_data.data, Split.TEST, rows.reshape(groups, users))
    pairs = TaskPairs("brand", table, contexts, offer_of_event.astype(np.int32))
    start, length = contexts.past(None)
    counts = pairs.match_counts(start, length)
    assert counts.shape == pairs.shape == (groups, users, offers)
    labels = tiny_data.data.events["brand"].tolist()
    for b, i, j in np.ndindex(*counts.shape):
        (past,) = pasts_of(tiny_data, [contexts.rows[b, i]], None)
        assert counts[b, i, j] == oracle.count(labels, past, {keys[offer_of_event[b, j]]})

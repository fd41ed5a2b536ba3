"""What scorers are given: contexts, their pasts, and counts of matches, against loops over the log."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.batching.batches import draw_pass
from offerbench.core.columns import DAY, USER, Split
from offerbench.features.offers import OfferTable, group_offers
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers import pairs as pairs_module
from offerbench.scorers.contexts import Contexts
from offerbench.scorers.pairs import TaskPairs
from tests.oracle import match_counts as oracle
from tests.oracle.batches import concatenated_ranges
from tests.oracle.evaluation import decayed
from tests.oracle.offers import group_offers as naive_offers

from ..conftest import TinyData
from ..parameters import rebatch_parameters

NEIGHBOURS, MOST_FREQUENT = 5, 4


def contexts_of(tiny: TinyData, split: Split = Split.TEST) -> Contexts:
    """Target events of a split in negatives groups."""
    batches = list(draw_pass(tiny.data, split, rebatch_parameters()))
    return Contexts.of_events(tiny.data, split, np.stack(batches).reshape(-1, NEIGHBOURS))


def pairs_of(contexts: Contexts, task: str) -> TaskPairs:
    """The events' own offers, as tasks are evaluated: described by the train users' events."""
    data, labels = contexts.data, contexts.data.events[task][contexts.rows]
    events = {name: data.events[name][train_rows(data)] for name in data.offer_sizes}
    table = group_offers(events, task, MOST_FREQUENT, np.unique(labels))
    return TaskPairs(task, table, contexts, np.searchsorted(table.keys, labels).astype(np.int32))


def train_rows(data: PreparedData) -> list[int]:
    """Rows of the train users' events."""
    first, length = data.user_rows[Split.TRAIN]
    return concatenated_ranges(first.tolist(), length.tolist())


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


@pytest.mark.parametrize("split", [Split.TEST, Split.VALIDATION], ids=str)
def test_who_as_of_when_and_the_events_around(tiny_data: TinyData, split: Split) -> None:
    contexts, events = contexts_of(tiny_data, split), tiny_data.data.events
    users, days = events[USER].tolist(), events[DAY].tolist()
    for place in np.ndindex(*contexts.rows.shape):
        row = contexts.rows[place]
        assert (contexts.users[place], contexts.days[place]) == (users[row], days[row])
        of_user = [other for other in range(len(users)) if users[other] == users[row]]
        for (start, length), expected in (
            (contexts.whole_period, of_user),
            (contexts.day, oracle.rows_of_day(users, days, row)),
        ):
            window = slice(start[place], start[place] + length[place])
            assert contexts.rows_of_split[window].tolist() == expected
    assert (contexts.day[1] > 1).any()
    # A number for each distinct user and day, in order.
    who_and_when = list(zip(contexts.users.reshape(-1), contexts.days.reshape(-1), strict=True))
    distinct = sorted(set(who_and_when))
    assert contexts.numbers.reshape(-1).tolist() == [distinct.index(pair) for pair in who_and_when]
    assert list(zip(*contexts.distinct, strict=True)) == distinct


@pytest.mark.parametrize("half_life", [0.5, 8.0, 400.0])
def test_decayed_matches_of_the_past(tiny_data: TinyData, half_life: float) -> None:
    contexts = contexts_of(tiny_data)
    pairs = pairs_of(contexts, "brand")
    matches, events = pairs.decayed_matches(half_life)
    assert matches.shape == pairs.shape
    assert events.shape == contexts.rows.shape
    labels, days = tiny_data.data.events["brand"], tiny_data.data.events[DAY]
    own_offers, own_rows = pairs.offers.keys[pairs.offer_of_event], contexts.rows
    pasts = pasts_of(tiny_data, own_rows.reshape(-1).tolist(), None)
    for b, i in np.ndindex(*contexts.rows.shape):
        past, day = pasts[b * NEIGHBOURS + i], int(days[own_rows[b, i]])
        assert events[b, i] == pytest.approx(decayed(days[past].tolist(), day, half_life), abs=1e-12)
        for j, key in enumerate(own_offers[b]):
            matching = [int(days[row]) for row in past if labels[row] == key]
            assert matches[b, i, j] == pytest.approx(decayed(matching, day, half_life), abs=1e-12)
    assert len(set(matches.reshape(-1).tolist())) > 20


@pytest.mark.parametrize("at_a_time", [3, 1000])
@pytest.mark.parametrize("task", ["brand", "price_cluster"])
def test_attribute_matches_of_the_past(
    tiny_data: TinyData, task: str, at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs_module, "GROUPS_AT_A_TIME", at_a_time)
    contexts, most_frequent, features = contexts_of(tiny_data), 2, ["price_cluster", "brand", "product_id"]
    pairs = pairs_of(contexts, task)
    counts, base = pairs.attribute_matches(features, most_frequent)
    assert counts.shape == (*pairs.shape, len(features))
    assert base.shape == (len(pairs.offers.keys), len(features))
    assert counts.dtype == base.dtype == np.float32
    labels = {name: column.tolist() for name, column in tiny_data.data.events.items()}
    of_train = train_rows(tiny_data.data)
    offers = naive_offers(
        {name: [labels[name][row] for row in of_train] for name in features},
        task,
        most_frequent,
        pairs.offers.keys.tolist(),
    )
    pasts = pasts_of(tiny_data, contexts.rows.reshape(-1).tolist(), None)
    for place, name in enumerate(features):
        for offer, key in enumerate(pairs.offers.keys.tolist()):
            expected = oracle.expected_share(labels[name], of_train, offers[key][name])
            assert base[offer, place] == pytest.approx(expected, rel=1e-5)
        for b, i, j in np.ndindex(*pairs.shape):
            offer = offers[pairs.offers.keys[pairs.offer_of_event[b, j]]][name]
            expected = oracle.expected_count(labels[name], pasts[b * NEIGHBOURS + i], offer)
            assert counts[b, i, j, place] == pytest.approx(expected, rel=1e-5)
    assert len(set(counts.reshape(-1).tolist())) > 20
    # Of the task's own feature, an offer is its key: its matches are those of the offer.
    own = counts[..., features.index(task)]
    assert own.tolist() == pairs.match_counts(*contexts.past(None)).tolist()
    assert base[:, features.index(task)] == pytest.approx(pairs.offers.base, abs=1e-6)


def test_base_is_the_share_of_each_offer_of_a_group(tiny_data: TinyData) -> None:
    pairs = pairs_of(contexts_of(tiny_data), "brand")
    groups, _, offers = pairs.shape
    assert pairs.base.shape == (groups, 1, offers)
    labels = tiny_data.data.events["brand"]
    of_train = labels[train_rows(tiny_data.data)].tolist()
    keys = pairs.offers.keys[pairs.offer_of_event]
    for b, j in np.ndindex(groups, offers):
        share = of_train.count(keys[b, j]) / len(of_train)
        assert pairs.base[b, 0, j] == pytest.approx(share, abs=1e-6)


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
    contexts = Contexts.of_events(tiny_data.data, Split.TEST, rows.reshape(groups, users))
    pairs = TaskPairs("brand", table, contexts, offer_of_event.astype(np.int32))
    start, length = contexts.past(None)
    counts = pairs.match_counts(start, length)
    assert counts.shape == pairs.shape == (groups, users, offers)
    labels = tiny_data.data.events["brand"].tolist()
    for b, i, j in np.ndindex(*counts.shape):
        (past,) = pasts_of(tiny_data, [contexts.rows[b, i]], None)
        assert counts[b, i, j] == oracle.count(labels, past, {keys[offer_of_event[b, j]]})

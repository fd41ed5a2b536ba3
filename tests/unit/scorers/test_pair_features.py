"""Features of pairs against a walk through the log, and what is fitted on them."""

from dataclasses import replace

import numpy as np
import pytest

from offerbench.core.columns import DAY, USER, Split
from offerbench.scorers.item_item import ItemItem
from offerbench.scorers.pair_features import MIN_BASE, pair_features
from offerbench.scorers.pairs import TaskPairs
from tests.oracle import match_counts
from tests.oracle import pair_features as oracle

from ..conftest import TinyData
from ..parameters import peer_parameters
from .test_pairs import contexts_of, pairs_of, train_rows

PARAMETERS = peer_parameters().features


def past_of(tiny: TinyData, row: int) -> list[dict[str, int]]:
    """The events of the row's user on earlier days, oldest first."""
    events = tiny.data.events
    rows = match_counts.past_rows(events[USER].tolist(), events[DAY].tolist(), row, None)
    return [{name: int(column[other]) for name, column in events.items()} for other in rows]


def other_pasts_of(tiny: TinyData, row: int) -> dict[str, list[dict[str, int]]]:
    """The events of each other type of the row's user on earlier days."""
    user, day = (int(tiny.data.events[name][row]) for name in (USER, DAY))
    found = {}
    for event_type, columns in tiny.data.history_events.items():
        events = [dict(zip(columns, each, strict=True)) for each in zip(*columns.values(), strict=True)]
        found[event_type] = [event for event in events if event[USER] == user and event[DAY] < day]
    return found


def attributes_of(tiny: TinyData, pairs: TaskPairs, offer: int) -> dict[str, tuple[dict[int, float], float]]:
    """The offer's most frequent values of each other feature, and what all train users have of them."""
    data, found = tiny.data, {}
    rows = train_rows(data)
    for name in data.offer_sizes:
        if name == pairs.task:
            continue
        part = pairs.offers.distributions[name]
        own = part.segments == offer
        weights = dict(list(zip(part.values[own].tolist(), part.weights[own].tolist(), strict=True))[:3])
        kept = {value: weight / sum(weights.values()) for value, weight in weights.items()}
        labels = data.events[name].tolist()
        found[name] = kept, max(match_counts.expected_share(labels, rows, kept), MIN_BASE)
    return found


def test_the_only_feature_has_no_others_to_match(tiny_data: TinyData) -> None:
    only = replace(tiny_data.data, offer_sizes={"brand": tiny_data.data.offer_sizes["brand"]})
    alone = pair_features(pairs_of(contexts_of(replace(tiny_data, data=only)), "brand"), PARAMETERS)
    table = pair_features(pairs_of(contexts_of(tiny_data), "brand"), PARAMETERS)
    both = [name for name in table.names if not name.startswith("attribute_")]
    assert list(alone.names) == [*both, "attribute_brand"]
    for name in both:
        column = table.values[..., table.names.index(name)]
        assert np.array_equal(alone.values[..., alone.names.index(name)], column)
    assert not alone.values[..., -1].any()


@pytest.mark.parametrize("task", ["brand", "product_id"])
def test_features_against_the_log(tiny_data: TinyData, task: str) -> None:
    pairs = pairs_of(contexts_of(tiny_data), task)
    table = pair_features(pairs, PARAMETERS)
    assert table.values.shape == (*pairs.shape, len(table.names))
    assert table.values.dtype == np.float32
    assert pair_features(pairs, PARAMETERS) is table  # made once for all scorers
    rows = pairs.contexts.rows
    for b, i, j in list(np.ndindex(*pairs.shape))[:: max(pairs.shape[0] // 4, 1)]:
        offer = int(pairs.offer_of_event[b, j])
        base = max(float(pairs.offers.base[offer]), MIN_BASE)
        day = int(tiny_data.data.events[DAY][rows[b, i]])
        expected = oracle.features(
            past_of(tiny_data, int(rows[b, i])),
            day,
            task,
            int(pairs.offers.keys[offer]),
            base,
            attributes_of(tiny_data, pairs, offer),
            other_pasts_of(tiny_data, int(rows[b, i])),
            PARAMETERS,
        )
        expected[f"attribute_{task}"] = 0.0
        found = dict(zip(table.names, table.values[b, i, j].tolist(), strict=True))
        assert found.keys() == expected.keys()
        assert found == pytest.approx(expected, rel=2e-4, abs=2e-4)
    assert all(len(np.unique(table.values[..., place])) > 1 for place in range(4))
    assert list(tiny_data.data.history_events) == ["cart"]
    assert len(np.unique(table.values[..., table.names.index("odds_of_cart_events")])) > 1


@pytest.mark.parametrize("task", ["brand", "product_id"])
def test_item_item_against_sets_of_buyers(tiny_data: TinyData, task: str) -> None:
    pairs, data = pairs_of(contexts_of(tiny_data), task), tiny_data.data
    buyers: dict[int, set[int]] = {}
    for row in train_rows(data):
        buyers.setdefault(int(data.events[task][row]), set()).add(int(data.events[USER][row]))
    scores = ItemItem().score(pairs)
    for b, i, j in list(np.ndindex(*pairs.shape))[::7]:
        past = {event[task] for event in past_of(tiny_data, int(pairs.contexts.rows[b, i]))}
        key = int(pairs.offers.keys[pairs.offer_of_event[b, j]])
        assert scores[b, i, j] == pytest.approx(oracle.similarity(buyers, past, key), rel=1e-5, abs=1e-6)
    assert len(set(scores.reshape(-1).tolist())) > 20
    assert pairs.contexts.split is Split.TEST

"""Offers of a task: distributions of every feature among the events of a key."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.core.errors import OfferbenchError
from offerbench.features.offers import (
    OfferTable,
    feature_distribution,
    group_offers,
    most_frequent_values,
    read_offers,
    write_offers,
)
from tests.oracle import offers as oracle

FEATURES = ["brand", "category1", "product_id"]
LABEL = st.integers(0, 4) | st.just(2**31 - 1)
EVENTS = st.lists(st.tuples(LABEL, LABEL, LABEL), min_size=1, max_size=50)


def columns(events: list[tuple[int, ...]]) -> dict[str, np.ndarray]:
    return dict(zip(FEATURES, np.array(events, np.int32).T.copy(), strict=True))


def as_dictionaries(table: OfferTable) -> dict[int, dict[str, dict[int, float]]]:
    """The shape of the oracle's answer; dictionaries keep the order of the values."""
    return {
        int(key): {
            feature: dict(
                zip(
                    part.values[part.segments == place].tolist(),
                    part.weights[part.segments == place].tolist(),
                    strict=True,
                )
            )
            for feature, part in table.distributions.items()
        }
        for place, key in enumerate(table.keys)
    }


def assert_same(
    found: dict[int, dict[str, dict[int, float]]], expected: dict[int, dict[str, dict[int, float]]]
) -> None:
    assert list(found) == list(expected)
    for key, by_feature in expected.items():
        for feature, weights in by_feature.items():
            assert list(found[key][feature]) == list(weights), "values or their order differ"
            assert found[key][feature] == pytest.approx(weights, rel=1e-6)


@given(EVENTS, st.sampled_from(FEATURES), st.integers(1, 6))
def test_offers_are_the_counted_distributions(
    events: list[tuple[int, ...]], task: str, most_frequent: int
) -> None:
    table = group_offers(columns(events), task, most_frequent)
    lists = {feature: labels.tolist() for feature, labels in columns(events).items()}
    assert_same(as_dictionaries(table), oracle.group_offers(lists, task, most_frequent))
    for part in table.distributions.values():
        assert (np.diff(part.segments) >= 0).all()
        assert np.bincount(part.segments, part.weights) == pytest.approx(np.ones(len(table.keys)))
    shares = [lists[task].count(key) / len(events) for key in table.keys.tolist()]
    assert table.base.tolist() == pytest.approx(shares, abs=1e-6)
    own = table.distributions[task]
    assert own.values.tolist() == table.keys.tolist()
    assert own.weights.tolist() == [1] * len(table.keys)


@given(EVENTS, st.sampled_from(FEATURES), st.integers(1, 6), st.sets(LABEL, min_size=1))
def test_offers_are_described_by_other_users_events(
    events: list[tuple[int, ...]], task: str, most_frequent: int, wanted: set[int]
) -> None:
    # Some of the wanted keys have no event, and some events are of no wanted key.
    keys = np.array(sorted(wanted), np.int32)
    table = group_offers(columns(events), task, most_frequent, keys)
    lists = {feature: labels.tolist() for feature, labels in columns(events).items()}
    expected = oracle.group_offers(lists, task, most_frequent, keys.tolist())
    assert_same(as_dictionaries(table), expected)
    shares = [lists[task].count(key) / len(events) for key in keys.tolist()]
    assert table.base.tolist() == pytest.approx(shares, abs=1e-6)
    for part in table.distributions.values():
        assert (np.diff(part.segments) >= 0).all()
        assert (part.values.dtype, part.segments.dtype, part.weights.dtype) == (
            np.int32,
            np.int32,
            np.float32,
        )


def test_an_offer_that_nobody_else_bought_by_hand() -> None:
    # Brand 1 twice, with products 4 and 5; brand 2 once, with product 5; brand 7 never: it is described by
    # all three events, of which two thirds are product 5.
    events = {"brand": np.array([1, 2, 1], np.int32), "product_id": np.array([4, 5, 5], np.int32)}
    table = group_offers(events, "brand", 9, np.array([1, 7], np.int32))
    assert table.base.tolist() == [pytest.approx(2 / 3), 0]
    assert as_dictionaries(table) == {
        1: {"brand": {1: 1}, "product_id": {4: 0.5, 5: 0.5}},
        7: {"brand": {7: 1}, "product_id": pytest.approx({5: 2 / 3, 4: 1 / 3})},
    }
    only = group_offers(events, "brand", 1, np.array([7], np.int32))  # no event is of any wanted offer
    assert as_dictionaries(only) == {7: {"brand": {7: 1}, "product_id": {5: 1}}}


@given(EVENTS, st.integers(1, 6), st.integers(1, 6))
def test_values_that_are_kept_of_a_distribution(
    events: list[tuple[int, ...]], most_frequent: int, kept: int
) -> None:
    _, offers = np.unique(columns(events)["category1"], return_inverse=True)
    labels = columns(events)["brand"]
    whole = feature_distribution(offers.astype(np.int32), labels, most_frequent)
    found = most_frequent_values(whole, kept)
    expected = feature_distribution(offers.astype(np.int32), labels, min(most_frequent, kept))
    assert found.values.tolist() == expected.values.tolist()
    assert found.segments.tolist() == expected.segments.tolist()
    assert found.weights == pytest.approx(expected.weights, rel=1e-5)
    assert found.weights.dtype == np.float32


def test_ties_go_to_the_lower_label_and_weights_are_normalised_after_the_cut() -> None:
    # Brand 7 has products 5, 3, 3, 5, 4, 9: 3 and 5 twice each, 4 and 9 once. Two are kept, half each;
    # with three kept 4 joins them: 2/5, 2/5, 1/5.
    events = {"brand": np.full(6, 7, np.int32), "product_id": np.array([5, 3, 3, 5, 4, 9], np.int32)}
    two, three = (group_offers(events, "brand", kept).distributions["product_id"] for kept in (2, 3))
    assert (two.values.tolist(), two.weights.tolist()) == ([3, 5], [0.5, 0.5])
    assert three.values.tolist() == [3, 5, 4]
    assert three.weights.tolist() == pytest.approx([0.4, 0.4, 0.2])


def test_offers_survive_their_file(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    events = columns([tuple(row) for row in generator.integers(0, 30, (500, 3))])
    keys = np.array([3, 4, 40], np.int32)  # the last one without an event
    table = group_offers(events, "category1", 6, keys)
    write_offers(tmp_path / "category1.parquet", table)
    again = read_offers(tmp_path / "category1.parquet")
    assert again.keys.tolist() == table.keys.tolist()
    assert again.base.tolist() == table.base.tolist()
    assert (again.base == 0).tolist() == [False, False, True]
    assert again.base.dtype == np.float32
    assert list(again.distributions) == FEATURES
    for feature, part in table.distributions.items():
        other = again.distributions[feature]
        assert other.values.tolist() == part.values.tolist()
        assert other.segments.tolist() == part.segments.tolist()
        assert other.weights.tolist() == part.weights.tolist()
        assert (other.values.dtype, other.segments.dtype, other.weights.dtype) == (
            np.int32,
            np.int32,
            np.float32,
        )


def test_missing_offers_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(OfferbenchError, match=r"brand\.parquet: no such file"):
        read_offers(tmp_path / "brand.parquet")

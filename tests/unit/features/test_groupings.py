"""Groupings of a batch, against loops that take the same draws."""

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.features.groupings import (
    MAX_KEYS,
    MAX_SUBGROUPS,
    MEAN_FURTHER_GROUPS,
    MIN_GROUP,
    SMALL_GROUP_PERCENTILE,
    Groups,
    draw_features,
    draw_groups,
    group_keys,
    merge_groups,
    packed_key,
    split_groups,
)
from tests.oracle import grouping as oracle

SEEDS = st.integers(0, 999)
# Sizes of the groups of a batch, few of them large.
SIZES = st.lists(st.one_of(st.integers(1, 8), st.integers(1, 60)), min_size=1, max_size=12)


def events_of(sizes: list[int], seed: int) -> np.ndarray:
    """Group of each event, in random order."""
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))


def of_group(groups: np.ndarray, values: np.ndarray) -> dict[int, set[int]]:
    """Values of each group's events."""
    found = defaultdict(set)
    for group, value in zip(groups.tolist(), values.tolist(), strict=True):
        found[group].add(value)
    return found


@given(st.integers(1, 7), st.floats(0.2, 9), SEEDS)
def test_features_of_a_key_are_drawn_one_by_one(features: int, mean: float, seed: int) -> None:
    generators = [np.random.default_rng(seed) for _ in range(2)]
    for _ in range(5):
        drawn = draw_features(features, mean, generators[0])
        assert drawn == oracle.draw_features(features, mean, generators[1])
        assert drawn
        assert drawn == sorted(set(drawn))
        assert set(drawn) <= set(range(features))


@pytest.mark.parametrize(("features", "mean"), [(7, 3.0), (7, 0.5), (4, 2.0)])
def test_every_feature_is_drawn_as_often_as_asked_for(features: int, mean: float) -> None:
    # Empty draws are drawn again: the chance of each feature grows by 1 / (1 - chance of an empty draw).
    generator = np.random.default_rng(0)
    drawn = [draw_features(features, mean, generator) for _ in range(4_000)]
    chance = mean / features / (1 - (1 - mean / features) ** features)
    for feature in range(features):
        share = sum(feature in one for one in drawn) / len(drawn)
        assert share == pytest.approx(chance, abs=5 * np.sqrt(chance * (1 - chance) / len(drawn)))


def test_a_mean_above_the_number_of_features_draws_all_of_them() -> None:
    assert draw_features(3, 10.0, np.random.default_rng(0)) == [0, 1, 2]


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([0, 1, 2**31 - 1]), st.integers(0, 1)),
        min_size=1,
        max_size=25,
    ),
    st.integers(1, 4),
)
def test_a_key_tells_combinations_apart_and_keeps_their_order(
    rows: list[tuple[int, int, int]], times: int
) -> None:
    # Three columns, up to four times over: most sizes multiply to far more than 2 ** 62.
    rows = [row * times for row in rows]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    key = packed_key(columns)
    assert key.dtype == np.int64
    assert key.min() >= 0
    assert oracle.ranks(key.tolist()) == oracle.ranks(rows)


def test_keys_past_the_limit_are_told_apart() -> None:
    # 2**31 values of each of four features, 2**124 combinations: the packed numbers would wrap around.
    most = 2**31 - 1
    corners = [[most * (row >> place & 1) for row in range(16)] for place in range(4)]
    columns = [np.array(column, np.int32) for column in corners]
    assert (most + 1) ** len(columns) > MAX_KEYS
    assert len(set(packed_key(columns).tolist())) == 16


def test_a_key_of_few_combinations_needs_no_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "unique", None)
    assert packed_key([np.array([1, 0, 2]), np.array([3, 4, 0])]).tolist() == [8, 4, 10]


@given(SIZES, SEEDS)
def test_large_groups_are_split(sizes: list[int], seed: int) -> None:
    groups = events_of(sizes, seed)
    split = split_groups(groups, np.random.default_rng(seed))
    assert split.tolist() == oracle.split_groups(
        groups.tolist(), SMALL_GROUP_PERCENTILE, MIN_GROUP, MAX_SUBGROUPS, np.random.default_rng(seed)
    )
    assert set(split.tolist()) == set(range(split.max() + 1))
    assert all(len(whole) == 1 for whole in of_group(split, groups).values())  # each of one group only


def test_sizes_at_which_groups_are_split() -> None:
    # Sizes 1 (11 times), 5, 6 and 400: the 40th percentile is 1, a small group has fewer than 6. The group
    # of 5 stays whole, that of 6 makes 2 parts and that of 400 makes 400 / 6 + 1 = 67, but at most 50.
    assert (SMALL_GROUP_PERCENTILE, MIN_GROUP, MAX_SUBGROUPS) == (40, 5, 50)
    groups = np.repeat(np.arange(14), [1] * 11 + [5, 6, 400])
    parts = Counter()
    for seed in range(20):
        for group, own in of_group(groups, split_groups(groups, np.random.default_rng(seed))).items():
            parts[group] = max(parts[group], len(own))
    assert parts == {**dict.fromkeys(range(12), 1), 12: 2, 13: 50}


@given(SIZES, SEEDS)
def test_groups_are_merged(sizes: list[int], seed: int) -> None:
    groups = events_of(sizes, seed)
    merged = merge_groups(groups, np.random.default_rng(seed))
    expected = oracle.merge_groups(groups.tolist(), MEAN_FURTHER_GROUPS, np.random.default_rng(seed))
    assert merged.tolist() == expected
    assert all(len(whole) == 1 for whole in of_group(groups, merged).values())  # a group stays together
    of_merged = of_group(merged, groups)
    assert set(of_merged) == set(range(len(of_merged)))
    *full, last = (len(of_merged[group]) for group in range(len(of_merged)))
    assert len(set(full)) <= 1
    assert all(number >= 2 for number in full)
    assert last <= min(full, default=len(sizes))


def test_how_many_groups_are_merged_at_a_time() -> None:
    groups = np.arange(30)
    numbers = Counter(
        int(np.bincount(merge_groups(groups, np.random.default_rng(seed))).max()) for seed in range(3_000)
    )
    assert min(numbers) == 2
    # Poisson: the mean is the variance; and e^-mean of the draws merge no more than two.
    mean = sum(number * times for number, times in numbers.items()) / numbers.total()
    deviation = np.sqrt(MEAN_FURTHER_GROUPS / numbers.total())
    assert mean == pytest.approx(2 + MEAN_FURTHER_GROUPS, abs=5 * deviation)
    assert numbers[2] / numbers.total() == pytest.approx(np.exp(-MEAN_FURTHER_GROUPS), abs=0.05)


def test_which_groups_are_merged_is_random() -> None:
    groups = np.arange(10)
    drawn = [merge_groups(groups, np.random.default_rng(seed)) for seed in range(200)]
    together = [
        int((merged == merged[0]).nonzero()[0][-1]) for merged in drawn if (merged == merged[0]).sum() > 1
    ]
    assert set(together) == set(range(1, 10))


@given(SIZES, st.sampled_from([0.0, 0.5, 1.0]), SEEDS)
def test_groups_of_keys_are_changed_with_the_chance_given(sizes: list[int], share: float, seed: int) -> None:
    keys = events_of(sizes, seed)
    found = draw_groups(keys, share, np.random.default_rng(seed))
    generator = np.random.default_rng(seed)
    expected = keys.tolist()
    if generator.random() < share:
        limits = SMALL_GROUP_PERCENTILE, MIN_GROUP, MAX_SUBGROUPS
        split = oracle.split_groups(expected, *limits, generator)
        expected = oracle.merge_groups(split, MEAN_FURTHER_GROUPS, generator)
    assert found.group_of_event.tolist() == expected
    assert found.key_of_event.tolist() == keys.tolist()


def test_some_groupings_are_changed_and_some_are_not() -> None:
    keys = events_of([20] * 10, 0)
    changed = sum(
        draw_groups(keys, 0.3, np.random.default_rng(seed)).group_of_event.tolist() != keys.tolist()
        for seed in range(1_000)
    )
    assert abs(changed - 300) < 5 * np.sqrt(1_000 * 0.3 * 0.7)


@given(SIZES, SEEDS)
def test_the_same_seed_draws_the_same_groups(sizes: list[int], seed: int) -> None:
    keys = events_of(sizes, seed)
    first, again = (draw_groups(keys, 1.0, np.random.default_rng(seed)) for _ in range(2))
    assert first.group_of_event.tobytes() == again.group_of_event.tobytes()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), min_size=1, max_size=30))
def test_keys_of_each_group(events: list[tuple[int, int]]) -> None:
    groups, keys = (oracle.ranks(column) for column in zip(*events, strict=True))
    start, listed = group_keys(Groups(np.array(groups), np.array(keys)))
    assert len(start) == max(groups) + 2
    found = [listed[a:b].tolist() for a, b in pairwise(start)]
    assert found == oracle.group_keys(groups, keys)
    assert start[-1] == len(listed)

"""Groupings of a batch, against loops that take the same draws."""

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.features.config import GroupingParameters
from offerbench.features.groupings import (
    Groups,
    draw_features,
    draw_groups,
    group_keys,
    merge_groups,
    split_groups,
)
from tests.oracle import groupings as oracle

from ..parameters import grouping_parameters

SEEDS = st.integers(0, 999)
PARAMETERS = st.builds(
    grouping_parameters,
    small_group_percentile=st.sampled_from([0, 40, 100]),
    min_group=st.integers(1, 6),
    max_subgroups=st.sampled_from([1, 3, 50]),
    mean_further_groups=st.sampled_from([0.0, 0.5, 2.0]),
    coarser_and_finer_share=st.sampled_from([0.0, 0.5, 1.0]),
)
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


def limits(parameters: GroupingParameters) -> tuple[int, int, int]:
    """Of the parts of a group, as the oracle takes them."""
    return parameters.small_group_percentile, parameters.min_group, parameters.max_subgroups


@given(SIZES, PARAMETERS, SEEDS)
def test_large_groups_are_split(sizes: list[int], parameters: GroupingParameters, seed: int) -> None:
    groups = events_of(sizes, seed)
    split = split_groups(groups, parameters, np.random.default_rng(seed))
    assert split.tolist() == oracle.split_groups(
        groups.tolist(), *limits(parameters), np.random.default_rng(seed)
    )
    assert set(split.tolist()) == set(range(split.max() + 1))
    assert all(len(whole) == 1 for whole in of_group(split, groups).values())  # each of one group only


def test_sizes_at_which_groups_are_split() -> None:
    # Sizes 1 (11 times), 5, 6 and 400: the 40th percentile is 1, a small group has fewer than 6. The group
    # of 5 stays whole, that of 6 makes 2 parts and that of 400 makes 400 / 6 + 1 = 67, but at most 50.
    parameters = grouping_parameters(small_group_percentile=40, min_group=5, max_subgroups=50)
    groups = np.repeat(np.arange(14), [1] * 11 + [5, 6, 400])
    parts = Counter()
    for seed in range(20):
        split = split_groups(groups, parameters, np.random.default_rng(seed))
        for group, own in of_group(groups, split).items():
            parts[group] = max(parts[group], len(own))
    assert parts == {**dict.fromkeys(range(12), 1), 12: 2, 13: 50}


@given(SIZES, st.sampled_from([0.0, 0.5, 2.0]), SEEDS)
def test_groups_are_merged(sizes: list[int], mean_further: float, seed: int) -> None:
    groups = events_of(sizes, seed)
    merged = merge_groups(groups, mean_further, np.random.default_rng(seed))
    expected = oracle.merge_groups(groups.tolist(), mean_further, np.random.default_rng(seed))
    assert merged.tolist() == expected
    assert all(len(whole) == 1 for whole in of_group(groups, merged).values())  # a group stays together
    of_merged = of_group(merged, groups)
    assert set(of_merged) == set(range(len(of_merged)))
    *full, last = (len(of_merged[group]) for group in range(len(of_merged)))
    assert len(set(full)) <= 1
    assert all(number >= 2 for number in full)
    assert last <= min(full, default=len(sizes))


@pytest.mark.parametrize("mean_further", [0.5, 1.5])
def test_how_many_groups_are_merged_at_a_time(mean_further: float) -> None:
    groups = np.arange(30)
    numbers = Counter(
        int(np.bincount(merge_groups(groups, mean_further, np.random.default_rng(seed))).max())
        for seed in range(3_000)
    )
    assert min(numbers) == 2
    # Poisson: the mean is the variance; and e^-mean of the draws merge no more than two.
    mean = sum(number * times for number, times in numbers.items()) / numbers.total()
    deviation = np.sqrt(mean_further / numbers.total())
    assert mean == pytest.approx(2 + mean_further, abs=5 * deviation)
    assert numbers[2] / numbers.total() == pytest.approx(np.exp(-mean_further), abs=0.05)


def test_which_groups_are_merged_is_random() -> None:
    groups = np.arange(10)
    drawn = [merge_groups(groups, 0.5, np.random.default_rng(seed)) for seed in range(200)]
    together = [
        int((merged == merged[0]).nonzero()[0][-1]) for merged in drawn if (merged == merged[0]).sum() > 1
    ]
    assert set(together) == set(range(1, 10))


@given(SIZES, st.none() | PARAMETERS, SEEDS)
def test_groups_of_keys_are_changed_with_the_chance_given(
    sizes: list[int], change: GroupingParameters | None, seed: int
) -> None:
    keys = events_of(sizes, seed)
    found = draw_groups(keys, change, np.random.default_rng(seed))
    generator = np.random.default_rng(seed)
    expected = keys.tolist()
    if change is not None and generator.random() < change.coarser_and_finer_share:
        split = oracle.split_groups(expected, *limits(change), generator)
        expected = oracle.merge_groups(split, change.mean_further_groups, generator)
    assert found.group_of_event.tolist() == expected
    assert found.key_of_event.tolist() == keys.tolist()


def test_some_groupings_are_changed_and_some_are_not() -> None:
    keys, change = events_of([20] * 10, 0), grouping_parameters(coarser_and_finer_share=0.3)
    changed = sum(
        draw_groups(keys, change, np.random.default_rng(seed)).group_of_event.tolist() != keys.tolist()
        for seed in range(1_000)
    )
    assert abs(changed - 300) < 5 * np.sqrt(1_000 * 0.3 * 0.7)


@given(SIZES, SEEDS)
def test_the_same_seed_draws_the_same_groups(sizes: list[int], seed: int) -> None:
    keys, always = events_of(sizes, seed), grouping_parameters(coarser_and_finer_share=1.0)
    first, again = (draw_groups(keys, always, np.random.default_rng(seed)) for _ in range(2))
    assert first.group_of_event.tobytes() == again.group_of_event.tobytes()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), min_size=1, max_size=30))
def test_keys_of_each_group(events: list[tuple[int, int]]) -> None:
    groups, keys = (oracle.ranks(column) for column in zip(*events, strict=True))
    start, listed = group_keys(Groups(np.array(groups), np.array(keys)))
    assert len(start) == max(groups) + 2
    found = [listed[a:b].tolist() for a, b in pairwise(start)]
    assert found == oracle.group_keys(groups, keys)
    assert start[-1] == len(listed)

"""A batch seen through groupings, against a double loop over the log."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offerbench.model.augmented_config import Grouping

from offerbench.batching.batches import draw_pass, make_batch
from offerbench.batching.grouped import (
    Augmentation,
    AugmentedBatch,
    Key,
    View,
    draw_keys,
    drop_history,
    single_keys,
)
from offerbench.core.columns import Split
from offerbench.features.groupings import (
    MAX_SUBGROUPS,
    MEAN_FURTHER_GROUPS,
    MIN_GROUP,
    SMALL_GROUP_PERCENTILE,
)
from tests.oracle import grouping, histories, matching

from ..conftest import TinyData
from ..parameters import rebatch_parameters

WINDOWS = [1, 4, None]


def pasts_of(tiny: TinyData, rows: list[int], newest: int | None) -> list[list[int]]:
    """Rows of the past of each event, by the loop over the log."""
    place = {event.row: row for row, event in enumerate(tiny.targets)}
    pasts = []
    for row in rows:
        target = tiny.targets[row]
        length = len(tiny.targets) if newest is None else newest
        past = histories.past_events(tiny.targets, target.user, target.day, "purchase", length, keep="latest")
        pasts.append([place[event.row] for event in past])
    return pasts


def keys_of(tiny: TinyData, features: list[int]) -> list[tuple[int, ...]]:
    """Key of each row of the log."""
    names = list(tiny.data.offer_sizes)
    return list(zip(*(tiny.data.events[names[feature]].tolist() for feature in features), strict=True))


def naive_groups(keys: list[tuple[int, ...]], change: float, generator: np.random.Generator) -> list[int]:
    groups = grouping.ranks(keys)
    if generator.random() < change:
        limits = SMALL_GROUP_PERCENTILE, MIN_GROUP, MAX_SUBGROUPS
        groups = grouping.split_groups(groups, *limits, generator)
        groups = grouping.merge_groups(groups, MEAN_FURTHER_GROUPS, generator)
    return groups


def naive_base(keys: list[tuple[int, ...]], groups: list[int]) -> list[float]:
    """For each event, the share of the batch's events that have a key of its group."""
    shares = []
    for wanted in groups:
        of_group = {key for key, group in zip(keys, groups, strict=True) if group == wanted}
        shares.append(matching.count(keys, range(len(keys)), of_group) / len(keys))
    return shares


def check_view(tiny: TinyData, rows: list[int], key: Key, view: View, groups: list[int], m: int) -> None:
    keys = keys_of(tiny, key.features)
    own = [keys[row] for row in rows]
    shape = (len(rows) // m, m, m)
    assert view.group_of_event.tolist() == groups
    assert view.weights.shape == shape
    assert view.weights.reshape(-1).tolist() == grouping.pair_weights(groups, own, m)
    assert view.counts.shape == (*shape, len(WINDOWS))
    for place, newest in enumerate(WINDOWS):
        expected = matching.pair_counts(pasts_of(tiny, rows, newest), keys, rows, groups, m)
        assert view.counts[..., place].reshape(-1).tolist() == expected
    assert view.base.dtype == np.float32
    assert view.base == pytest.approx(naive_base(own, groups), abs=1e-6)


@settings(max_examples=25)
@given(st.data())
def test_views_are_those_of_the_loops(tiny_data: TinyData, data: st.DataObject) -> None:
    m = data.draw(st.integers(1, 5), "minibatch")
    row = st.integers(0, len(tiny_data.targets) - 1)
    size = m * data.draw(st.integers(1, 4), "minibatches")
    rows = data.draw(st.lists(row, min_size=size, max_size=size), "rows")
    features = range(len(tiny_data.data.offer_sizes))
    places = st.sets(st.sampled_from(features), min_size=1).map(sorted)
    keys = data.draw(st.lists(st.builds(Key, places, st.sampled_from([0.0, 1.0])), min_size=1, max_size=3))
    seed = data.draw(st.integers(0, 99), "seed")

    augmentation = Augmentation(tiny_data.data, m, WINDOWS)
    found = augmentation.make(np.array(rows), keys, np.random.default_rng(seed))
    generator = np.random.default_rng(seed)
    assert len(found.views) == len(keys)
    for key, view in zip(keys, found.views, strict=True):
        of_rows = [keys_of(tiny_data, key.features)[row] for row in rows]
        check_view(tiny_data, rows, key, view, naive_groups(of_rows, key.change, generator), m)
    for place, newest in enumerate(WINDOWS):
        lengths = [len(past) for past in pasts_of(tiny_data, rows, newest)]
        assert found.lengths[:, place].tolist() == lengths


@pytest.fixture(scope="module")
def augmented(tiny_data: TinyData) -> AugmentedBatch:
    rows = np.concatenate(list(draw_pass(tiny_data.data, Split.TRAIN, rebatch_parameters())))
    keys = [*single_keys(len(tiny_data.data.offer_sizes)), Key([0], 1.0)]
    return Augmentation(tiny_data.data, 5, WINDOWS).make(rows, keys, np.random.default_rng(0))


def test_pairs_left_out_and_matches_are_there(augmented: AugmentedBatch) -> None:
    for view in augmented.views:
        assert (np.diagonal(view.weights, axis1=1, axis2=2) == 1).all()
        assert 0 < (view.weights == 0).sum() < view.weights.size / 2
        assert (view.counts > 0).any()
        assert (np.diff(view.counts, axis=-1) >= 0).all()  # a longer window has no fewer matches
        assert (view.counts <= augmented.lengths.reshape(-1, 5, 1, len(WINDOWS))).all()
    assert (augmented.lengths[:, -1] == 0).any()


def test_a_changed_offer_holds_its_keys_and_more(augmented: AugmentedBatch) -> None:
    # Split, an offer still has its key; merged, it has others too. So more negatives are left out, some
    # of an offer that has the positive's key when the positive's offer doesn't have the negative's.
    plain, changed = augmented.views[0].weights == 0, augmented.views[-1].weights == 0
    assert (changed | ~plain).all()
    assert changed.sum() > plain.sum()
    assert (changed != np.swapaxes(changed, 1, 2)).any()
    assert (plain == np.swapaxes(plain, 1, 2)).all()
    # All events of its keys match it, also those that are in other offers.
    sizes = [np.bincount(view.group_of_event)[view.group_of_event] for view in augmented.views]
    events = len(augmented.lengths)
    assert augmented.views[0].base * events == pytest.approx(sizes[0])
    assert (augmented.views[-1].base * events > sizes[-1] + 0.5).any()
    assert (augmented.views[-1].base >= augmented.views[0].base).all()


def test_the_batch_is_that_of_the_plain_training(tiny_data: TinyData) -> None:
    rows = np.arange(10)
    found = Augmentation(tiny_data.data, 5, []).make(rows, single_keys(1), np.random.default_rng(0))
    expected = make_batch(tiny_data.data, rows, list(tiny_data.data.offer_sizes))
    np.testing.assert_equal(asdict(found.batch), asdict(expected))


def test_without_windows_there_are_no_counts(tiny_data: TinyData) -> None:
    found = Augmentation(tiny_data.data, 5, []).make(np.arange(10), single_keys(2), np.random.default_rng(0))
    assert found.lengths.shape == (10, 0)
    assert [view.counts.shape for view in found.views] == [(2, 5, 5, 0)] * 2
    assert found.lengths.dtype == found.views[0].counts.dtype == np.int32


def test_keys_of_a_batch() -> None:
    four = Grouping(number=4, mean_features=2.0, coarser_and_finer_share=0.3)
    keys = draw_keys(6, four, np.random.default_rng(0))
    generator = np.random.default_rng(0)
    assert [key.change for key in keys] == [0.3] * 4
    assert [key.features for key in keys] == [grouping.draw_features(6, 2.0, generator) for _ in range(4)]
    assert single_keys(3) == [Key([0], 0.0), Key([1], 0.0), Key([2], 0.0)]


def test_without_groupings_an_offer_has_all_its_events_values() -> None:
    none = Grouping(number=0, mean_features=2.0, coarser_and_finer_share=1.0)
    assert draw_keys(3, none, np.random.default_rng(0)) == [Key([0, 1, 2], 0.0)]


def test_values_of_histories_are_left_out(augmented: AugmentedBatch) -> None:
    # A draw for each value, bag after bag, a value stays if it is not below the rate.
    thinned = drop_history(augmented, 0.3, np.random.default_rng(4))
    generator = np.random.default_rng(4)
    dropped = total = 0
    for name, bag in augmented.batch.bags.items():
        draws = [generator.random(dtype=np.float32) for _ in bag.values]
        kept = [place for place, draw in enumerate(draws) if draw >= 0.3]
        assert thinned.batch.bags[name].values.tolist() == bag.values[kept].tolist()
        assert thinned.batch.bags[name].segments.tolist() == bag.segments[kept].tolist()
        dropped, total = dropped + len(draws) - len(kept), total + len(draws)
    assert abs(dropped - 0.3 * total) < 5 * np.sqrt(total * 0.3 * 0.7)
    assert thinned.lengths is augmented.lengths
    assert thinned.views is augmented.views
    assert thinned.batch.offer_rows is augmented.batch.offer_rows


def test_weights_of_values_left_out_go_with_them(weighted_tiny_data: TinyData) -> None:
    data = weighted_tiny_data.data
    made = Augmentation(data, 5, []).make(np.arange(10, 60), single_keys(1), np.random.default_rng(0))
    thinned = drop_history(made, 0.3, np.random.default_rng(4)).batch.bags
    for name, bag in made.batch.bags.items():
        weight_of = dict(zip(zip(bag.segments, bag.values, strict=True), bag.weights, strict=True))
        kept = zip(thinned[name].segments, thinned[name].values, strict=True)
        assert thinned[name].weights.tolist() == [weight_of[place] for place in kept]
        assert 0 < len(thinned[name].weights) < len(bag.weights)


def test_nothing_is_left_out_at_rate_zero(augmented: AugmentedBatch) -> None:
    assert drop_history(augmented, 0.0, np.random.default_rng(4)) is augmented

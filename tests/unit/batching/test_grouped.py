"""A batch seen through groupings, against a double loop over the log."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.batching.batches import draw_pass, make_batch
from offerbench.batching.grouped import (
    BatchMaker,
    GroupedBatch,
    Grouping,
    Key,
    draw_keys,
    single_keys,
)
from offerbench.core.columns import Split
from tests.oracle import groupings as oracle
from tests.oracle import histories, match_counts

from ..conftest import TinyData
from ..parameters import grouping_parameters, rebatch_parameters

WINDOWS = [1, 4, None]
NEIGHBOURS = 5
ALWAYS = grouping_parameters(coarser_and_finer_share=1.0)


def maker(
    tiny: TinyData,
    neighbours: int = NEIGHBOURS,
    windows: list[int | None] = WINDOWS,
    features: list[str] | None = None,
    keep_accidental_hits: bool = False,
) -> BatchMaker:
    names = features or list(tiny.data.offer_sizes)
    return BatchMaker(tiny.data, names, neighbours, windows, keep_accidental_hits)


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


def keys_of(tiny: TinyData, names: list[str], features: list[int]) -> list[tuple[int, ...]]:
    """Key of each row of the log."""
    return list(zip(*(tiny.data.events[names[feature]].tolist() for feature in features), strict=True))


def naive_groups(keys: list[tuple[int, ...]], key: Key, generator: np.random.Generator) -> list[int]:
    groups, change = oracle.ranks(keys), key.change
    if change is not None and generator.random() < change.coarser_and_finer_share:
        limits = change.small_group_percentile, change.min_group, change.max_subgroups
        groups = oracle.split_groups(groups, *limits, generator)
        groups = oracle.merge_groups(groups, change.mean_further_groups, generator)
    return groups


def naive_base(keys: list[tuple[int, ...]], groups: list[int]) -> list[float]:
    """For each event, the share of the batch's events that have a key of its group."""
    shares = []
    for wanted in groups:
        of_group = {key for key, group in zip(keys, groups, strict=True) if group == wanted}
        shares.append(match_counts.count(keys, range(len(keys)), of_group) / len(keys))
    return shares


def check_grouping(
    tiny: TinyData,
    rows: list[int],
    keys: list[tuple[int, ...]],
    grouping: Grouping,
    groups: list[int],
    m: int,
    keep_accidental_hits: bool,
) -> None:
    own = [keys[row] for row in rows]
    shape = (len(rows) // m, m, m)
    assert grouping.group_of_event.tolist() == groups
    assert grouping.weights.shape == shape
    assert grouping.weights.dtype == np.float32
    expected = oracle.pair_weights(groups, own, m, keep_accidental_hits)
    assert grouping.weights.reshape(-1).tolist() == expected
    assert grouping.counts.shape == (*shape, len(WINDOWS))
    for place, newest in enumerate(WINDOWS):
        counts = match_counts.pair_counts(pasts_of(tiny, rows, newest), keys, rows, groups, m)
        assert grouping.counts[..., place].reshape(-1).tolist() == counts
    assert grouping.base.dtype == np.float32
    assert grouping.base == pytest.approx(naive_base(own, groups), abs=1e-6)


@settings(max_examples=25)
@given(st.data())
def test_groupings_are_those_of_the_loops(tiny_data: TinyData, data: st.DataObject) -> None:
    m = data.draw(st.integers(1, 5), "neighbours")
    row = st.integers(0, len(tiny_data.targets) - 1)
    size = m * data.draw(st.integers(1, 4), "groups")
    rows = data.draw(st.lists(row, min_size=size, max_size=size), "rows")
    seen = data.draw(
        st.lists(st.sampled_from(list(tiny_data.data.offer_sizes)), min_size=1, unique=True), "features"
    )
    places = st.sets(st.sampled_from(range(len(seen))), min_size=1).map(sorted)
    changes = st.sampled_from([None, ALWAYS, grouping_parameters(min_group=1, max_subgroups=2)])
    keys = data.draw(st.lists(st.builds(Key, places, changes), min_size=1, max_size=3))
    seed = data.draw(st.integers(0, 99), "seed")
    keep = data.draw(st.booleans(), "keep accidental hits")

    made = maker(tiny_data, m, features=seen, keep_accidental_hits=keep)
    found = made.make(np.array(rows), keys, np.random.default_rng(seed))
    generator = np.random.default_rng(seed)
    assert len(found.groupings) == len(keys)
    for key, grouping in zip(keys, found.groupings, strict=True):
        of_log = keys_of(tiny_data, seen, key.features)
        groups = naive_groups([of_log[row] for row in rows], key, generator)
        check_grouping(tiny_data, rows, of_log, grouping, groups, m, keep)
    for place, newest in enumerate(WINDOWS):
        lengths = [len(past) for past in pasts_of(tiny_data, rows, newest)]
        assert found.past_lengths[:, place].tolist() == lengths


@pytest.fixture(scope="module")
def grouped(tiny_data: TinyData) -> GroupedBatch:
    rows = np.concatenate(list(draw_pass(tiny_data.data, Split.TRAIN, rebatch_parameters())))
    keys = [*single_keys(len(tiny_data.data.offer_sizes)), Key([0], ALWAYS)]
    return maker(tiny_data).make(rows, keys, np.random.default_rng(0))


def test_pairs_left_out_and_matches_are_there(grouped: GroupedBatch) -> None:
    for grouping in grouped.groupings:
        assert (np.diagonal(grouping.weights, axis1=1, axis2=2) == 1).all()
        assert 0 < (grouping.weights == 0).sum() < grouping.weights.size / 2
        assert (grouping.counts > 0).any()
        assert (np.diff(grouping.counts, axis=-1) >= 0).all()  # a longer window has no fewer matches
        assert (grouping.counts <= grouped.past_lengths.reshape(-1, 5, 1, len(WINDOWS))).all()
    assert (grouped.past_lengths[:, -1] == 0).any()


def test_accidental_hits_that_are_kept_change_nothing_else(
    tiny_data: TinyData, grouped: GroupedBatch
) -> None:
    rows = np.concatenate(list(draw_pass(tiny_data.data, Split.TRAIN, rebatch_parameters())))
    keys = [*single_keys(len(tiny_data.data.offer_sizes)), Key([0], ALWAYS)]
    kept = maker(tiny_data, keep_accidental_hits=True).make(rows, keys, np.random.default_rng(0))
    for found, grouping in zip(kept.groupings, grouped.groupings, strict=True):
        assert (found.weights == 1).all()
        assert (grouping.weights == 0).any()
        for name in ("group_of_event", "counts", "base"):
            assert getattr(found, name).tolist() == getattr(grouping, name).tolist()


def test_accidental_hits_by_hand(tiny_data: TinyData) -> None:
    # Five events of one product: every negative is a hit. An event of another brand is none.
    brands = tiny_data.data.events["brand"]
    own, other = 0, int(np.flatnonzero(brands != brands[0])[0])
    place = list(tiny_data.data.offer_sizes).index("brand")
    for keep, hit in ((False, 0.0), (True, 1.0)):
        made = maker(tiny_data, 3, keep_accidental_hits=keep)
        found = made.make(np.array([own, own, other]), [Key([place])], np.random.default_rng(0))
        weights = found.groupings[0].weights[0]
        assert weights.tolist() == [[1, hit, 1], [hit, 1, 1], [1, 1, 1]]


def test_a_changed_offer_holds_its_keys_and_more(grouped: GroupedBatch) -> None:
    # Split, an offer still has its key; merged, it has others too. So more negatives are left out, some
    # of an offer that has the positive's key when the positive's offer doesn't have the negative's.
    first, last = grouped.groupings[0], grouped.groupings[-1]
    plain, changed = first.weights == 0, last.weights == 0
    assert (changed | ~plain).all()
    assert changed.sum() > plain.sum()
    assert (changed != np.swapaxes(changed, 1, 2)).any()
    assert (plain == np.swapaxes(plain, 1, 2)).all()
    # All events of its keys match it, also those that are in other offers.
    sizes = [np.bincount(each.group_of_event)[each.group_of_event] for each in grouped.groupings]
    events = len(grouped.past_lengths)
    assert first.base * events == pytest.approx(sizes[0])
    assert (last.base * events > sizes[-1] + 0.5).any()
    assert (last.base >= first.base).all()


@pytest.mark.parametrize("keys", [[], single_keys(1)], ids=["no_groupings", "a_grouping"])
def test_the_batch_is_that_of_its_events(tiny_data: TinyData, keys: list[Key]) -> None:
    rows = np.arange(10)
    found = maker(tiny_data, windows=[]).make(rows, keys, np.random.default_rng(0))
    expected = make_batch(tiny_data.data, rows, list(tiny_data.data.offer_sizes))
    np.testing.assert_equal(asdict(found.batch), asdict(expected))
    assert len(found.groupings) == len(keys)


def test_features_that_the_model_does_not_see_are_not_looked_up(tiny_data: TinyData) -> None:
    made = maker(tiny_data, features=["brand"])
    found = made.make(np.arange(10), [Key([0])], np.random.default_rng(0))
    assert set(found.batch.offer_values) == {"brand"}
    brands = tiny_data.data.events["brand"][:10].tolist()
    assert found.groupings[0].group_of_event.tolist() == oracle.ranks(brands)


def test_without_windows_there_are_no_counts(tiny_data: TinyData) -> None:
    found = maker(tiny_data, windows=[]).make(np.arange(10), single_keys(2), np.random.default_rng(0))
    assert found.past_lengths.shape == (10, 0)
    assert [grouping.counts.shape for grouping in found.groupings] == [(2, 5, 5, 0)] * 2
    assert found.past_lengths.dtype == found.groupings[0].counts.dtype == np.int32


def test_keys_of_a_batch() -> None:
    four = grouping_parameters(number=4, mean_features=2.0, coarser_and_finer_share=0.3)
    keys = draw_keys(6, four, np.random.default_rng(0))
    generator = np.random.default_rng(0)
    assert [key.change for key in keys] == [four] * 4
    assert [key.features for key in keys] == [oracle.draw_features(6, 2.0, generator) for _ in range(4)]
    assert single_keys(3) == [Key([0]), Key([1]), Key([2])]
    assert all(key.change is None for key in single_keys(3))


def test_without_groupings_an_offer_has_all_its_events_values() -> None:
    assert draw_keys(3, None, np.random.default_rng(0)) == [Key([0, 1, 2])]

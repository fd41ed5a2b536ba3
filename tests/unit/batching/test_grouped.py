"""A batch seen through groupings, against a double loop over the log."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.batching.batches import draw_pass, make_batch
from offerbench.batching.grouped import BatchMaker, GroupedBatch, Grouping
from offerbench.batching.grouping_keys import Key, draw_keys, single_keys
from offerbench.core.columns import DAY, USER, Split
from offerbench.features.config import MatchingParameters
from offerbench.preparation.prepared import PreparedData
from tests.oracle import groupings as oracle
from tests.oracle import histories, match_counts
from tests.oracle.batches import concatenated_ranges as naive_ranges
from tests.oracle.offers import distribution, without_event
from tests.unit.event_log import latest

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
    remove: str = "offer",
    attribute_values: int | None = None,
) -> BatchMaker:
    names = features or list(tiny.data.offer_sizes)
    return BatchMaker(tiny.data, names, MatchingParameters(neighbours, remove, windows, attribute_values))


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


def bought_that_day(tiny: TinyData, rows: list[int], keys: list[tuple[int, ...]]) -> list[set[Any]]:
    """Keys that the user of each event bought on its day, by the loop over the log."""
    users, days = tiny.data.events[USER].tolist(), tiny.data.events[DAY].tolist()
    return [{keys[other] for other in match_counts.rows_of_day(users, days, row)} for row in rows]


@dataclass(frozen=True)
class Asked:
    """What a batch is made of."""

    rows: list[int]
    features: list[str]
    neighbours: int
    remove: str = "offer"
    attribute_values: int | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the pairs."""
        return len(self.rows) // self.neighbours, self.neighbours, self.neighbours

    @property
    def kinds(self) -> int:
        """Of matches."""
        return len(WINDOWS) + (len(self.features) if self.attribute_values else 0)


def check_grouping(
    tiny: TinyData, asked: Asked, keys: list[tuple[int, ...]], grouping: Grouping, groups: list[int]
) -> None:
    rows, m = asked.rows, asked.neighbours
    own, users = [keys[row] for row in rows], tiny.data.events[USER][rows].tolist()
    assert grouping.group_of_event.tolist() == groups
    assert grouping.weights.shape == asked.shape
    bought = bought_that_day(tiny, rows, keys)
    expected = oracle.pair_weights(groups, own, m, asked.remove, users, bought)
    assert grouping.weights.reshape(-1).tolist() == expected
    assert grouping.counts.shape == (*asked.shape, asked.kinds)
    for place, newest in enumerate(WINDOWS):
        counts = match_counts.pair_counts(pasts_of(tiny, rows, newest), keys, rows, groups, m)
        assert grouping.counts[..., place].reshape(-1).tolist() == counts
    assert grouping.base.shape == (len(rows), asked.kinds)
    for place in range(len(WINDOWS)):
        assert grouping.base[:, place] == pytest.approx(naive_base(own, groups), abs=1e-6)
    for array in (grouping.weights, grouping.counts, grouping.base):
        assert array.dtype == np.float32
    if asked.attribute_values:
        check_attributes(tiny, asked, grouping, groups)


def check_attributes(tiny: TinyData, asked: Asked, grouping: Grouping, groups: list[int]) -> None:
    """Of each pair: events of the user's whole past that share each feature with the offer's events."""
    assert asked.attribute_values
    first, length = tiny.data.user_rows[Split.TRAIN]
    of_train = naive_ranges(first.tolist(), length.tolist())
    pasts = pasts_of(tiny, asked.rows, None)
    for place, name in enumerate(asked.features, start=len(WINDOWS)):
        labels = tiny.data.events[name].tolist()
        values = [
            [labels[row] for row, group in zip(asked.rows, groups, strict=True) if group == wanted]
            for wanted in groups
        ]
        offers = [distribution(of_offer, asked.attribute_values) for of_offer in values]
        for b, i, j in np.ndindex(asked.shape):
            user, event = b * asked.neighbours + i, b * asked.neighbours + j
            offer = offers[event]
            if i == j:  # what the user is about to buy is not known
                offer = without_event(values[event], labels[asked.rows[event]], asked.attribute_values)
            expected = match_counts.expected_count(labels, pasts[user], offer)
            assert grouping.counts[b, i, j, place] == pytest.approx(expected, abs=1e-4)
        shares = [match_counts.expected_share(labels, of_train, offer) for offer in offers]
        assert grouping.base[:, place] == pytest.approx(shares, abs=1e-6)


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
    remove = data.draw(st.sampled_from(["none", "offer", "bought_that_day"]), "remove")
    attribute_values = data.draw(st.none() | st.integers(1, 4), "attribute values")

    asked = Asked(rows, seen, m, remove, attribute_values)
    made = maker(tiny_data, m, features=seen, remove=remove, attribute_values=attribute_values)
    found = made.make(np.array(rows), keys, np.random.default_rng(seed))
    generator = np.random.default_rng(seed)
    assert len(found.groupings) == len(keys)
    for key, grouping in zip(keys, found.groupings, strict=True):
        of_log = keys_of(tiny_data, seen, key.features)
        groups = naive_groups([of_log[row] for row in rows], key, generator)
        check_grouping(tiny_data, asked, of_log, grouping, groups)
    assert found.past_lengths.shape == (size, asked.kinds)
    assert found.past_lengths.dtype == np.float32
    attributes: list[None] = [None] * (asked.kinds - len(WINDOWS))  # they look at the whole past
    for place, newest in enumerate([*WINDOWS, *attributes]):
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
    kept = maker(tiny_data, remove="none").make(rows, keys, np.random.default_rng(0))
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
    for remove, hit in (("offer", 0.0), ("none", 1.0)):
        made = maker(tiny_data, 3, remove=remove)
        found = made.make(np.array([own, own, other]), [Key([place])], np.random.default_rng(0))
        weights = found.groupings[0].weights[0]
        assert weights.tolist() == [[1, hit, 1], [hit, 1, 1], [1, 1, 1]]


def two_users() -> PreparedData:
    """A train user and a test user who buy on the same day.

    User 0 buys brands 1 and 2 on day 5. User 1 buys brands 3 and 2 on day 4, and brands 1, 2 and 4 on day 5.
    The second purchase of user 0, the first of user 1 and the last are of category 1, the others of 0.
    """
    users, days = np.array([0, 0, 1, 1, 1, 1, 1]), np.array([5, 5, 4, 4, 5, 5, 5])
    brands, categories = np.array([1, 2, 3, 2, 1, 2, 4]), np.array([0, 1, 1, 0, 0, 0, 1])
    rows = np.arange(7)
    columns = {"user": users, "day": days, "history": rows, "brand": brands, "category1": categories}
    return PreparedData(
        events={name: column.astype(np.int32) for name, column in columns.items()},
        bags={},
        history_start=rows,
        history_length=np.zeros(7, np.int64),
        user_sizes={},
        offer_sizes={"brand": 5, "category1": 2},
        first_label=0,
        user_rows={
            Split.TRAIN: (np.array([0]), np.array([2])),
            Split.TEST: (np.array([2]), np.array([5])),
        },
        target_event="purchase",
        history=latest(10),
    )


def test_what_was_bought_that_day_by_hand() -> None:
    # A group of user 0's brand 1, and user 1's brand 4 and brand 3 of the day before. User 1 bought brand 1
    # on the day of brand 4, not on that of brand 3; user 0 bought neither 4 nor 3; user 1's own pairs go.
    rows = np.array([0, 6, 2])
    expected = {
        "none": [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
        "offer": [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
        "bought_that_day": [[1, 1, 1], [0, 1, 0], [1, 0, 1]],
    }
    for remove, weights in expected.items():
        made = BatchMaker(two_users(), ["brand"], MatchingParameters(3, remove, [], None))
        (grouping,) = made.make(rows, [Key([0])], np.random.default_rng(0)).groupings
        assert grouping.weights[0].tolist() == weights


def test_what_is_removed_grows_from_none_to_bought_that_day(tiny_data: TinyData) -> None:
    rows = np.concatenate(list(draw_pass(tiny_data.data, Split.TRAIN, rebatch_parameters())))
    removed = []
    for remove in ("none", "offer", "bought_that_day"):
        made = maker(tiny_data, remove=remove).make(rows, [Key([1])], np.random.default_rng(0))
        removed.append(made.groupings[0].weights == 0)
    none, offer, that_day = removed
    assert none.sum() == 0
    assert 0 < offer.sum() < that_day.sum()
    assert (that_day | ~offer).all()


def test_attributes_by_hand() -> None:
    # Offers are categories. Of category 0 there are two events of brand 1 and one of brand 2, of category 1
    # one event of brand 4. User 0 has no past; user 1 bought brand 3 of category 1 and brand 2 of category 0:
    # a third of category 0's brands, and one event of either category. To a user, an offer is without his own
    # event: without brand 1 once, half of category 0 is of brand 2, without brand 2 nothing.
    # The train user bought brands 1 and 2 once each, and both categories.
    rows, categories = np.array([0, 4, 5, 6]), [Key([1])]
    made = BatchMaker(two_users(), ["brand", "category1"], MatchingParameters(2, "none", [], 9))
    found = made.make(rows, categories, np.random.default_rng(0))
    assert found.past_lengths.tolist() == [[0, 0], [2, 2], [2, 2], [2, 2]]
    (grouping,) = found.groupings
    brands, of_category = np.moveaxis(grouping.counts, -1, 0)
    assert brands == pytest.approx(np.array([[[0, 0], [1 / 3, 0.5]], [[0, 0], [1 / 3, 0]]]), abs=1e-6)
    assert of_category == pytest.approx(np.array([[[0, 0], [1, 1]], [[1, 1], [1, 1]]]), abs=1e-6)
    assert grouping.base == pytest.approx(np.array([[0.5, 0.5]] * 3 + [[0, 0.5]]))
    # The most frequent brand of category 0 alone: user 1's past has none of it.
    made = BatchMaker(two_users(), ["brand", "category1"], MatchingParameters(2, "none", [], 1))
    (grouping,) = made.make(rows, categories, np.random.default_rng(0)).groupings
    assert not grouping.counts[..., 0].any()
    assert grouping.base == pytest.approx(np.array([[0.5, 0.5]] * 3 + [[0, 0.5]]))


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
    assert first.base[:, 0] * events == pytest.approx(sizes[0])
    assert (last.base[:, 0] * events > sizes[-1] + 0.5).any()
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
    assert [grouping.base.shape for grouping in found.groupings] == [(10, 0)] * 2
    assert found.past_lengths.dtype == found.groupings[0].counts.dtype == np.float32


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

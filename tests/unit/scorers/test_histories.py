"""The histories of contexts, of target events and as of any day, against a walk through the log."""

import numpy as np
import pytest

from offerbench.batching.batches import Bag
from offerbench.core.columns import DAY, HISTORY, USER, Split, user_feature
from offerbench.scorers.contexts import Contexts
from tests.oracle.histories import past_events, value_weights

from ..conftest import TinyData, make_tiny_data


@pytest.fixture(scope="module", params=["distinct", "count", "recency"])
def weighted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TinyData:
    """The tiny data set with each way to weigh the values of a bag."""
    directory = tmp_path_factory.mktemp(request.param)
    return make_tiny_data(directory, weights=request.param, half_life_events=3.0)


def rows_of(tiny: TinyData, split: Split) -> np.ndarray:
    first, length = tiny.data.user_rows[split]
    rows = np.concatenate([np.arange(a, a + n) for a, n in zip(first, length, strict=True)])
    return rows[: len(rows) // 3 * 3].reshape(-1, 3)


def bag_of(bag: Bag, number: int) -> dict[int, float]:
    at = bag.segments == number
    weights = np.ones(at.sum()) if bag.weights is None else bag.weights[at]
    return dict(zip(bag.values[at].tolist(), weights.tolist(), strict=True))


def test_each_history_of_events_is_there_once(tiny_data: TinyData) -> None:
    rows = rows_of(tiny_data, Split.TEST)
    histories = Contexts.of_events(tiny_data.data, Split.TEST, rows).histories
    own = tiny_data.data.events[HISTORY][rows]
    assert len(histories) == len(np.unique(own)) < own.size  # several events see one history
    assert (np.unique(own)[histories.of_context] == own).all()


def test_as_of_the_day_of_an_event_they_are_those_that_prepare_made(
    each_tiny_data: TinyData, weighted: TinyData
) -> None:
    for tiny in (each_tiny_data, weighted):
        rows, features = rows_of(tiny, Split.TEST), list(tiny.data.user_sizes)
        prepared = Contexts.of_events(tiny.data, Split.TEST, rows).histories
        events = tiny.data.events
        anew = Contexts(tiny.data, Split.TEST, events[USER][rows], events[DAY][rows]).histories
        first, second = (histories.bags(features, slice(0, len(histories))) for histories in (prepared, anew))
        for name in features:
            for place in np.ndindex(*rows.shape):
                expected = bag_of(first[name], prepared.of_context[place])
                found = bag_of(second[name], anew.of_context[place])
                assert list(found.items()) == list(expected.items())  # in the same order


@pytest.mark.parametrize("part", [slice(0, None), slice(2, 5)], ids=["all", "some"])
def test_as_of_any_day_against_the_log(weighted: TinyData, part: slice) -> None:
    tiny, last = weighted, max(event.day for event in weighted.kept)
    number = {user: place for place, user in enumerate(sorted({event.user for event in tiny.targets}))}
    first = tiny.data.user_rows[Split.TEST][0]
    users = tiny.data.events[USER][first]
    features = ("product_id", "category2", "brand")
    labels = {feature: tiny.labels(feature) for feature in features}
    history, some = tiny.prepare.history, 0
    for day in (0, last - 3, last + 1):
        histories = Contexts.as_of(tiny.data, Split.TEST, users, day).histories
        place = range(len(histories))[part]
        bags = histories.bags(tiny.data.user_sizes, slice(place.start, place.stop))
        for event_type in history.events:
            for feature in features:
                bag = bags[user_feature(event_type, feature)]
                for at, user in enumerate(users[place.start : place.stop]):
                    source = next(who for who, index in number.items() if index == user)
                    past = past_events(
                        tiny.kept, source, day, event_type, history.length_of(feature), history.keep
                    )
                    values = [str(event.values[feature]) for event in past]
                    expected = value_weights(values, history.weights, history.half_life_events)
                    known = {labels[feature][v]: w for v, w in expected.items() if v in labels[feature]}
                    found = bag_of(bag, at)
                    in_vocabulary = {v: w for v, w in found.items() if v >= tiny.data.first_label}
                    assert in_vocabulary == pytest.approx(known)
                    some += len(known)
    assert some > 100

"""The histories of many users as of a day: as of `HistoriesAsOf`, which a walk through the log checks."""

import numpy as np
import pytest

from offerbench.batching.batches import Bag
from offerbench.campaigns.recent_histories import RecentHistories
from offerbench.campaigns.timeline import Timeline
from offerbench.campaigns.users_as_of import UsersAsOf
from offerbench.core.columns import DAY, USER
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.histories import HistoriesAsOf

from ..conftest import TinyData, make_tiny_data


@pytest.fixture(scope="module", params=["distinct", "count", "recency"])
def weighted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TinyData:
    directory = tmp_path_factory.mktemp(request.param)
    return make_tiny_data(directory, weights=request.param, half_life_events=3.0)


def compare(data: PreparedData, users: np.ndarray, day: int, part: slice) -> int:
    events = {data.target_event: data.events, **data.history_events}
    days = np.full(len(users), day, np.int32)
    slow = HistoriesAsOf(data, events, users, days, np.arange(len(users))).bags(data.user_sizes, part)
    quick = RecentHistories(data, users, day)
    assert len(quick) == len(users)
    assert_same(quick.bags(data.user_sizes, part), slow)
    known = UsersAsOf(data, Timeline.of(data), users, day, None)  # type: ignore[arg-type]
    kept = HistoriesAsOf(data, events, known.users, days[: len(known)], np.arange(len(known)))
    some = slice(min(part.start, len(known)), min(part.stop, len(known)))
    assert_same(known.histories().bags(data.user_sizes, some), kept.bags(data.user_sizes, some))
    return sum(len(bag.values) for bag in slow.values())


def assert_same(found: dict[str, Bag], slow: dict[str, Bag]) -> None:
    assert list(found) == list(slow)
    for name, bag in slow.items():
        assert found[name].values.tolist() == bag.values.tolist()  # in the same order
        assert found[name].segments.tolist() == bag.segments.tolist()
        assert found[name].segments.dtype == bag.segments.dtype
        assert found[name].values.dtype == bag.values.dtype
        assert (found[name].weights is None) == (bag.weights is None)
        if bag.weights is not None:
            assert found[name].weights.tobytes() == bag.weights.tobytes()


@pytest.mark.parametrize("part", [slice(0, None), slice(2, 7)], ids=["all", "some"])
def test_the_same_bags(each_tiny_data: TinyData, weighted: TinyData, part: slice) -> None:
    for data in (each_tiny_data.data, weighted.data):
        users = np.unique(data.events[USER])[::2]
        some = slice(*part.indices(len(users))[:2])
        first, last = int(data.events[DAY].min()), int(data.events[DAY].max())
        values = [compare(data, users, day, some) for day in (first, first + 3, last - 3, last + 1)]
        assert values[0] == 0 < values[1] < values[-1]

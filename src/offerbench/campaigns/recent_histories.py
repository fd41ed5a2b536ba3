"""What a ranker sees of many users as of one day: only events within a history are looked at."""

from collections.abc import Collection
from itertools import product

import numpy as np

from offerbench.batching.batches import Bag
from offerbench.campaigns.timeline import Ints, Labels
from offerbench.core.columns import DAY, USER, user_feature
from offerbench.core.order import order_by_labels
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.preparation.history import user_days, weighted_bags
from offerbench.preparation.prepared import PreparedData


class RecentHistories:
    """The histories that users have on a day; the same bags as those of `HistoriesAsOf`.

    Parameters
    ----------
    data : PreparedData
        The data set.
    users : int32, shape (users,)
        Distinct.
    day : int
        Days since 1970-01-01; only what happened before it is looked at.
    """

    def __init__(self, data: PreparedData, users: Labels, day: int) -> None:
        self._data, self._users, self._day = data, users, day
        self.of_context: Rows = np.arange(len(users))

    def __len__(self) -> int:
        """Count the users."""
        return len(self._users)

    def bags(self, features: Collection[str], part: slice) -> dict[str, Bag]:
        """Collect the bags of some user features for a part of the users."""
        history = self._data.history
        both = product(history.events, self._data.offer_sizes)
        sources = {user_feature(event_type, name): (event_type, name) for event_type, name in both}
        windows: dict[tuple[str, int], tuple[Ints, Ints]] = {}
        found = {}
        for name in features:
            event_type, attribute = sources[name]
            key = event_type, history.length_of(attribute)
            if key not in windows:
                windows[key] = self._windows(*key, part)
            start, length = windows[key]
            labels = self._events(event_type)[attribute][concatenated_ranges(start, length)]
            found[name] = self._bag(labels, length)
        return found

    def _events(self, event_type: str) -> dict[str, Labels]:
        data = self._data
        return data.events if event_type == data.target_event else data.history_events[event_type]

    def _windows(self, event_type: str, length: int, part: slice) -> tuple[Ints, Ints]:
        """First event of each history and number of events; int64, shape (users of the part,) each."""
        events, users = self._events(event_type), self._users[part]
        first = int(np.searchsorted(events[USER], users.min(initial=0)))
        stop = int(np.searchsorted(events[USER], users.max(initial=0), "right"))
        keys = user_days(events[USER][first:stop], events[DAY][first:stop])
        begin = np.searchsorted(events[USER][first:stop], users)
        end = np.searchsorted(keys, user_days(users, np.full(len(users), self._day, np.int32)))
        lengths = np.minimum(end - begin, length)
        return first + (begin if self._data.history.keep == "oldest" else end - lengths), lengths

    def _bag(self, labels: Labels, length: Ints) -> Bag:
        """Make the bags of histories of which the labels of all events are given, one after the other."""
        history, count = self._data.history, len(length)
        numbers = np.arange(count, dtype=np.int32)
        if history.weights != "distinct":
            half_life = history.half_life_events if history.weights == "recency" else np.inf
            start = np.cumsum(length) - length
            values, weights, _, lengths = weighted_bags(labels, start, length, half_life)
            return Bag(values, np.repeat(numbers, lengths), weights)
        owner = np.repeat(numbers, length)
        kept = np.ones(len(labels), bool)
        kept[repeats(owner, labels)] = False
        return Bag(labels[kept], owner[kept])


def repeats(owner: Labels, labels: Labels) -> Ints:
    """Give the rows whose owner has an earlier row with the same label; int64, shape (repeats,).

    Parameters
    ----------
    owner, labels : int32, shape (rows,)
        Owners ascending.
    """
    order = order_by_labels(labels)
    label, of_row = labels[order], owner[order]  # rows of a label stay in the order of their owners
    found: Ints = order[1:][(label[1:] == label[:-1]) & (of_row[1:] == of_row[:-1])]
    return found

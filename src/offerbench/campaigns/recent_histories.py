"""What a ranker sees of many users as of one day: only events within a history are looked at."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from offerbench.batching.batches import Bag
from offerbench.campaigns.timeline import Ints, Labels
from offerbench.core.columns import DAY, USER, user_feature
from offerbench.core.order import order_by_labels
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.preparation.history import user_days, weighted_bags
from offerbench.preparation.prepared import PreparedData

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Past:
    """The target events that users have before the day."""

    start: Ints
    """First row of each user. Shape (users,)."""
    stop: Ints
    """The row after each user's last. Shape (users,)."""
    is_first: Mapping[str, Mask]
    """For each offer feature, whether an event is the user's first with its label; all pasts one after the
    other. Empty if it isn't known. Shape (past events,) each."""


@dataclass(frozen=True, eq=False)
class _Window:
    """The events of the histories of some users: one event type, one greatest length."""

    rows: Ints
    """Of the event type. Shape (events,)."""
    length: Ints
    """Events of each history. Shape (histories,)."""
    owner: Labels
    """History of each event. Shape (events,)."""
    of_past: Ints | None
    """Place of each event among those of the past, if it is known which are the first of their label."""
    cut: Ints
    """Events of histories that begin later than the past. Shape (their events,)."""


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
    past : Past, optional
        Of the same users before the same day, if it is known already.
    """

    def __init__(self, data: PreparedData, users: Labels, day: int, past: Past | None = None) -> None:
        self._data, self._users, self._day, self._past = data, users, day, past
        self.of_context: Rows = np.arange(len(users))

    def __len__(self) -> int:
        """Count the users."""
        return len(self._users)

    def bags(self, features: Collection[str], part: slice) -> dict[str, Bag]:
        """Collect the bags of some user features for a part of the users."""
        history = self._data.history
        both = product(history.events, self._data.offer_sizes)
        sources = {user_feature(event_type, name): (event_type, name) for event_type, name in both}
        windows: dict[tuple[str, int], _Window] = {}
        found = {}
        for name in features:
            event_type, attribute = sources[name]
            key = event_type, history.length_of(attribute)
            if key not in windows:
                windows[key] = self._window(*key, part)
            found[name] = self._bag(self._events(event_type)[attribute], attribute, windows[key])
        return found

    def _events(self, event_type: str) -> dict[str, Labels]:
        data = self._data
        return data.events if event_type == data.target_event else data.history_events[event_type]

    def _window(self, event_type: str, length: int, part: slice) -> _Window:
        """Cut pasts to the events of a history."""
        begin, end = self._pasts(event_type, part)
        lengths = np.minimum(end - begin, length)
        start = begin if self._data.history.keep == "oldest" else end - lengths
        owner = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        of_past, cut = None, np.empty(0, np.int64)
        if self._past is not None and self._past.is_first and event_type == self._data.target_event:
            offset = np.cumsum(self._past.stop - self._past.start) - (self._past.stop - self._past.start)
            of_past = concatenated_ranges(offset[part] + start - begin, lengths)
            cut = np.flatnonzero((start > begin)[owner])
        return _Window(concatenated_ranges(start, lengths), lengths, owner, of_past, cut)

    def _pasts(self, event_type: str, part: slice) -> tuple[Ints, Ints]:
        """First row of each past and the row after its last; int64, shape (users of the part,) each."""
        if self._past is not None and event_type == self._data.target_event:
            return self._past.start[part], self._past.stop[part]
        events, users = self._events(event_type), self._users[part]
        first = int(np.searchsorted(events[USER], users.min(initial=0)))
        stop = int(np.searchsorted(events[USER], users.max(initial=0), "right"))
        keys = user_days(events[USER][first:stop], events[DAY][first:stop])
        begin = np.searchsorted(events[USER][first:stop], users)
        end = np.searchsorted(keys, user_days(users, np.full(len(users), self._day, np.int32)))
        return first + begin, first + end

    def _bag(self, column: Labels, attribute: str, window: _Window) -> Bag:
        """Make the bags of histories; `column` has the labels of all events of the type."""
        history, labels, length = self._data.history, column[window.rows], window.length
        if history.weights != "distinct":
            half_life = history.half_life_events if history.weights == "recency" else np.inf
            start = np.cumsum(length) - length
            values, weights, _, lengths = weighted_bags(labels, start, length, half_life)
            return Bag(values, np.repeat(np.arange(len(length), dtype=np.int32), lengths), weights)
        if window.of_past is None or self._past is None:
            kept = np.ones(len(labels), bool)
            kept[repeats(window.owner, labels)] = False
        else:
            kept, cut = self._past.is_first[attribute][window.of_past], window.cut
            kept[cut] = True  # what came first in the past may be none of the history
            kept[cut[repeats(window.owner[cut], labels[cut])]] = False
        return Bag(labels[kept], window.owner[kept])


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

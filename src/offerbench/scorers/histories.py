"""The histories of contexts: those that `prepare` made, or made anew as of any day."""

from collections.abc import Collection, Mapping
from functools import cached_property
from itertools import product
from typing import Protocol

import numpy as np
import numpy.typing as npt

from offerbench.batching.batches import Bag, gather_bags
from offerbench.core.columns import DAY, HISTORY, USER, user_feature
from offerbench.core.ranges import Rows
from offerbench.preparation.history import make_bags, past_windows
from offerbench.preparation.prepared import BagStore, PreparedData

Labels = npt.NDArray[np.int32]


class Histories(Protocol):
    """The distinct histories of some contexts."""

    of_context: Rows
    """Number of each context's history. Shape of the contexts."""

    def __len__(self) -> int:
        """Count the distinct histories."""

    def bags(self, features: Collection[str], part: slice) -> dict[str, Bag]:
        """Collect the bags of some user features for a part of the histories."""


class PreparedHistories:
    """The histories of target events, as `prepare` made them.

    Parameters
    ----------
    data : PreparedData
        The data set.
    rows : int64, any shape
        Rows of target events.
    """

    def __init__(self, data: PreparedData, rows: Rows) -> None:
        self._data = data
        self._histories, of_context = np.unique(data.events[HISTORY][rows], return_inverse=True)
        self.of_context = of_context.reshape(rows.shape)

    def __len__(self) -> int:
        """Count the distinct histories."""
        return len(self._histories)

    def bags(self, features: Collection[str], part: slice) -> dict[str, Bag]:
        """Collect the bags of some user features for a part of the histories."""
        histories = self._histories[part].astype(np.int64)
        return {name: gather_bags(self._data.bags[name], histories) for name in features}


class HistoriesAsOf:
    """The histories that users have on any day, made from their events of earlier days.

    Those of a user and day with a target event are the ones that `prepare` made for it.

    Parameters
    ----------
    data : PreparedData
        The data set.
    events : mapping of (mapping of int32, shape (events,))
        For each event type of the histories: user, day and labels of the events of these users at least,
        sorted by (user, day, file order).
    users, days : int32, shape (contexts,)
        Distinct users as of a day.
    of_context : int64, any shape
        Which of them each context is.
    """

    def __init__(
        self,
        data: PreparedData,
        events: Mapping[str, Mapping[str, Labels]],
        users: Labels,
        days: Labels,
        of_context: Rows,
    ) -> None:
        self._data, self._events = data, events
        self._users, self._days = users, days
        self.of_context = of_context

    def __len__(self) -> int:
        """Count the users as of a day."""
        return len(self._users)

    def bags(self, features: Collection[str], part: slice) -> dict[str, Bag]:
        """Collect the bags of some user features for a part of the histories."""
        return {name: self._bag(*self._sources[name], part) for name in features}

    @cached_property
    def _sources(self) -> dict[str, tuple[str, str]]:
        """Event type and attribute that each user feature is made of."""
        both = product(self._data.history.events, self._data.offer_sizes)
        return {user_feature(event_type, name): (event_type, name) for event_type, name in both}

    def _bag(self, event_type: str, feature: str, part: slice) -> Bag:
        events, history = self._events[event_type], self._data.history
        users, days = self._users[part], self._days[part]
        # Only the events of these users: they are neighbours where the contexts are sorted by user.
        first, stop = np.searchsorted(events[USER], (users.min(initial=0), users.max(initial=0) + 1))
        some = slice(first, stop)
        windows = past_windows(
            users,
            days,
            events[USER][some],
            events[DAY][some],
            length=history.length_of(feature),
            keep=history.keep,
        )
        values, weights, start, length = make_bags(
            events[USER][some], events[feature][some], *windows, history
        )
        return gather_bags(BagStore(values, start, length, weights), np.arange(len(users)))

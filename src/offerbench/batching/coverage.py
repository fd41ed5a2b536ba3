"""Which events of a split get into batches, and what these see of the past."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from offerbench.batching.config import Rebatch
from offerbench.core.columns import DAY, HISTORY, USER, Split
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.preparation.history import contexts
from offerbench.preparation.prepared import PreparedData

ENOUGH_BATCHES = 80
"""That a pass over the train users should have."""
OF_GROUP = 0.9
"""A group of users has about so many of the mean group's events, or more."""


class Coverage:
    """Counts the batches of one pass over a split while they go by.

    Parameters
    ----------
    data : PreparedData
        The data set.
    split : Split
        Whose events.
    rebatch : Rebatch
        Parameters.
    """

    def __init__(self, data: PreparedData, split: Split, rebatch: Rebatch) -> None:
        self._histories = data.events[HISTORY]
        self._is_empty = empty_histories(data)
        first, length = data.user_rows[split]
        rows = concatenated_ranges(first, length)
        self._events = len(rows)
        self._kept = kept_events(data.events[USER][rows], data.events[DAY][rows], rebatch.events_per_user_day)
        self._users = len(first)
        self._batches = self._in_batches = self._empty = 0

    def counting(self, batches: Iterable[Rows]) -> Iterator[Rows]:
        """Yield the batches as they are, and count them."""
        for rows in batches:
            self._batches += 1
            self._in_batches += len(rows)
            self._empty += int(self._is_empty[self._histories[rows]].sum())
            yield rows

    def counts(self) -> dict[str, int]:
        """Count what went by, and what did not: each event is in a batch or left out for one reason."""
        return {
            "users": self._users,
            "events": self._events,
            "batches": self._batches,
            "events_in_batches": self._in_batches,
            "events_over_daily_limit": self._events - self._kept,
            "events_in_incomplete_batches": self._kept - self._in_batches,
            "events_with_empty_history": self._empty,
        }


def empty_histories(data: PreparedData) -> npt.NDArray[np.bool_]:
    """Whether a history has no event of any type that describes users; bool, shape (histories,)."""
    values = sum(store.length for store in data.bags.values())
    return np.asarray(values == 0)


def kept_events(users: npt.NDArray[np.int32], days: npt.NDArray[np.int32], limit: int) -> int:
    """Count the events that are left if `limit` of each user's day are kept.

    Parameters
    ----------
    users, days : int32, shape (events,)
        Events of one (user, day) are next to each other.
    limit : int
        Events kept for each (user, day).
    """
    sizes = np.diff(np.append(contexts(users, days), len(users)))
    return int(np.minimum(sizes, limit).sum())


def better_batch_size(counts: Mapping[str, int], rebatch: Rebatch, multiple_of: int) -> tuple[int, int]:
    """Find the batch size that makes a pass of about `ENOUGH_BATCHES` batches.

    Parameters
    ----------
    counts : mapping of int
        Of the train users, from `Coverage`.
    rebatch : Rebatch
        Parameters.
    multiple_of : int
        What a batch size must be a multiple of; the least that is returned.

    Returns
    -------
    batch_size, batches : int
        The size, and about how many batches it makes.
    """
    groups = max(-(-counts["users"] // rebatch.users_per_group), 1)
    of_group = (counts["events"] - counts["events_over_daily_limit"]) / groups
    wanted = -(-ENOUGH_BATCHES // groups)
    size = int(of_group * (OF_GROUP if groups > 1 else 1) / wanted) // multiple_of * multiple_of
    size = max(size, multiple_of)
    return size, groups * int(of_group / size)

"""How many target events users had in any range of days, and how many days with one."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from offerbench.core.columns import DAY, USER
from offerbench.core.order import run_starts
from offerbench.preparation.history import contexts, user_days
from offerbench.preparation.prepared import PreparedData

Ints = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


class Timeline:
    """The target events of all users as one sorted list of (user, day): a range of days is a slice of it.

    Parameters
    ----------
    users, days : int32, shape (events,)
        Sorted by (user, day).
    """

    def __init__(self, users: Labels, days: Labels) -> None:
        self.users, self.days = users, days

    @classmethod
    def of(cls, data: PreparedData) -> "Timeline":
        """Make the timeline of all target events of a data set."""
        return cls(data.events[USER], data.events[DAY])

    @cached_property
    def first_day(self) -> int:
        """The first day with an event."""
        return int(self.days.min())

    @cached_property
    def stop_day(self) -> int:
        """The day after the last one with an event."""
        return int(self.days.max()) + 1

    @cached_property
    def distinct_users(self) -> Labels:
        """The users that have an event, ascending; int32, shape (users,)."""
        is_first = run_starts(self.users)
        return np.asarray(self.users[is_first], np.int32)

    def row(self, users: Labels, day: int | Ints) -> Ints:
        """First row of each user on a day or later; int64, shape (users,).

        Only the rows from the first to the last of the users are looked at: of some of many users, they fit
        into the processor's cache.
        """
        if not len(users):
            return np.zeros(0, np.int64)
        begin = int(np.searchsorted(self.users, users.min()))
        end = int(np.searchsorted(self.users, users.max(), "right"))
        days = np.broadcast_to(np.asarray(day, np.int64), users.shape)
        wanted = users.astype(np.int64) << 32 | (days + 2**31)
        return begin + np.searchsorted(self._keys[begin:end], wanted)

    def first_row(self, users: Labels) -> Ints:
        """First row of each user; int64, shape (users,)."""
        return np.searchsorted(self.users, users)

    def events(self, users: Labels, start: int, stop: int) -> Ints:
        """Events of each user on the days start .. stop - 1; int64, shape (users,)."""
        return self.row(users, stop) - self.row(users, start)

    def shopping_days(self, users: Labels, start: int, stop: int) -> Ints:
        """Days with an event of each user among start .. stop - 1; int64, shape (users,)."""
        return self.days_before[self.row(users, stop)] - self.days_before[self.row(users, start)]

    @cached_property
    def days_before(self) -> Ints:
        """Number of (user, day) that begin before each row, and in all; int64, shape (events + 1,)."""
        is_first = np.zeros(len(self.users), np.int64)
        is_first[contexts(self.users, self.days)] = 1
        return np.concatenate([[0], np.cumsum(is_first)])

    @cached_property
    def _keys(self) -> Ints:
        return user_days(self.users, self.days)

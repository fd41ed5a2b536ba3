"""Users as of a day: whose past is known, and what of it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from offerbench.core.columns import DAY, USER, Split
from offerbench.core.order import run_starts
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.features.match_counts import Ints
from offerbench.features.past_counts import AttributeMatches, PastCounts, count_pasts
from offerbench.preparation.history import user_days
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.histories import Histories, HistoriesAsOf, PreparedHistories

Labels = npt.NDArray[np.int32]
SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")


@dataclass(frozen=True, eq=False)
class Contexts:
    """Users as of a day, in groups: every user of a group is paired with every offer of the group."""

    data: PreparedData
    """The data set."""
    split: Split
    """The users that the contexts are of; only their events are looked at."""
    users: Labels
    """User of each context. Shape (groups, i)."""
    days: Labels
    """Day of each context: events of earlier days are known. Shape (groups, i)."""
    rows: Rows | None = None
    """Target events that the contexts are of, if they are of any. Shape (groups, i)."""

    @classmethod
    def of_events(cls, data: PreparedData, split: Split, rows: Rows) -> Self:
        """Make the contexts of target events: their users, as of their days.

        Parameters
        ----------
        data : PreparedData
            The data set.
        split : Split
            The users that the events are of.
        rows : int64, shape (groups, i)
            Rows of target events.
        """
        return cls(data, split, data.events[USER][rows], data.events[DAY][rows], rows)

    @classmethod
    def as_of(cls, data: PreparedData, split: Split, users: Labels, day: int) -> Self:
        """Make one group of users as of the same day, whether they are active later or not.

        Parameters
        ----------
        data : PreparedData
            The data set.
        split : Split
            The users' split.
        users : int32, shape (users,)
            The users.
        day : int
            Days since 1970-01-01.
        """
        return cls(data, split, users[None], np.full((1, len(users)), day, np.int32))

    @cached_property
    def rows_of_split(self) -> Rows:
        """Rows of the split's target events, ascending; int64, shape (events of the split,)."""
        return concatenated_ranges(*self.data.user_rows[self.split])

    @cached_property
    def events(self) -> dict[str, Labels]:
        """The split's target events: user, day, labels; int32, shape (events of the split,) each."""
        return {name: column[self.rows_of_split] for name, column in self.data.events.items()}

    @cached_property
    def histories(self) -> Histories:
        """What the models see of the users' past."""
        if self.rows is not None:
            return PreparedHistories(self.data, self.rows)
        return HistoriesAsOf(self.data, self._history_events, *self.distinct, self.numbers)

    def past(self, length: int | None) -> tuple[Ints, Ints]:
        """Window of each context's past among the split's events.

        Parameters
        ----------
        length : int, optional
            Only the newest so many events; None: all of them.

        Returns
        -------
        start, length : int64, shape (groups, i)
        """
        start, stop = self._past
        lengths = stop - start if length is None else np.minimum(stop - start, length)
        return stop - lengths, lengths

    def past_days(self, days: int) -> tuple[Ints, Ints]:
        """Window of each context's events of the newest so many days of its past; see `past`."""
        start, stop = self._past
        first = np.searchsorted(self._user_days, user_days(self.users, self.days - days))
        first = np.maximum(first, start)
        return first, stop - first

    def past_of(self, event_type: str) -> tuple[dict[str, Labels], Ints, Ints]:
        """Find each context's past of another event type than the target's, once for all tasks.

        Parameters
        ----------
        event_type : str
            One of `data.history_events`.

        Returns
        -------
        dict of int32, shape (events,)
            User, day and labels of the events of the contexts' users.
        start, length : int64, shape (groups, i)
            Window of each context's past among them.
        """
        if event_type not in self._pasts_of:
            of_all = self.data.history_events[event_type]
            of_users = np.isin(of_all[USER], self.users)
            events = {name: column[of_users] for name, column in of_all.items()}
            start = np.searchsorted(events[USER], self.users)
            stop = np.searchsorted(user_days(events[USER], events[DAY]), self._wanted)
            self._pasts_of[event_type] = events, start, stop - start
        return self._pasts_of[event_type]

    @cached_property
    def _pasts_of(self) -> dict[str, tuple[dict[str, Labels], Ints, Ints]]:
        return {}

    @cached_property
    def event_days(self) -> Ints:
        """Days with an event in each context's past; int64, shape (groups, i)."""
        is_first: Ints = np.append(0, np.cumsum(run_starts(self._user_days)))
        start, stop = self._past
        return np.subtract(is_first[stop], is_first[start])

    @cached_property
    def past_length_days(self) -> Ints:
        """Days since the first event of each context's past, 0 if there is none; int64, shape (groups, i)."""
        start, stop = self._past
        first = self.events[DAY][np.minimum(start, len(self.events[DAY]) - 1)]
        length: Ints = np.where(stop > start, self.days - first, 0).astype(np.int64)
        return length

    @cached_property
    def history(self) -> tuple[Ints, Ints]:
        """Window of each context's history, cut as `prepare.history` says; see `past`."""
        keep, length = self.data.history.keep, self.data.history.length
        start, lengths = self.past(length)
        return self._past[0] if keep == "oldest" else start, lengths

    @cached_property
    def whole_period(self) -> tuple[Ints, Ints]:
        """Window of all events of each context's user among the split's events; see `past`."""
        start, stop = (np.searchsorted(self.events[USER], self.users, side) for side in SIDES)
        return start, stop - start

    @cached_property
    def day(self) -> tuple[Ints, Ints]:
        """Window of the events of each context's user on its day among the split's events; see `past`."""
        start, stop = (np.searchsorted(self._user_days, self._wanted, side) for side in SIDES)
        return start, stop - start

    @property
    def numbers(self) -> Ints:
        """Number of each context among the distinct (user, day); int64, shape (groups, i)."""
        return self._distinct[1]

    @property
    def distinct(self) -> tuple[Labels, Labels]:
        """User and day of the distinct contexts, ascending; int32, shape (distinct contexts,) each."""
        first = self._distinct[0]
        return self.users.reshape(-1)[first], self.days.reshape(-1)[first]

    @cached_property
    def distinct_pasts(self) -> tuple[Ints, Ints]:
        """Window of the past of each distinct context; int64, shape (distinct contexts,) each."""
        start, length = (part.reshape(-1)[self._distinct[0]] for part in self.past(None))
        return start, length

    def attributes(self, features: tuple[str, ...]) -> AttributeMatches:
        """Count some attributes in the pasts of the distinct contexts."""
        counts = {name: self.past_counts(name) for name in features}
        return AttributeMatches(counts, self.data.train_shares(features))

    def past_counts(self, feature: str) -> PastCounts:
        """Count the values of a feature in the distinct contexts' pasts, once for all tasks and scorers."""
        if feature not in self._past_counts:
            size = self.data.offer_sizes[feature]
            self._past_counts[feature] = count_pasts(self.events[feature], *self.distinct_pasts, size)
        return self._past_counts[feature]

    @cached_property
    def _past_counts(self) -> dict[str, PastCounts]:
        return {}

    @cached_property
    def _history_events(self) -> dict[str, dict[str, Labels]]:
        """Events of each type of the histories: all users', but for the target's."""
        return {self.data.target_event: self.events, **self.data.history_events}

    @cached_property
    def _user_days(self) -> Ints:
        return user_days(self.events[USER], self.events[DAY])

    @cached_property
    def _wanted(self) -> Ints:
        return user_days(self.users, self.days)

    @cached_property
    def _past(self) -> tuple[Ints, Ints]:
        """First event of each context's user, and the one after its past; int64, shape (groups, i)."""
        start = np.searchsorted(self.events[USER], self.users)
        return start, np.searchsorted(self._user_days, self._wanted)

    @cached_property
    def _distinct(self) -> tuple[Ints, Ints]:
        """Place of the first of each distinct context among all, and number of each context."""
        first, number = np.unique(self._wanted, return_index=True, return_inverse=True)[1:]
        return first, number.reshape(self.users.shape)

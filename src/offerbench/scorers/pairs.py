"""What a scorer is asked: who, which offer, as of when. It never learns which pairs are positive."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from offerbench.core.columns import DAY, USER, Split
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.features.decay import DecayedSums
from offerbench.features.match_counts import Ints, MatchIndex
from offerbench.features.offers import OfferTable, most_frequent_values
from offerbench.features.past_counts import AttributeMatches
from offerbench.preparation.history import user_days
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.histories import Histories, HistoriesAsOf, PreparedHistories

Labels = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
GROUPS_AT_A_TIME = 1_000
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

    def attributes(self, features: tuple[str, ...]) -> AttributeMatches:
        """Count some attributes in the pasts of the distinct contexts, once."""
        if features not in self._attributes:
            events = {name: self.events[name] for name in features}
            start, length = (part.reshape(-1)[self._distinct[0]] for part in self.past(None))
            shares = self.data.train_shares(features)
            self._attributes[features] = AttributeMatches(events, start, length, shares)
        return self._attributes[features]

    @cached_property
    def _attributes(self) -> dict[tuple[str, ...], AttributeMatches]:
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


@dataclass(frozen=True, eq=False)
class TaskPairs:
    """The pairs of a task that are to be scored, with what several scorers need of them."""

    task: str
    """The feature that defines the offers."""
    offers: OfferTable
    """The offers of the task."""
    contexts: Contexts
    """Who, as of when. Shape (groups, i)."""
    offer_of_event: Labels
    """Place in `offers` of the offers of each group. Shape (groups, j)."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the scores: groups, users of a group, offers of a group."""
        groups, users = self.contexts.users.shape
        return groups, users, self.offer_of_event.shape[1]

    @cached_property
    def matches(self) -> MatchIndex:
        """Index of the labels of the split's target events, by the task's feature."""
        return MatchIndex(self.contexts.events[self.task])

    def match_counts(self, start: Ints, length: Ints) -> Ints:
        """Count the events of each context's window that are of the offer.

        Parameters
        ----------
        start, length : int64, shape (groups, i)
            Windows among the events of the split.

        Returns
        -------
        int64, shape (groups, i, j)
        """
        return self.matches.count(*self._queries(start, length)).reshape(self.shape)

    def decayed_matches(self, start: Ints, length: Ints, half_life_days: float) -> tuple[Floats, Floats]:
        """Sum the weights of the events of each context's window: those of the offer, and all.

        Parameters
        ----------
        start, length : int64, shape (groups, i)
            Windows among the events of the split.
        half_life_days : float
            An event weighs half of one so many days later; one of the context's day would weigh 1.

        Returns
        -------
        float64, shape (groups, i, j)
            Of the offer.
        float64, shape (groups, i)
            Of all.
        """
        contexts, matches = self.contexts, self.matches
        users, days, labels = (contexts.events[name] for name in (USER, DAY, self.task))
        by_offer = _differs(labels[matches.rows]) | _differs(users[matches.rows])
        of_offer = DecayedSums(by_offer, days[matches.rows], half_life_days)
        of_all = DecayedSums(_differs(users), days, half_life_days)
        as_of = np.broadcast_to(contexts.days[:, :, None], self.shape).reshape(-1)
        found = of_offer.of_windows(*matches.places(*self._queries(start, length)), as_of)
        first, stop = start.reshape(-1), (start + length).reshape(-1)
        total = of_all.of_windows(first, stop, contexts.days.reshape(-1))
        return found.reshape(self.shape), total.reshape(start.shape)

    def attribute_matches(
        self, features: Sequence[str], most_frequent: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Count the events of each context's whole past that share an attribute with the offer.

        Parameters
        ----------
        features : sequence of str
            Attributes, each counted by itself, expected over the offer's distribution.
        most_frequent : int
            Values that describe an attribute of an offer.

        Returns
        -------
        float32, shape (groups, i, j, features)
            Expected counts.
        float32, shape (offers, features)
            Share of all train users' events.
        """
        distributions = {
            name: most_frequent_values(self.offers.distributions[name], most_frequent) for name in features
        }
        groups, users, offers = self.shape
        matches, found = self.contexts.attributes(tuple(features)), []
        for start in range(0, groups, GROUPS_AT_A_TIME):
            part = slice(start, start + GROUPS_AT_A_TIME)
            contexts, past = np.unique(self.contexts.numbers[part], return_inverse=True)
            offer = np.repeat(self.offer_of_event[part, None, :], users, axis=1).reshape(-1)
            past_of_pair = np.repeat(past.reshape(-1), offers)
            found.append(matches.counts(matches.tables(contexts), past_of_pair, offer, distributions))
        return np.concatenate(found).reshape(*self.shape, -1), matches.base(distributions)

    @property
    def base(self) -> Floats:
        """Share of all events that is of the offers of each group; float64, shape (groups, 1, j)."""
        return self.offers.base.astype(np.float64)[self.offer_of_event][:, None, :]

    def _queries(self, start: Ints, length: Ints) -> tuple[Ints, Ints, Ints]:
        """Window and offer of each pair; shape (groups * i * j,) each."""
        keys = self.offers.keys[self.offer_of_event][:, None, :]
        first, size, key = (
            np.broadcast_to(part, self.shape).reshape(-1)
            for part in (start[:, :, None], length[:, :, None], keys)
        )
        return first, size, key


def _differs(values: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Whether each value is another one than that before it; True for the first."""
    return np.append(True, values[1:] != values[:-1])[: len(values)]

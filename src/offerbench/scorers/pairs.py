"""What a scorer is asked: who, which offer, as of when. It never learns which pairs are positive."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from offerbench.core.columns import DAY, HISTORY, USER, Split
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.features.decay import DecayedSums
from offerbench.features.match_counts import Ints, MatchIndex, Past
from offerbench.features.offers import OfferTable, most_frequent_values
from offerbench.features.past_counts import AttributeMatches
from offerbench.preparation.history import user_days
from offerbench.preparation.prepared import PreparedData

Counts = npt.NDArray[np.int32]
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
    rows: Rows
    """Target events that give user and day of each context. Shape (groups, i)."""

    @cached_property
    def rows_of_split(self) -> Rows:
        """Rows of the split's target events, ascending; int64, shape (events of the split,)."""
        return concatenated_ranges(*self.data.user_rows[self.split])

    @cached_property
    def histories(self) -> Rows:
        """Distinct histories of the contexts, ascending; int64, shape (histories,)."""
        distinct: Rows = np.unique(self.data.events[HISTORY][self.rows]).astype(np.int64)
        return distinct

    @cached_property
    def history_of_context(self) -> Rows:
        """Place of each context's history in `histories`; int64, shape (groups, i)."""
        found: Rows = np.searchsorted(self.histories, self.data.events[HISTORY][self.rows])
        return found

    def past(self, length: int | None) -> tuple[Ints, Ints]:
        """Window of each context's past among `rows_of_split`.

        Parameters
        ----------
        length : int, optional
            Only the newest so many events; None: all of them.

        Returns
        -------
        start, length : int64, shape (groups, i)
        """
        return self._past.windows(np.searchsorted(self.rows_of_split, self.rows), length)

    @cached_property
    def users(self) -> npt.NDArray[np.int32]:
        """User of each context; int32, shape (groups, i)."""
        return self.data.events[USER][self.rows]

    @cached_property
    def days(self) -> npt.NDArray[np.int32]:
        """Day of each context; int32, shape (groups, i)."""
        return self.data.events[DAY][self.rows]

    @cached_property
    def whole_period(self) -> tuple[Ints, Ints]:
        """Window of all events of each context's user among `rows_of_split`; see `past`."""
        users = self.data.events[USER][self.rows_of_split]
        start, stop = (np.searchsorted(users, self.users, side) for side in SIDES)
        return start, stop - start

    @cached_property
    def day(self) -> tuple[Ints, Ints]:
        """Window of the events of each context's user on its day among `rows_of_split`; see `past`."""
        events, rows = self.data.events, self.rows_of_split
        of_events = user_days(events[USER][rows], events[DAY][rows])
        wanted = user_days(self.users, self.days)
        start, stop = (np.searchsorted(of_events, wanted, side) for side in SIDES)
        return start, stop - start

    @cached_property
    def numbers(self) -> Ints:
        """Number of each context among the (user, day) of the split; int64, shape (groups, i)."""
        return self._past.context_of_event[np.searchsorted(self.rows_of_split, self.rows)]

    def attributes(self, features: tuple[str, ...]) -> AttributeMatches:
        """Count some attributes in the pasts of all (user, day) of the split, once."""
        if features not in self._attributes:
            events = {name: self.data.events[name][self.rows_of_split] for name in features}
            shares = self.data.train_shares(features)
            self._attributes[features] = AttributeMatches(events, self._past, shares)
        return self._attributes[features]

    @cached_property
    def _attributes(self) -> dict[tuple[str, ...], AttributeMatches]:
        return {}

    @cached_property
    def _past(self) -> Past:
        events, rows = self.data.events, self.rows_of_split
        return Past(events[USER][rows], events[DAY][rows])


@dataclass(frozen=True, eq=False)
class TaskPairs:
    """The pairs of a task that are to be scored, with what several scorers need of them."""

    task: str
    """The feature that defines the offers."""
    offers: OfferTable
    """The offers of the task."""
    contexts: Contexts
    """Who, as of when. Shape (groups, i)."""
    offer_of_event: Counts
    """Place in `offers` of the offers of each group. Shape (groups, j)."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the scores: groups, users of a group, offers of a group."""
        groups, users = self.contexts.rows.shape
        return groups, users, self.offer_of_event.shape[1]

    @cached_property
    def matches(self) -> MatchIndex:
        """Index of the labels of the split's target events, by the task's feature."""
        return MatchIndex(self.contexts.data.events[self.task][self.contexts.rows_of_split])

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
        of_split = contexts.rows_of_split
        users, days, labels = (contexts.data.events[name][of_split] for name in (USER, DAY, self.task))
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

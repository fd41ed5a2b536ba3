"""What a scorer is asked: who, which offer, as of when. It never learns which pairs are positive."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from offerbench.core.columns import DAY, USER
from offerbench.core.order import run_starts
from offerbench.features.decay import DecayedSums
from offerbench.features.match_counts import Ints, MatchIndex
from offerbench.features.offers import OfferTable, most_frequent_values
from offerbench.scorers.contexts import Contexts

Labels = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Made = TypeVar("Made")
GROUPS_AT_A_TIME = 250  # their dense counts should fit a processor cache


@dataclass(frozen=True)
class MatchDays:
    """When the events of windows are of the offer; int64, shape (groups, i, j) each."""

    count: Ints
    """Matches."""
    days: Ints
    """Days with a match."""
    first: Ints
    """Day of the first match; 0 if there is none."""
    last: Ints
    """Day of the last match; 0 if there is none."""


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

    def shared(self, key: object, make: Callable[[], Made]) -> Made:
        """Make what several scorers need of these pairs once."""
        if key not in self._shared:
            self._shared[key] = make()
        made: Made = self._shared[key]
        return made

    @cached_property
    def _shared(self) -> dict[object, Any]:
        return {}

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

    def own_match_counts(self, start: Ints, length: Ints) -> Ints:
        """Count the events of one window for each offer that are of it: of its buyer's past, say.

        Parameters
        ----------
        start, length : int64, shape (groups, j)
            Windows among the events of the split.

        Returns
        -------
        int64, shape (groups, j)
        """
        keys = self.offers.keys[self.offer_of_event].reshape(-1)
        return self.matches.count(start.reshape(-1), length.reshape(-1), keys).reshape(start.shape)

    def match_counts_of(self, event_type: str) -> tuple[Ints, Ints]:
        """Count the events of another type than the target's in each context's whole past.

        Parameters
        ----------
        event_type : str
            One of `data.history_events`.

        Returns
        -------
        int64, shape (groups, i, j)
            Those of the offer.
        int64, shape (groups, i)
            All.
        """
        events, start, length = self.contexts.past_of(event_type)
        counts = MatchIndex(events[self.task]).count(*self._queries(start, length))
        return counts.reshape(self.shape), length

    @cached_property
    def _places_of_past(self) -> tuple[Ints, Ints]:
        """Places of each pair's matches in the whole past, in the order of `matches.rows`."""
        return self.matches.places(*self._queries(*self.contexts.past(None)))

    def decayed_matches(self, half_life_days: float) -> tuple[Floats, Floats]:
        """Sum the weights of the events of each context's whole past: those of the offer, and all.

        Parameters
        ----------
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
        start, length = contexts.past(None)
        users, days, labels = (contexts.events[name] for name in (USER, DAY, self.task))
        by_offer = run_starts(labels[matches.rows], users[matches.rows])
        of_offer = DecayedSums(by_offer, days[matches.rows], half_life_days)
        of_all = DecayedSums(run_starts(users), days, half_life_days)
        as_of = np.broadcast_to(contexts.days[:, :, None], self.shape).reshape(-1)
        found = of_offer.of_windows(*self._places_of_past, as_of)
        first, stop = start.reshape(-1), (start + length).reshape(-1)
        total = of_all.of_windows(first, stop, contexts.days.reshape(-1))
        return found.reshape(self.shape), total.reshape(start.shape)

    @cached_property
    def match_days(self) -> MatchDays:
        """When the events of each context's whole past are of the offer."""
        first, stop = self._places_of_past
        is_first, days = self._match_day_index
        some = stop > first
        last = np.maximum(stop - 1, 0)
        return MatchDays(
            count=(stop - first).reshape(self.shape),
            # The first match of a window is one of its days, whether or not an earlier one is of that day.
            days=np.where(some, is_first[stop] - is_first[np.minimum(first + 1, stop)] + 1, 0).reshape(
                self.shape
            ),
            first=np.where(some, days[np.minimum(first, len(days) - 1)], 0).reshape(self.shape),
            last=np.where(some, days[last], 0).reshape(self.shape),
        )

    @cached_property
    def _match_day_index(self) -> tuple[Ints, Labels]:
        """Where a label, user or day begins in the order of `matches.rows`, counted; and the days."""
        rows = self.matches.rows
        days, labels = self.contexts.events[DAY][rows], self.contexts.events[self.task][rows]
        is_first = run_starts(labels, days, self.contexts.events[USER][rows])
        return np.append(0, np.cumsum(is_first)), days

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
            offer: npt.NDArray[Any] = np.repeat(self.offer_of_event[part, None, :], users, axis=1).reshape(-1)
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
        return self._of_pairs(start[:, :, None]), self._of_pairs(length[:, :, None]), self._of_pairs(keys)

    def _of_pairs(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Repeat values for each pair; shape (groups * i * j,)."""
        return np.broadcast_to(values, self.shape).reshape(-1)

"""What a scorer is asked: who, which offer, as of when. It never learns which pairs are positive."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from offerbench.core.columns import DAY, HISTORY, USER, Split
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.features.match_counts import Ints, MatchIndex, Past
from offerbench.features.offers import OfferTable
from offerbench.preparation.prepared import PreparedData

Counts = npt.NDArray[np.int32]


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
        keys = self.offers.keys[self.offer_of_event][:, None, :]
        of_pairs = (
            np.broadcast_to(part, self.shape).reshape(-1)
            for part in (start[:, :, None], length[:, :, None], keys)
        )
        return self.matches.count(*of_pairs).reshape(self.shape)

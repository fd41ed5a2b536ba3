"""What train users did before a day: base rates and offers are described by it, whoever is ranked."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.timeline import Floats, Ints, Labels, Timeline
from offerbench.core.columns import USER, Split
from offerbench.core.order import run_starts
from offerbench.preparation.prepared import PreparedData


class TrainPast:
    """The target events of train users before a day.

    Parameters
    ----------
    data, timeline : PreparedData, Timeline
        The data set and its target events.
    day : int
        Days since 1970-01-01; only what happened before it is looked at.
    horizon : int
        Days in which a purchase counts.
    """

    def __init__(self, data: PreparedData, timeline: Timeline, day: int, horizon: int) -> None:
        self.data, self.timeline, self.day, self.horizon = data, timeline, day, horizon

    @cached_property
    def rows(self) -> Ints:
        """Rows of the events, ascending; int64, shape (events of the past,)."""
        return np.flatnonzero(self.has_row)

    @cached_property
    def has_row(self) -> npt.NDArray[np.bool_]:
        """Whether each target event is one of them; bool, shape (target events,)."""
        is_train = np.zeros(int(self.timeline.users[-1]) + 1, bool)
        is_train[users_of(self.data, Split.TRAIN)] = True
        has_row: npt.NDArray[np.bool_] = is_train[self.timeline.users] & (self.timeline.days < self.day)
        return has_row

    @cached_property
    def users(self) -> Labels:
        """The users that have any, ascending; int32, shape (users,)."""
        users = self.timeline.users[self.rows]
        return np.asarray(users[run_starts(users)], np.int32)

    @cached_property
    def shopping_days(self) -> int:
        """Days with an event, of all these users."""
        first, stop = self.timeline.first_row(self.users), self.timeline.row(self.users, self.day)
        return int((self.timeline.days_before[stop] - self.timeline.days_before[first]).sum())

    def labels(self, feature: str) -> Labels:
        """Label of a feature of each event; int32, shape (events of the past,)."""
        return np.asarray(self.data.events[feature][self.rows], np.int32)

    @cached_property
    def shares(self) -> dict[str, Floats]:
        """Share of the events with each label of each offer feature; float64, shape (labels,) each."""
        return {
            name: np.bincount(self.labels(name), minlength=size) / max(len(self.rows), 1)
            for name, size in self.data.offer_sizes.items()
        }


def users_of(data: PreparedData, part: Split) -> Labels:
    """Users of a part that have a target event, ascending; int32, shape (users,)."""
    first, length = data.user_rows[part]
    some: Labels = data.events[USER][first[length > 0]]
    return np.sort(some)

"""All that is known of users as of a day, before anybody asks for an offer."""

from functools import cached_property

import numpy as np
from scipy import sparse

from offerbench.campaigns.activity import Activity
from offerbench.campaigns.timeline import Floats, Ints, Labels, Timeline
from offerbench.core.ranges import concatenated_ranges
from offerbench.model.interaction import Vectors
from offerbench.model.ranker import Ranker
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.histories import HistoriesAsOf
from offerbench.scorers.ranker import user_vectors


class UsersAsOf:
    """Users with a past at a day: their events before it, their activity, their vectors.

    Parameters
    ----------
    data : PreparedData
        The data set.
    timeline : Timeline
        Its target events.
    users : int32, shape (users,)
        Ascending; those without an event before the day are left out.
    day : int
        Days since 1970-01-01.
    activity : Activity
        Their expected events and shopping days.
    """

    def __init__(
        self, data: PreparedData, timeline: Timeline, users: Labels, day: int, activity: Activity
    ) -> None:
        self.data, self.timeline, self.day = data, timeline, day
        start, stop = timeline.first_row(users), timeline.row(users, day)
        known = stop > start
        self.users, self.start, self.stop = users[known], start[known], stop[known]
        self._activity = activity

    def __len__(self) -> int:
        """Give the number of users."""
        return len(self.users)

    @cached_property
    def events(self) -> Ints:
        """Events of each user's past; int64, shape (users,)."""
        return np.asarray(self.stop - self.start, np.int64)

    @cached_property
    def shopping_days(self) -> Ints:
        """Days with an event in each user's past; int64, shape (users,)."""
        days = self.timeline.days_before
        return np.asarray(days[self.stop] - days[self.start], np.int64)

    def events_within(self, days: int) -> Ints:
        """Events of each user in the last days; int64, shape (users,)."""
        return self.timeline.events(self.users, self.day - days, self.day)

    @property
    def expected_events(self) -> Floats:
        """Events that each user is expected to have within the horizon; float64, shape (users,)."""
        return self._expected[0]

    @property
    def expected_days(self) -> Floats:
        """Days with an event that each user is expected to have; float64, shape (users,)."""
        return self._expected[1]

    @cached_property
    def rows(self) -> Ints:
        """Rows of all events of the users' pasts, one user after the other; int64, shape (past events,)."""
        return concatenated_ranges(self.start, self.events)

    @cached_property
    def user_of_row(self) -> Ints:
        """Place of the user of each of `rows`; int64, shape (past events,)."""
        return np.repeat(np.arange(len(self)), self.events)

    def counts(self, feature: str) -> sparse.csr_matrix:
        """Events of each user with each label of a feature; float32, shape (users, labels)."""
        if feature not in self._counts:
            labels = self.data.events[feature][self.rows]
            shape = (len(self), self.data.offer_sizes[feature])
            offsets = np.concatenate([[0], np.cumsum(self.events)])
            matrix = sparse.csr_matrix((np.ones(len(labels), np.float32), labels, offsets), shape)
            matrix.sum_duplicates()
            self._counts[feature] = matrix
        return self._counts[feature]

    def vectors(self, model: Ranker) -> Vectors:
        """Vectors of the users' histories; float32, shape (users, ...). Kept for one ranker."""
        if self._vectors is None or self._vectors[0] is not model:
            data = self.data
            events = {data.target_event: data.events, **data.history_events}
            days = np.full(len(self), self.day, np.int32)
            histories = HistoriesAsOf(data, events, self.users, days, np.arange(len(self)))
            self._vectors = model, user_vectors(model, histories)
        return self._vectors[1]

    @cached_property
    def _expected(self) -> tuple[Floats, Floats]:
        return self._activity.expected(self.timeline, self.users, self.day)

    @cached_property
    def _counts(self) -> dict[str, sparse.csr_matrix]:
        return {}

    _vectors: tuple[Ranker, Vectors] | None = None

"""All that is known of users as of a day, before anybody asks for an offer."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from offerbench.campaigns.activity import Activity
from offerbench.campaigns.label_counts import Float32s, LabelCounts, count_and_mark
from offerbench.campaigns.recent_histories import Mask, Past, RecentHistories
from offerbench.campaigns.timeline import Floats, Ints, Labels, Timeline
from offerbench.core.ranges import concatenated_ranges
from offerbench.model.interaction import Vectors
from offerbench.model.ranker import Ranker
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.ranker import user_vectors

FEW_OFFERS = 4  # for so many it is quicker to look at the users of their labels than at all events
VECTORS, EXPECTED, COUNTS = "vectors", ("expected_events", "expected_days"), ("first", "users", "counts")


@dataclass(frozen=True, eq=False)
class Numbers:
    """A number of each user, such as that of events: what depends on it alone is computed once for each."""

    values: Ints
    """The distinct numbers, ascending."""
    place: Ints
    """Place of each user's number in `values`. Shape (users,)."""

    @classmethod
    def of(cls, numbers: Ints) -> "Numbers":
        """Find the distinct numbers."""
        values, place = np.unique(numbers, return_inverse=True)
        return cls(values, place.reshape(-1))


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

    @cached_property
    def past_numbers(self) -> Numbers:
        """How many events each user has in the past."""
        return Numbers.of(self.events)

    def recent_numbers(self, days: int) -> Numbers:
        """How many events each user has in the last days; kept for one number of days."""
        if self._recent is None or self._recent[0] != days:
            self._recent = days, Numbers.of(self.events_within(days))
        return self._recent[1]

    @cached_property
    def own_inputs(self) -> dict[str, Float32s]:
        """Inputs of the head that are the same for every offer; float32, shape (users,) each."""
        found = {
            "log_events": np.log(self.expected_events),
            "log_days": np.log(self.expected_days),
            "log_past_events": np.log1p(self.events),
            "log_past_days": np.log1p(self.shopping_days),
        }
        return {name: np.asarray(values, np.float32) for name, values in found.items()}

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

    def expected_counts(self, feature: str, weights: sparse.csr_matrix) -> Float32s:
        """Events of each user with a value of each offer, expected over the offer's distribution.

        Parameters
        ----------
        feature : str
            An offer feature.
        weights : float32, shape (offers, labels)
            Distribution of each offer.

        Returns
        -------
        float32, shape (users, offers)
            Of the same bits however many offers are asked for together.
        """
        if weights.shape[0] > FEW_OFFERS:
            return np.asarray((self.counts(feature) @ weights.T).todense(), np.float32)
        return self.label_counts(feature).expected(weights)

    def label_counts(self, feature: str) -> LabelCounts:
        """Count the users' events by each label of a feature."""
        if feature not in self._label_counts:
            self._count(feature)
        return self._label_counts[feature]

    def _count(self, feature: str) -> Mask:
        """Count by label; gives whether each of `rows` is its user's first with its label."""
        labels, size = self.data.events[feature][self.rows], self.data.offer_sizes[feature]
        counts, is_first = count_and_mark(labels, self.user_of_row, len(self), size)
        self._label_counts[feature] = counts
        return is_first

    def vectors(self, model: Ranker) -> Vectors:
        """Vectors of the users' histories; float32, shape (users, ...). Kept for one ranker."""
        if self._vectors is None or self._vectors[0] is not model:
            self._vectors = model, user_vectors(model, self.histories())
        return self._vectors[1]

    def histories(self) -> RecentHistories:
        """Give the users' histories on the day; counts by label are made with them."""
        is_distinct = self.data.history.weights == "distinct"
        is_first = {feature: self._count(feature) for feature in self.data.offer_sizes if is_distinct}
        return RecentHistories(self.data, self.users, self.day, Past(self.start, self.stop, is_first))

    def tensors(self, model: Ranker) -> dict[str, npt.NDArray[Any]]:
        """Give all that takes long to make, by name; `restore` takes it."""
        found: dict[str, npt.NDArray[Any]] = {VECTORS: self.vectors(model)}
        found |= dict(zip(EXPECTED, self._expected, strict=True))
        for feature in self.data.offer_sizes:
            counts = self.label_counts(feature)
            found |= {f"{name}/{feature}": getattr(counts, name) for name in COUNTS}
        return found

    def restore(self, tensors: Mapping[str, npt.NDArray[Any]], model: Ranker) -> None:
        """Take what `tensors` gave for the same users, day and models, in place of making it again."""
        self._vectors = model, tensors[VECTORS]
        self._activity_expects = tensors[EXPECTED[0]], tensors[EXPECTED[1]]
        for feature in self.data.offer_sizes:
            first, of_pairs, counts = (tensors[f"{name}/{feature}"] for name in COUNTS)
            self._label_counts[feature] = LabelCounts(first, of_pairs, counts, len(self))

    @property
    def _expected(self) -> tuple[Floats, Floats]:
        if self._activity_expects is None:
            self._activity_expects = self._activity.expected(self.timeline, self.users, self.day)
        return self._activity_expects

    @cached_property
    def _counts(self) -> dict[str, sparse.csr_matrix]:
        return {}

    @cached_property
    def _label_counts(self) -> dict[str, LabelCounts]:
        return {}

    def forget_rows(self) -> None:
        """Give the memory of `rows` and `user_of_row` back; they are made again if they are asked for."""
        for name in ("rows", "user_of_row"):
            self.__dict__.pop(name, None)

    _recent: tuple[int, Numbers] | None = None
    _activity_expects: tuple[Floats, Floats] | None = None
    _vectors: tuple[Ranker, Vectors] | None = None

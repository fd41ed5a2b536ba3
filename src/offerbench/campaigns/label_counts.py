"""Events of users by label: who has how many events with a value, without looking at all other events."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from offerbench.campaigns.timeline import Ints, Labels
from offerbench.core.order import order_by_labels, run_starts
from offerbench.core.ranges import concatenated_ranges

Float32s = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LabelCounts:
    """For each label of a feature the users that have it in their past, and how often."""

    first: Ints
    """Place of the first user of each label, and one more: their number. Shape (labels + 1,)."""
    users: npt.NDArray[np.unsignedinteger]  # type: ignore[type-arg]
    """Places of users, ascending within a label; as few bytes as they need. Shape (pairs,)."""
    counts: npt.NDArray[np.unsignedinteger]  # type: ignore[type-arg]
    """Events of the pair, 1 or more; as few bytes as they need. Shape (pairs,)."""
    number_of_users: int

    def expected(self, weights: sparse.csr_matrix) -> Float32s:
        """Give the events of each user with a value of each offer, expected over the offer's distribution.

        Only users with one of the offer's labels are looked at. Products are added in the order of the
        labels, as in the product of the sparse matrices of counts and weights: its bits are the same.

        Parameters
        ----------
        weights : float32, shape (offers, labels)
            Distribution of each offer.

        Returns
        -------
        float32, shape (users, offers)
        """
        found = np.zeros((self.number_of_users, weights.shape[0]), np.float32)
        for offer in range(weights.shape[0]):
            own = weights[[offer]]
            own.sort_indices()
            length = self.first[own.indices + 1] - self.first[own.indices]
            places = concatenated_ranges(self.first[own.indices], length)
            column = (self.counts[places].astype(np.float32), self.users[places].astype(np.int32))
            offsets = np.concatenate([[0], np.cumsum(length)]).astype(np.int32)
            counts = sparse.csc_matrix((*column, offsets), (self.number_of_users, len(own.indices)))
            found[:, offer] = counts @ own.data
        return found


def count_labels(labels: Labels, user_of_row: Ints, users: int, size: int) -> LabelCounts:
    """Count the events of users by label; see `count_and_mark`."""
    return count_and_mark(labels, user_of_row, users, size)[0]


def count_and_mark(
    labels: Labels, user_of_row: Ints, users: int, size: int
) -> tuple[LabelCounts, npt.NDArray[np.bool_]]:
    """Count the events of users by label, and say which is the first of its user with its label.

    Parameters
    ----------
    labels : int32, shape (events,)
        Values of the feature, one user's events after the other's.
    user_of_row : int64, shape (events,)
        Place of the user of each, ascending.
    users, size : int
        Number of users and of labels.

    Returns
    -------
    counts : LabelCounts
    is_first : bool, shape (events,)
    """
    order = order_by_labels(labels)
    narrow = np.min_scalar_type(max(users - 1, 0))
    label, user = labels[order], user_of_row.astype(narrow)[order]
    start = np.flatnonzero(run_starts(label, user))
    is_first = np.zeros(len(labels), bool)
    is_first[order[start]] = True
    counts = np.diff(np.append(start, len(label)))
    pairs_of_label = np.bincount(label[start], minlength=size)
    found = LabelCounts(
        np.concatenate([[0], np.cumsum(pairs_of_label)]),
        user[start],
        counts.astype(np.min_scalar_type(int(counts.max(initial=0)))),
        users,
    )
    return found, is_first

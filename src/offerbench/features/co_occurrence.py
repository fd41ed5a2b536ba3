"""Which values are bought by the same users: the cosine of two values' buyers, summed over a past."""

from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.features.past_counts import PastCounts

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
PAIRS_AT_A_TIME = 50_000


class CoOccurrence:
    """Cosines between the buyers of a feature's values: item-item similarity of collaborative filtering.

    With b(c, v) the users who bought both c and v, a past with the distinct values C scores
    sum over c in C of b(c, v) / sqrt(b(c, c) b(v, v)); a value that the user bought before counts 1.
    (Sarwar et al., Item-based collaborative filtering recommendation algorithms, 2001, on binary ratings.)

    Parameters
    ----------
    users, labels : int32, shape (events,)
        Events of the users that are counted.
    size : int
        Labels of the feature.
    """

    def __init__(self, users: Labels, labels: Labels, size: int) -> None:
        numbers = np.unique(users, return_inverse=True)[1]
        shape = int(numbers.max(initial=-1)) + 1, size
        bought = sparse.csr_array((np.ones(len(labels), np.float32), (numbers, labels)), shape)
        bought.sum_duplicates()
        bought.data[:] = 1
        self._bought = bought

    @cached_property
    def both(self) -> Floats:
        """Users who bought both of two values; float32, shape (size, size)."""
        counts: Floats = (self._bought.T @ self._bought).toarray()
        return counts

    def scores(self, pasts: PastCounts, past_of_pair: Rows, label_of_pair: Labels) -> Floats:
        """Sum the cosines between the distinct values of each pair's past and its value.

        Parameters
        ----------
        pasts : PastCounts
            Distinct values of pasts, by this feature, of users who were not counted.
        past_of_pair : int64, shape (pairs,)
            Past of each pair.
        label_of_pair : int32, shape (pairs,)
            Value of each pair.

        Returns
        -------
        float32, shape (pairs,)
            Each is a sum by itself, in the order of the past's values: equal pairs get equal bits.
        """
        both, root = self.both, np.sqrt(np.maximum(np.diagonal(self.both), 1)).astype(np.float64)
        scores = np.empty(len(past_of_pair), np.float32)
        for start in range(0, len(scores), PAIRS_AT_A_TIME):
            part = slice(start, start + PAIRS_AT_A_TIME)
            past, label = past_of_pair[part], label_of_pair[part]
            length = pasts.length[past]
            values = pasts.values[concatenated_ranges(pasts.start[past], length)].astype(np.int64)
            found = both.reshape(-1)[values * len(both) + np.repeat(label, length)]
            scores[part] = _sums(found / root[values], length) / root[label]
        return scores


def _sums(values: npt.NDArray[np.float64], length: Rows) -> npt.NDArray[np.float64]:
    """Sum of each of some neighbouring runs of values; 0 for an empty run."""
    sums = np.zeros(len(length))
    some = np.flatnonzero(length)
    if len(some):
        sums[some] = np.add.reduceat(values, (np.cumsum(length) - length)[some])
    return sums

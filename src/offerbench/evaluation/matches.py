"""How often the past of a test event's user matches the offers of its minibatch."""

import numpy as np
import numpy.typing as npt

from offerbench.batching.matching import MatchIndex, Past
from offerbench.batching.prepared import PreparedData
from offerbench.batching.sampling import Rows, concatenated_ranges
from offerbench.schema import DAY, USER, Split

Counts = npt.NDArray[np.int32]


class Matches:
    """Matches of a task, counted when a model asks for them.

    Parameters
    ----------
    data : PreparedData
        The data set.
    split : Split
        The users that the events are of; only their events are looked at.
    rows : int64, shape (minibatches, m)
        Rows of target events.
    task : str
        The feature that defines the offers.
    """

    def __init__(self, data: PreparedData, split: Split, rows: Rows, task: str) -> None:
        self.rows_of_split = of_split = concatenated_ranges(*data.user_rows[split])  # ascending
        self._past = Past(data.events[USER][of_split], data.events[DAY][of_split])
        self._rows = np.searchsorted(of_split, rows)  # (minibatches, m)
        self._labels = data.events[task][of_split]
        self.index = MatchIndex(self._labels)  # of the rows of the split

    def counts(self, windows: list[int | None]) -> Counts:
        """Count matches of each user's past with each offer; int32, shape (minibatches, m, m, windows).

        Parameters
        ----------
        windows : list of int or None
            Newest events that are looked at; None: all.
        """
        shape = (*self._rows.shape, self._rows.shape[1])
        keys = np.broadcast_to(self._labels[self._rows][:, None, :], shape).reshape(-1)
        found = []
        for window in windows:
            start, length = (
                np.broadcast_to(part[:, :, None], shape).reshape(-1)
                for part in self._past.windows(self._rows, window)
            )
            found.append(self.index.count(start, length, keys).reshape(shape))
        stacked: Counts = np.stack(found, axis=-1).astype(np.int32)
        return stacked

    def lengths(self, windows: list[int | None]) -> Counts:
        """Events of each user's past; int32, shape (minibatches, m, windows)."""
        lengths = [self._past.windows(self._rows, window)[1] for window in windows]
        stacked: Counts = np.stack(lengths, axis=-1).astype(np.int32)
        return stacked

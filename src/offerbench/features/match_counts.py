"""How often a user's past matches an offer: history affinity, for the offers of any grouping."""

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.core.order import order_by_labels
from offerbench.preparation.history import contexts, past_windows

Ints = npt.NDArray[np.int64]


class Past:
    """The past of every target event: its user's target events on earlier days, as windows of rows.

    Parameters
    ----------
    users, days : int32, shape (target events,)
        Sorted by (user, day).
    """

    context_of_event: Ints
    """Number of the (user, day) of each event. Shape (target events,)."""
    start: Ints
    """First row of each context's past. Shape (contexts,)."""
    length: Ints
    """Rows of each context's past. Shape (contexts,)."""
    events_of_day: Ints
    """Rows of each context itself; they follow its past. Shape (contexts,)."""

    def __init__(self, users: npt.NDArray[np.int32], days: npt.NDArray[np.int32]) -> None:
        first = contexts(users, days)
        self.events_of_day = np.diff(np.append(first, len(users)))
        self.context_of_event = np.repeat(np.arange(len(first)), self.events_of_day)
        whole = max(len(users), 1)  # no past is longer
        self.start, self.length = past_windows(
            users[first], days[first], users, days, length=whole, keep="latest"
        )

    def windows(self, rows: Ints, length: int | None) -> tuple[Ints, Ints]:
        """Find first row and number of rows of the past of some events.

        Parameters
        ----------
        rows : int64, any shape
            Rows of target events.
        length : int, optional
            Only the newest so many; None: all of them.

        Returns
        -------
        start, length : int64, shape of `rows`
        """
        context = self.context_of_event[rows]
        start, lengths = self.start[context], self.length[context]
        if length is None:
            return start, lengths
        newest = np.minimum(lengths, length)
        return start + lengths - newest, newest


class MatchIndex:
    """Counts the rows of a window that have a label.

    The rows with each label, in order, form one sorted list; two binary searches count those in a
    window.

    Parameters
    ----------
    labels : int, shape (rows,)
        Not negative.
    """

    def __init__(self, labels: npt.NDArray[Any]) -> None:
        order = order_by_labels(labels)
        self._rows = len(labels)
        self._by_label = labels[order].astype(np.int64) * self._rows + order

    def count(self, start: Ints, length: Ints, keys: npt.NDArray[Any]) -> Ints:
        """Count the rows of windows that have a key.

        Parameters
        ----------
        start, length : int64, shape (queries,)
            Windows of rows.
        keys : int, shape (queries,)
            Label to count in each window.

        Returns
        -------
        int64, shape (queries,)
        """
        return self.count_before(start + length, [length], keys)[0]

    @cached_property
    def rows(self) -> Ints:
        """Rows in the order of their labels, those of a label ascending; int64, shape (rows,)."""
        return self._by_label % max(self._rows, 1)

    def places(self, start: Ints, length: Ints, keys: npt.NDArray[Any]) -> tuple[Ints, Ints]:
        """Find the rows of windows that have a key, in the order of `rows`.

        Parameters
        ----------
        start, length, keys
            As in `count`.

        Returns
        -------
        start, stop : int64, shape (queries,)
            First place in `rows`, and the one after the last.
        """
        wanted = keys.astype(np.int64) * self._rows + start
        first, stop = (np.searchsorted(self._by_label, place) for place in (wanted, wanted + length))
        return first, stop

    def count_before(self, stop: Ints, lengths: list[Ints], keys: npt.NDArray[Any]) -> list[Ints]:
        """Count the rows of windows of several lengths that end at the same row.

        Parameters
        ----------
        stop : int64, shape (queries,)
            Row after each window.
        lengths : list of int64, shape (queries,)
            Rows of each window.
        keys : int, shape (queries,)
            Label to count in each window.

        Returns
        -------
        list of int64, shape (queries,)
            For each of `lengths`.
        """
        wanted = keys.astype(np.int64) * self._rows + stop
        order = np.argsort(wanted)  # neighbours in the list are searched one after the other
        wanted = wanted[order]
        before = np.searchsorted(self._by_label, wanted)
        counts = []
        for length in lengths:
            count = np.empty_like(before)
            count[order] = before - np.searchsorted(self._by_label, wanted - length[order])
            counts.append(count)
        return counts

"""Sums of events that count the less the longer ago they are."""

import numpy as np
import numpy.typing as npt

from offerbench.features.match_counts import Ints

Floats = npt.NDArray[np.float64]


class DecayedSums:
    """Sums of the weights of events, as of any later day.

    A sum is carried from one event to the next with what is left of it after the days in between. So it
    depends on nothing but those days: equal pasts of different users, or before different days, have equal
    bits, and no weight is too large or too small for a number.

    Parameters
    ----------
    is_first : bool, shape (events,)
        Where a run of events begins: of one user, or of one user and offer. True at the first event.
    days : int32, shape (events,)
        Ascending in each run.
    half_life_days : float
        An event weighs 1 on its day, and half of that so many days later.
    """

    def __init__(
        self, is_first: npt.NDArray[np.bool_], days: npt.NDArray[np.int32], half_life_days: float
    ) -> None:
        self._run = np.cumsum(is_first)
        self._days = days.astype(np.float64)
        self._half_life = half_life_days
        self._sums = self._carried(np.flatnonzero(is_first))

    def _carried(self, first: Ints) -> Floats:
        """Sum of each event and those before it in its run, as of its day; all runs at the same time."""
        sums = np.ones(len(self._days))
        left = np.exp2(-np.abs(np.diff(self._days, prepend=0)) / self._half_life)
        length = np.diff(np.append(first, len(sums)))
        longest_first = np.argsort(-length, kind="stable")
        first, length = first[longest_first], length[longest_first]
        for place in range(1, int(length.max(initial=0))):
            at = first[: np.searchsorted(-length, -place)] + place
            sums[at] += sums[at - 1] * left[at]
        return sums

    def of_windows(self, start: Ints, stop: Ints, as_of: npt.NDArray[np.int32]) -> Floats:
        """Sum the weights of the events of windows.

        Parameters
        ----------
        start, stop : int64, shape (windows,)
            First event and the one after the last, of one run each.
        as_of : int32, shape (windows,)
            Day that weights are as of, not before those of the window's events.

        Returns
        -------
        float64, shape (windows,)
            Exactly 0 for an empty window.
        """
        sums = np.zeros(len(start))
        some = np.flatnonzero(stop > start)
        sums[some] = self._as_of(stop[some] - 1, as_of[some])
        cut = some[start[some] > 0]
        cut = cut[self._run[start[cut] - 1] == self._run[start[cut]]]  # not from the beginning of the run
        sums[cut] -= self._as_of(start[cut] - 1, as_of[cut])
        return sums

    def _as_of(self, events: Ints, days: npt.NDArray[np.int32]) -> Floats:
        carried: Floats = self._sums[events] * np.exp2((self._days[events] - days) / self._half_life)
        return carried

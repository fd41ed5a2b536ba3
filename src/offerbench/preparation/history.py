"""Histories as windows: which past events a target event sees, their distinct values and weights.

All functions take the events of some users, sorted by (user, day, file order), and use no loop
over events: a history is a window into its user's events of one type.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from offerbench.preparation.config import History

Ints = npt.NDArray[np.int64]
Labels = npt.NDArray[np.int32]
Weights = npt.NDArray[np.float32]


def user_days(users: npt.NDArray[np.int32], days: npt.NDArray[np.int32]) -> Ints:
    """One sortable number for (user, day)."""
    return users.astype(np.int64) << 32 | (days.astype(np.int64) + 2**31)


def contexts(users: npt.NDArray[np.int32], days: npt.NDArray[np.int32]) -> npt.NDArray[np.intp]:
    """First row of each (user, day) among sorted events.

    Parameters
    ----------
    users, days : int32, shape (events,)
        Sorted by (user, day).

    Returns
    -------
    intp, shape (contexts,)
        Ascending rows.
    """
    changed = (np.diff(users) != 0) | (np.diff(days) != 0)
    return np.flatnonzero(np.concatenate([np.ones(min(len(users), 1), bool), changed]))


def past_windows(
    context_users: npt.NDArray[np.int32],
    context_days: npt.NDArray[np.int32],
    users: npt.NDArray[np.int32],
    days: npt.NDArray[np.int32],
    *,
    length: int,
    keep: Literal["oldest", "latest"],
) -> tuple[Ints, Ints]:
    """Window of each context into past events: strictly earlier days, at most `length` events.

    Parameters
    ----------
    context_users, context_days : int32, shape (contexts,)
        Whose past, before which day.
    users, days : int32, shape (events,)
        Events of one type, sorted by (user, day).
    length : int
        At most so many events.
    keep : {"oldest", "latest"}
        Which end of a longer past is kept.

    Returns
    -------
    start, length : int64, shape (contexts,)
        The window's first row, and its number of events.
    """
    first = np.searchsorted(users, context_users, side="left")
    stop = np.searchsorted(user_days(users, days), user_days(context_users, context_days), side="left")
    lengths = np.minimum(stop - first, length)
    return (first if keep == "oldest" else stop - lengths), lengths


def previous_occurrence(users: npt.NDArray[np.int32], labels: Labels) -> Ints:
    """Row of the previous event of the same user with the same label, or -1.

    Parameters
    ----------
    users, labels : int32, shape (events,)
        Sorted by user.

    Returns
    -------
    int64, shape (events,)
        An earlier row, or -1.
    """
    keys = users.astype(np.int64) << 32 | labels
    order = np.argsort(keys, kind="stable")
    repeated = keys[order][1:] == keys[order][:-1]
    previous = np.full(len(keys), -1, np.int64)
    previous[order[1:][repeated]] = order[:-1][repeated]
    return previous


def prefix_bags(previous: Ints, labels: Labels, start: Ints, length: Ints) -> tuple[Labels, Ints, Ints]:
    """Distinct values of windows that start at their user's first event: prefixes of one list.

    The distinct values of a user's first n events are a prefix of the list of first occurrences,
    so all windows of a user share that list and no set is ever made.

    Parameters
    ----------
    previous : int64, shape (events,)
        From `previous_occurrence`.
    labels : int32, shape (events,)
        Values of the feature.
    start, length : int64, shape (histories,)
        Windows; each starts at its user's first event.

    Returns
    -------
    values : int32, shape (first occurrences,)
        The lists of all users.
    start, length : int64, shape (histories,)
        Each history's bag in `values`, in order of first occurrence.
    """
    is_first = previous < 0
    firsts_before = np.concatenate([[0], np.cumsum(is_first)])
    return (
        labels[is_first],
        firsts_before[start],
        firsts_before[start + length] - firsts_before[start],
    )


def window_bags(previous: Ints, labels: Labels, start: Ints, length: Ints) -> tuple[Labels, Ints, Ints]:
    """Distinct values of any windows, one list for each.

    An event is its window's first with its value if the previous one lies before the window.

    Parameters and returns are those of `prefix_bags`.
    """
    offsets, rows = _rows_of_windows(start, length)
    is_first = previous[rows] < np.repeat(start, length)
    firsts_before = np.concatenate([[0], np.cumsum(is_first)])[offsets]
    return labels[rows[is_first]], firsts_before[:-1], np.diff(firsts_before)


def weighted_bags(
    labels: Labels, start: Ints, length: Ints, half_life: float
) -> tuple[Labels, Weights, Ints, Ints]:
    """Distinct values of any windows with the sum of the weights of their events, one list for each.

    Parameters
    ----------
    labels : int32, shape (events,)
        Values of the feature.
    start, length : int64, shape (histories,)
        Windows.
    half_life : float
        An event weighs half of one of its window that is so many events newer; the newest one weighs 1.
        Infinite: every event weighs 1.

    Returns
    -------
    values : int32, shape (values,)
        Ascending in each window.
    weights : float32, shape (values,)
        Of each value.
    start, length : int64, shape (histories,)
        Each history's bag in `values`.
    """
    offsets, rows = _rows_of_windows(start, length)
    age = np.repeat(start + length - 1, length) - rows
    shape = len(start), int(labels.max(initial=0)) + 1
    # A matrix of windows and labels: entries of the same place are added up.
    matrix = sparse.csr_array((np.exp2(-age / half_life), labels[rows], offsets), shape)
    matrix.sum_duplicates()
    offsets = matrix.indptr.astype(np.int64)
    return (
        matrix.indices.astype(np.int32),
        matrix.data.astype(np.float32),
        offsets[:-1],
        np.diff(offsets),
    )


def make_bags(
    users: npt.NDArray[np.int32], labels: Labels, start: Ints, length: Ints, parameters: History
) -> tuple[Labels, Weights | None, Ints, Ints]:
    """Make the bags of one user feature, as the parameters say.

    Parameters
    ----------
    users, labels : int32, shape (events,)
        Events of one type, sorted by (user, day, file order).
    start, length : int64, shape (histories,)
        Windows, as `past_windows` cut them.
    parameters : History
        Which end of a long past is kept, and what a value weighs.

    Returns
    -------
    values : int32, shape (values,)
        A history's distinct values side by side.
    weights : float32, shape (values,), or None
        Of each value; None: all the same.
    start, length : int64, shape (histories,)
        Each history's bag in `values`.
    """
    if parameters.weights != "distinct":
        half_life = parameters.half_life_events if parameters.weights == "recency" else np.inf
        return weighted_bags(labels, start, length, half_life)
    bags = prefix_bags if parameters.keep == "oldest" else window_bags
    values, start, length = bags(previous_occurrence(users, labels), labels, start, length)
    return values, None, start, length


def _rows_of_windows(start: Ints, length: Ints) -> tuple[Ints, Ints]:
    """Place of each window's first row and number of rows; the rows of all windows, one after the other."""
    offsets = np.concatenate([[0], np.cumsum(length)])
    return offsets, np.arange(offsets[-1]) + np.repeat(start - offsets[:-1], length)

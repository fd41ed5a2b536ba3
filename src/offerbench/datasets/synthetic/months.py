"""Months of the log, and their cut into slices of time that are drawn one at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import numpy.typing as npt

FIRST_DAYS = [date(2019 + (9 + i) // 12, (9 + i) % 12 + 1, 1) for i in range(8)]
NAMES = ("2019-Oct", "2019-Nov", "2019-Dec", "2020-Jan", "2020-Feb", "2020-Mar", "2020-Apr")
DAYS = [(later - first).days for first, later in pairwise(FIRST_DAYS)]
SECONDS_PER_DAY = 86_400

ROWS_PER_SLICE = 1 << 18  # buffers that stay in the allocator: four times as many are slower
HOURS = np.array([2, 2, 3, 5, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 9, 10, 10, 10, 9, 7, 5, 4, 3, 2])
"""Activity by hour of the day, UTC. Shape (24,)."""


@dataclass(frozen=True)
class Slice:
    """A stretch of a month and its rows."""

    rows: int
    begin: int
    """First second, from the start of the month."""
    end: int
    """Second after the last."""
    lower: float
    upper: float
    """Share of the month's activity before `begin` and before `end`."""


def month_rows(rows: int, months: int) -> list[int]:
    """Share rows out to months by their days."""
    days = np.cumsum([0, *DAYS[:months]]).tolist()
    bounds = [rows * day // days[-1] for day in days]
    return [later - bound for bound, later in pairwise(bounds)]


def month_slices(rows: int, days: int) -> Iterator[Slice]:
    """Cut a month into slices of nearly equal rows and activity, in the order of time."""
    slices = -(-rows // ROWS_PER_SLICE)
    for i in range(slices):
        lower, upper = i / slices, (i + 1) / slices
        begin, end = active_seconds(np.array([lower, upper]), days).tolist()
        yield Slice(
            rows=rows * (i + 1) // slices - rows * i // slices,
            begin=begin,
            end=max(end, begin + 1),
            lower=lower,
            upper=upper,
        )


def active_seconds(shares: npt.NDArray[np.float64], days: int) -> npt.NDArray[np.int64]:
    """Turn shares of a month's activity into the seconds by which it has passed.

    Parameters
    ----------
    shares : float64, any shape
        In [0, 1].
    days : int
        Of the month.
    """
    passed = np.append(0, np.cumsum(np.tile(HOURS, days)))
    seconds = np.interp(shares, passed / passed[-1], 3600.0 * np.arange(len(passed)))
    return np.asarray(seconds, np.int64)

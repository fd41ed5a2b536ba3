"""Rows of tables and runs of them."""

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]


def concatenated_ranges(first: Rows, length: Rows) -> Rows:
    """Rows `first[i] .. first[i] + length[i] - 1` of every i, one after the other.

    Parameters
    ----------
    first, length : int64, shape (ranges,)
        Start and number of rows of each range.

    Returns
    -------
    int64, shape (sum of length,)
    """
    stops = np.cumsum(length)
    rows: Rows = np.arange(stops[-1] if len(stops) else 0) + np.repeat(first - (stops - length), length)
    return rows

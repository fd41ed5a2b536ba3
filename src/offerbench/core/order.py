"""The order of rows by labels, in linear time: by digits of 16 bits; and where runs of equal ones begin."""

from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.core.ranges import Rows

DIGIT_BITS = 16
"""NumPy sorts integers of so many bits by radix, wider ones by comparisons."""


def order_by_labels(*labels: npt.NDArray[Any]) -> Rows:
    """Give the rows in the order of their labels; rows of the same labels stay in their order.

    Parameters
    ----------
    *labels : int, shape (rows,) each
        Not negative. The first decides, the next one among rows that are equal in it, and so on.

    Returns
    -------
    int64, shape (rows,)
    """
    order: Rows = np.lexsort([digit for column in reversed(labels) for digit in _digits(column)])
    return order


def run_starts(*columns: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Whether each row differs from the one before it in some column; True for the first.

    Parameters
    ----------
    *columns : shape (rows,) each

    Returns
    -------
    bool, shape (rows,)
    """
    starts = np.ones(len(columns[0]), np.bool_)
    if len(starts):
        np.logical_or.reduce([column[1:] != column[:-1] for column in columns], out=starts[1:])
    return starts


def _digits(labels: npt.NDArray[Any]) -> list[npt.NDArray[np.uint16]]:
    """Cut labels into as many digits as the largest one has, the lowest first."""
    digits = [labels.astype(np.uint16)]  # which keeps the lowest bits
    bits, largest = DIGIT_BITS, int(labels.max(initial=0))
    while largest >> bits:
        digits.append((labels >> bits).astype(np.uint16))
        bits += DIGIT_BITS
    return digits

"""Sorts of non-negative integers in linear time: by digits, or by a table of all possible values."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Integer = TypeVar("Integer", bound=np.integer[Any])
DIGIT_BITS = 16
"""NumPy sorts integers of so many bits by digits, wider ones by comparisons."""
TABLE_PER_VALUE = 32
"""A table may have so many entries for each value."""


def ascending_order(values: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.intp]:
    """Order that sorts some integers: what `np.argsort(values, kind="stable")` gives.

    Parameters
    ----------
    values : int, shape (n,)
        Not negative.

    Returns
    -------
    intp, shape (n,)
    """
    # The conversion keeps the lowest bits of each value.
    order = np.argsort(values.astype(np.uint16), kind="stable")
    bits, largest = DIGIT_BITS, int(values.max(initial=0))
    while largest >> bits:
        digits = (values >> bits).astype(np.uint16)
        order = order[np.argsort(digits[order], kind="stable")]
        bits += DIGIT_BITS
    return order


def distinct(values: npt.NDArray[Integer]) -> tuple[npt.NDArray[Integer], npt.NDArray[np.intp]]:
    """Distinct values, and the place of each among them: `np.unique(values, return_inverse=True)`.

    Parameters
    ----------
    values : int, shape (n,)
        Not negative.

    Returns
    -------
    known : int, shape (distinct values,)
        Ascending, of the dtype of `values`.
    places : intp, shape (n,)
    """
    limit = int(values.max(initial=-1)) + 1
    if limit > TABLE_PER_VALUE * len(values):
        known, places = np.unique(values, return_inverse=True)
        return known, places.reshape(-1)
    is_known = np.zeros(limit, np.bool_)
    is_known[values] = True
    found = np.flatnonzero(is_known)
    place_of = np.empty(limit, np.intp)
    place_of[found] = np.arange(len(found))
    return found.astype(values.dtype), place_of[values]

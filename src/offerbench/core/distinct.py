"""Distinct integers by a table of all possible values, where that is small: no sort."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Integer = TypeVar("Integer", bound=np.integer[Any])
TABLE_PER_VALUE = 32
"""A table may have so many entries for each value."""


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

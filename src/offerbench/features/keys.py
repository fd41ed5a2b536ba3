"""Keys: combinations of values of some features, as numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.core.distinct import distinct

Ints = npt.NDArray[np.int64]

MAX_KEYS = 2**62
MAX_TABLE = 2**22  # entries; values above are found by binary search


def packed_key(columns: list[Ints]) -> Ints:
    """Give each combination of values a number of its own.

    Parameters
    ----------
    columns : list of int, shape (rows,)
        Non-negative values of each feature of the key.

    Returns
    -------
    int64, shape (rows,)
        With gaps. Without a sort where the numbers fit into 62 bits.
    """
    key, limit = np.zeros(len(columns[0]), np.int64), 1
    for column in columns:
        size = int(column.max(initial=0)) + 1
        if limit * size > MAX_KEYS:
            key = np.unique(key, return_inverse=True)[1].reshape(-1)
            limit = int(key.max(initial=0)) + 1
        key, limit = key * size + column, limit * size
    return key


def number_keys(
    columns: list[npt.NDArray[Any]], others: list[npt.NDArray[Any]]
) -> tuple[Ints, npt.NDArray[Any]]:
    """Give numbers to the combinations of values of some rows, and the same numbers to other rows.

    Parameters
    ----------
    columns : list of int, shape (rows,)
        Non-negative values of each feature of the key.
    others : list of int, shape (other rows,)
        The same features of other rows.

    Returns
    -------
    numbers : int64, shape (rows,)
        0 .. keys - 1, in the order of the combinations.
    of_others : int, shape (other rows,)
        `keys` for a combination that none of the rows has. As narrow as it can be: most of the time goes
        into memory.
    """
    numbers, of_others = _number(columns[0], others[0])
    for column, other in zip(columns[1:], others[1:], strict=True):
        values, of_values = _number(column, other)
        size = int(values.max(initial=-1)) + 2  # with one for values that none of the rows has
        numbers, of_others = _number(numbers * size + values, of_others.astype(np.int64) * size + of_values)
    return numbers, of_others


def _number(values: npt.NDArray[Any], others: npt.NDArray[Any]) -> tuple[Ints, npt.NDArray[Any]]:
    """`number_keys` of one column."""
    known, numbers = distinct(values)
    narrow = np.min_scalar_type(len(known))
    limit = int(max(known.max(initial=0), others.max(initial=0))) + 1
    if limit <= MAX_TABLE:
        table = np.full(limit, len(known), narrow)
        table[known] = np.arange(len(known))
        return numbers, table[others]
    place = np.minimum(np.searchsorted(known, others), len(known) - 1)
    return numbers, np.where(known[place] == others, place, len(known)).astype(narrow)

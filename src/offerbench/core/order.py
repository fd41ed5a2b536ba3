"""The order of rows by labels, in linear time where labels fit into 16 bits."""

from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.core.ranges import Rows

LABELS_OF_16_BITS = 2**16


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
    order: Rows = np.lexsort([_narrow(column) for column in reversed(labels)])
    return order


def _narrow(labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Take 16 bits where they are enough: NumPy sorts those by radix."""
    return labels.astype(np.uint16) if labels.max(initial=0) < LABELS_OF_16_BITS else labels

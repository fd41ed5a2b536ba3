"""History affinity: a yardstick that needs no training."""

from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.batching.matching import MatchIndex


def history_affinity(
    index: MatchIndex,
    start: npt.NDArray[np.int64],
    length: npt.NDArray[np.int64],
    keys: npt.NDArray[Any],
) -> npt.NDArray[np.float64]:
    """Share of a user's history whose value of the task's feature is the offer's key.

    Parameters
    ----------
    index : MatchIndex
        Of the target events by the task's feature.
    start, length : int64, shape (pairs,)
        Window of each pair's history among those events.
    keys : int32, shape (pairs,)
        Label of each pair's offer.

    Returns
    -------
    float64, shape (pairs,)
        0 for an empty history.
    """
    share: npt.NDArray[np.float64] = index.count(start, length, keys) / np.maximum(length, 1)
    return share

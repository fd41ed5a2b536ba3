"""History affinity: a yardstick that needs no training."""

import numpy as np
import numpy.typing as npt


def history_affinity(
    labels: npt.NDArray[np.int32],
    start: npt.NDArray[np.int64],
    length: npt.NDArray[np.int64],
    keys: npt.NDArray[np.int32],
) -> npt.NDArray[np.float64]:
    """Share of a user's history whose value of the task's feature is the offer's key.

    The rows with each label, in order, form one sorted list; two binary searches count those in a
    window.

    Parameters
    ----------
    labels : int32, shape (target events,)
        The task's feature.
    start, length : int64, shape (pairs,)
        Window of each pair's history in `labels`.
    keys : int32, shape (pairs,)
        Label of each pair's offer.

    Returns
    -------
    float64, shape (pairs,)
        0 for an empty history.
    """
    events = len(labels)
    by_label = np.sort(labels.astype(np.int64) * events + np.arange(events))
    first = np.searchsorted(by_label, keys.astype(np.int64) * events + start)
    stop = np.searchsorted(by_label, keys.astype(np.int64) * events + start + length)
    share: npt.NDArray[np.float64] = (stop - first) / np.maximum(length, 1)
    return share

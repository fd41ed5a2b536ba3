"""Mean AUC of offers by their popularity."""

from typing import Any

import numpy as np
import numpy.typing as npt

MIN_POSITIVES = 30
"""A class of offers with fewer positives together has no mean: it would be mostly chance."""


def means_by_popularity(
    positives: npt.NDArray[Any], auc: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give the mean AUC, weighted by positives, of the offers with 1, 2-3, 4-7, 8-15, ... positives.

    A class of offers that has fewer than `MIN_POSITIVES` together is left out.

    Parameters
    ----------
    positives, auc : ndarray
        Positives (integers, at least 1) and AUC of each offer. Shape (offers,).

    Returns
    -------
    middle : ndarray of float64
        Geometric mean of the positives of each class that is shown. Shape (classes,).
    mean : ndarray of float64
        Mean AUC of the class. Shape (classes,).
    """
    classes = np.floor(np.log2(positives)).astype(np.int64)
    offers = np.bincount(classes)
    total = np.bincount(classes, positives)
    shown = total >= MIN_POSITIVES
    middle = np.exp2(np.bincount(classes, np.log2(positives))[shown] / offers[shown])
    mean = np.bincount(classes, auc * positives)[shown] / total[shown]
    return middle, mean

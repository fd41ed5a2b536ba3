"""Labels of the values of a feature."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def bucket(value: str, buckets: int) -> int:
    """Out-of-vocabulary bucket of a value: stable over runs, machines and Python's hash seed."""
    return int.from_bytes(hashlib.md5(value.encode(), usedforsecurity=False).digest()[:8], "big") % buckets


def assign_labels(
    values: Sequence[str],
    occurrences: npt.NDArray[np.int64],
    *,
    min_occurrences: int,
    buckets: int,
) -> npt.NDArray[np.int32]:
    """Label the distinct values of a feature.

    Values with at least `min_occurrences` get labels `buckets`, `buckets + 1`, ...: most frequent
    first, ties by value. A rarer value gets the label of its bucket, below `buckets`.

    Parameters
    ----------
    values : sequence of str
        Distinct values.
    occurrences : int64, shape (values,)
        How often each is seen.
    min_occurrences, buckets : int
        See above.

    Returns
    -------
    int32, shape (values,)
        Label of each value.
    """
    labels = np.empty(len(values), np.int32)
    by_value = sorted(range(len(values)), key=values.__getitem__)
    order = np.asarray(by_value, np.int64)[np.argsort(-occurrences[by_value], kind="stable")]
    known = order[occurrences[order] >= min_occurrences]
    labels[known] = np.arange(buckets, buckets + len(known))
    for rare in np.flatnonzero(occurrences < min_occurrences):
        labels[rare] = bucket(values[int(rare)], buckets)
    return labels

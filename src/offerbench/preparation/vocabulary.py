"""Labels of the values of a feature."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from offerbench.core.columns import OCCURRENCES, VALUE
from offerbench.core.errors import OfferbenchError
from offerbench.preparation.config import Vocabulary


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


def refuse_empty_vocabularies(vocabularies: Mapping[str, pa.Table], parameters: Vocabulary) -> None:
    """Refuse a feature without a vocabulary: nothing could be learned of it or measured by it.

    Parameters
    ----------
    vocabularies : mapping of Table
        From `encode`.
    parameters : Vocabulary
        What they were made with.
    """
    for feature, table in vocabularies.items():
        occurrences = table[OCCURRENCES].to_numpy()
        wanted, place = parameters.min_occurrences_of(int(occurrences.sum())), int(np.argmax(occurrences))
        if occurrences[place] < wanted:
            value = f"{table[VALUE][place].as_py()!r:.60}"
            raise OfferbenchError(
                f"prepare.vocabulary.min_occurrences: no value of {feature} is seen {wanted:,} times, the "
                f"most frequent one ({value}) {occurrences[place]:,} times. Lower it, or take {feature} out "
                "of prepare.offer_features and tasks."
            )

"""wAUC: the mean AUC of a task's offers, weighted by their positives."""

import numpy as np
import numpy.typing as npt

from offerbench.core.section import count_of
from offerbench.evaluation.config import Evaluate

SEGMENTS = ("all", "popular", "cold_start")


def segment_masks(positives: npt.NDArray[np.int64], evaluate: Evaluate) -> dict[str, npt.NDArray[np.bool_]]:
    """Offers of each segment by their number of positives.

    `all`; `popular`: more than `popular_min_positives`; `cold_start`: the others with more than
    `cold_start_min_positives`.

    Parameters
    ----------
    positives : int64, shape (offers,)
        Positives of each offer of a task.
    evaluate : Evaluate
        Parameters.
    """
    total = int(positives.sum())
    popular = positives > count_of(evaluate.popular_min_positives, total)
    cold_start = ~popular & (positives > count_of(evaluate.cold_start_min_positives, total))
    return {
        "all": np.ones(len(positives), bool),
        "popular": popular,
        "cold_start": cold_start,
    }


def wauc(auc: npt.NDArray[np.float64], positives: npt.NDArray[np.int64]) -> float:
    """Sum of AUC times positives over sum of positives; NaN if there is no offer."""
    total = positives.sum()
    return float((auc * positives).sum() / total) if total else float("nan")

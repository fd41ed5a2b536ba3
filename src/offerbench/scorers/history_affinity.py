"""History affinity: a yardstick that needs no training."""

import numpy as np
import numpy.typing as npt

from offerbench.scorers.pairs import TaskPairs


class HistoryAffinity:
    """Share of the user's history whose value of the task's feature is the offer's key; 0 if it is empty.

    The history is that of the models: the target events before the day, cut to `prepare.history.length`.
    """

    def score(self, pairs: TaskPairs) -> npt.NDArray[np.float64]:
        """Score every user of a group with every offer of the group; see `Scorer`."""
        start, length = pairs.contexts.history
        share: npt.NDArray[np.float64] = pairs.match_counts(start, length) / np.maximum(length, 1)[:, :, None]
        return share

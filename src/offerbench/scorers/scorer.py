"""A row of the results: something that scores the pairs of a task."""

from typing import Any, Protocol

import numpy.typing as npt

from offerbench.scorers.pairs import TaskPairs


class Scorer(Protocol):
    """Scores pairs. That it is trained, what it sees, whether it counts matches, is its own affair."""

    def score(self, pairs: TaskPairs) -> npt.NDArray[Any]:
        """Score every user of a group with every offer of the group.

        Equal pairs get equal scores to the last bit, wherever they stand: ties count half.

        Parameters
        ----------
        pairs : TaskPairs
            Who, which offer, as of when.

        Returns
        -------
        float32 or float64, shape (groups, i, j)
            Higher is better.
        """

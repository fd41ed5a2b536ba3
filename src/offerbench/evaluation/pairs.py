"""Which pairs of a task are measured, and which of them are positive: shared by all scorers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int32]


@dataclass(frozen=True)
class MeasuredPairs:
    """Pairs of a task: every user with every offer of its negatives group of m neighbours.

    Entry (b, i, j) pairs the user of event i with the offer of event j of group b. Negatives that
    have their positive's offer are not kept.
    """

    kept: npt.NDArray[np.bool_]
    """Pairs that count. Shape (groups, m, m)."""
    offers: Indices
    """Offer of each kept pair, an index into the offer table. Shape (pairs,)."""
    is_positive: npt.NDArray[np.bool_]
    """Whether the user bought the offer, for each kept pair. Shape (pairs,)."""

    def of_users(self, of_event: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """For each kept pair, what belongs to its user's event.

        Parameters
        ----------
        of_event : array, shape (groups, m)
            For each test event.

        Returns
        -------
        array, shape (pairs,)
        """
        return np.broadcast_to(of_event[:, :, None], self.kept.shape)[self.kept]

    @property
    def accidental_hits(self) -> int:
        """Negatives left out."""
        return int(self.kept.size - len(self.offers))


def measured_pairs(offer_of_event: Indices) -> MeasuredPairs:
    """Pair every user with every offer of its negatives group.

    Parameters
    ----------
    offer_of_event : int32, shape (groups, m)
        Offer of the task that each test event is of.
    """
    neighbours = offer_of_event.shape[1]
    shape = (*offer_of_event.shape, neighbours)
    is_positive = np.broadcast_to(np.eye(neighbours, dtype=bool), shape)
    kept = is_positive | (offer_of_event[:, :, None] != offer_of_event[:, None, :])
    return MeasuredPairs(
        kept=kept,
        offers=np.broadcast_to(offer_of_event[:, None, :], shape)[kept],
        is_positive=is_positive[kept],
    )

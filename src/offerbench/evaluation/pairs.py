"""The (user, offer) pairs that a task is measured on: shared by all models."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int32]


@dataclass(frozen=True)
class TaskPairs:
    """Pairs of a task after negatives that have their positive's offer are dropped."""

    users: Indices
    """View of each pair's user, an index into the views of the test batches. Shape (pairs,)."""
    offers: Indices
    """Offer of each pair, an index into the offer table. Shape (pairs,)."""
    is_positive: npt.NDArray[np.bool_]
    """Whether the user bought the offer. Shape (pairs,)."""
    collisions: int
    """Negatives dropped."""


def task_pairs(view_of_event: Indices, offer_of_event: Indices, minibatch: int) -> TaskPairs:
    """Pair every user with every offer of its minibatch of neighbours.

    Parameters
    ----------
    view_of_event : int32, shape (events,)
        View that each test event sees.
    offer_of_event : int32, shape (events,)
        Offer of the task that each test event is of.
    minibatch : int
        Number of negatives + 1; divides the number of events.
    """
    views = view_of_event.reshape(-1, minibatch)  # (minibatches, m)
    offers = offer_of_event.reshape(-1, minibatch)
    shape = (*views.shape, minibatch)  # entry (b, i, j): user of event i, offer of event j
    is_positive = np.broadcast_to(np.eye(minibatch, dtype=bool), shape)
    kept = is_positive | (offers[:, :, None] != offers[:, None, :])
    return TaskPairs(
        users=np.broadcast_to(views[:, :, None], shape)[kept],
        offers=np.broadcast_to(offers[:, None, :], shape)[kept],
        is_positive=is_positive[kept],
        collisions=int(kept.size - kept.sum()),
    )

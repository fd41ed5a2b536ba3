"""Which pairs of a task are measured, and which of them are positive: shared by all scorers."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.scorers.pairs import TaskPairs

Indices = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


class Measure(StrEnum):
    """Which negatives count."""

    PUBLISHED = "published"
    """All but those whose offer is that of the user's own event."""
    CLEAN = "clean"
    """Also without those whose user bought the offer on that day, and pairs of a user with his own events."""


@dataclass(frozen=True)
class MeasuredPairs:
    """Pairs of a task: every user with every offer of its negatives group of m neighbours.

    Entry (b, i, j) pairs the user of event i with the offer of event j of group b; it is positive
    where i = j.
    """

    kept: Mask
    """Pairs that count. Shape (groups, m, m)."""
    offers: Indices
    """Offer of each kept pair, an index into the offer table. Shape (pairs,)."""
    is_positive: Mask
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


@dataclass(frozen=True)
class Hits:
    """Negatives that are positives in truth, or say nothing; bool, shape (groups, m, m) each."""

    own_offer: Mask
    """The offer is that of the user's own event."""
    bought_that_day: Mask
    """The user bought the offer on that day, but not as the offer of the own event."""
    own_event: Mask
    """The offer is of another event of the same user, and neither of the others."""

    def left_out(self, measure: Measure) -> Mask:
        """Negatives that a measure leaves out."""
        if measure is Measure.PUBLISHED:
            return self.own_offer
        return self.own_offer | self.bought_that_day | self.own_event

    def counts(self) -> dict[str, int]:
        """Count the negatives of each kind."""
        return {
            "negatives_with_own_offer": int(self.own_offer.sum()),
            "negatives_bought_that_day": int(self.bought_that_day.sum()),
            "negatives_of_own_events": int(self.own_event.sum()),
        }


def find_hits(pairs: TaskPairs) -> Hits:
    """Find the negatives of a task that are positives in truth; each is of one kind, the first that holds.

    Parameters
    ----------
    pairs : TaskPairs
        The offers of a group are those of its own events.
    """
    offer, users = pairs.offer_of_event, pairs.contexts.users
    is_negative = ~np.eye(offer.shape[1], dtype=bool)
    own_offer = is_negative & (offer[:, :, None] == offer[:, None, :])
    bought = is_negative & ~own_offer & (pairs.match_counts(*pairs.contexts.day) > 0)
    own_event = is_negative & ~own_offer & ~bought & (users[:, :, None] == users[:, None, :])
    return Hits(own_offer, bought, own_event)


def pair_facts(pairs: TaskPairs) -> dict[str, int]:
    """Count what a reader must know of the pairs, whatever the measure.

    Parameters
    ----------
    pairs : TaskPairs
        The offers of a group are those of its own events.

    Returns
    -------
    dict of int
        events; events_bought_before: those whose offer the user had bought on an earlier day; negatives;
        negatives_of_own_user: those whose offer is of another event of the same user.
    """
    users = pairs.contexts.users
    groups, neighbours = users.shape
    of_own_user = int((users[:, :, None] == users[:, None, :]).sum()) - users.size  # without the positives
    return {
        "events": users.size,
        "events_bought_before": int((pairs.own_match_counts(*pairs.contexts.past(None)) > 0).sum()),
        "negatives": groups * neighbours * (neighbours - 1),
        "negatives_of_own_user": of_own_user,
    }


def measured_pairs(offer_of_event: Indices, left_out: Mask) -> MeasuredPairs:
    """Pair every user with every offer of its negatives group.

    Parameters
    ----------
    offer_of_event : int32, shape (groups, m)
        Offer of the task that each test event is of.
    left_out : bool, shape (groups, m, m)
        Negatives that don't count.
    """
    is_positive = np.broadcast_to(np.eye(offer_of_event.shape[1], dtype=bool), left_out.shape)
    kept = ~left_out
    return MeasuredPairs(
        kept=kept,
        offers=np.broadcast_to(offer_of_event[:, None, :], kept.shape)[kept],
        is_positive=is_positive[kept],
    )

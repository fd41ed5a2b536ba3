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
    """Pairs of a task: every user with every offer of its negatives group.

    Entry (b, i, j) pairs user i with offer j of group b.
    """

    kept: Mask
    """Pairs that count. Shape (groups, i, j)."""
    offers: Indices
    """Offer of each kept pair, an index into the offer table. Shape (pairs,)."""
    is_positive: Mask
    """Whether the user bought the offer, for each kept pair. Shape (pairs,)."""

    def of_users(self, of_context: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """For each kept pair, what belongs to its user.

        Parameters
        ----------
        of_context : array, shape (groups, i)
            For each user of a group.

        Returns
        -------
        array, shape (pairs,)
        """
        return np.broadcast_to(of_context[:, :, None], self.kept.shape)[self.kept]


@dataclass(frozen=True)
class Hits:
    """Negatives that are positives in truth, or say nothing; bool, shape (groups, i, j) each."""

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


def find_hits(pairs: TaskPairs, is_positive: Mask) -> Hits:
    """Find the negatives of a task that are positives in truth; each is of one kind, the first that holds.

    Parameters
    ----------
    pairs : TaskPairs
        Users and offers of each group. If the users are those of events, the offers are of the same events.
    is_positive : bool, shape (i, j)
        Which user of a group bought which of its offers.
    """
    offer, users = pairs.offer_of_event, pairs.contexts.users
    is_negative = ~np.broadcast_to(is_positive, pairs.shape)
    own_offer = np.zeros(pairs.shape, bool)
    if pairs.contexts.rows is not None:
        own_offer = is_negative & (offer[:, :, None] == offer[:, None, :])
    bought = is_negative & ~own_offer & (pairs.match_counts(*pairs.contexts.day) > 0)
    buyer = users[:, is_positive.argmax(axis=0)]
    own_event = is_negative & ~own_offer & ~bought & (users[:, :, None] == buyer[:, None, :])
    return Hits(own_offer, bought, own_event)


def pair_facts(pairs: TaskPairs, is_positive: Mask) -> dict[str, int]:
    """Count what a reader must know of the pairs, whatever the measure.

    Parameters
    ----------
    pairs, is_positive
        As in `find_hits`; each offer has one buyer.

    Returns
    -------
    dict of int
        events; events_bought_before: those whose offer the user had bought on an earlier day; negatives;
        negatives_of_own_user: those whose user is the offer's buyer, by another event.
    """
    groups, users, buyer = len(pairs.offer_of_event), pairs.contexts.users, is_positive.argmax(axis=0)
    start, length = (part[:, buyer] for part in pairs.contexts.past(None))
    is_buyer = users[:, :, None] == users[:, buyer][:, None, :]
    positives = groups * int(is_positive.sum())
    return {
        "events": positives,
        "events_bought_before": int((pairs.own_match_counts(start, length) > 0).sum()),
        "negatives": is_buyer.size - positives,
        "negatives_of_own_user": int(is_buyer.sum()) - positives,
    }


def measured_pairs(offer_of_event: Indices, left_out: Mask, is_positive: Mask) -> MeasuredPairs:
    """Pair every user with every offer of its negatives group.

    Parameters
    ----------
    offer_of_event : int32, shape (groups, j)
        Offers of each group.
    left_out : bool, shape (groups, i, j)
        Negatives that don't count.
    is_positive : bool, shape (i, j)
        Which user of a group bought which of its offers.
    """
    kept = ~left_out
    return MeasuredPairs(
        kept=kept,
        offers=np.broadcast_to(offer_of_event[:, None, :], kept.shape)[kept],
        is_positive=np.broadcast_to(is_positive, kept.shape)[kept],
    )

"""What a campaign score says of the users, and the protocol that it follows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.offer import Offer

Users = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ScoredUsers:
    """All eligible users, those with an event before the as-of day, scored for one offer."""

    user: Users
    """The source's number of each user, ascending. Shape (users,)."""
    chance: Floats
    """That the user buys the offer within the horizon: 0 to 1. Shape (users,)."""
    expected_purchases: Floats
    """Expected number of target events of the offer within the horizon. Shape (users,)."""
    past_purchases: Users
    """Number of target events of the offer before the as-of day. Shape (users,)."""
    last_purchase: npt.NDArray[np.datetime64]
    """Day of the last of them, NaT if there is none; datetime64[D]. Shape (users,)."""

    def __len__(self) -> int:
        """Give the number of users."""
        return len(self.user)


class CampaignScore(Protocol):
    """Scores users for offers."""

    def score_offers(self, offers: Sequence[Offer], as_of: date, horizon: int) -> Iterator[ScoredUsers]:
        """Score all eligible users for one offer after the other.

        What the offers share, such as activity, is computed once; only one offer's scores are held at a
        time, so that a hundred offers need no more memory than one.

        Parameters
        ----------
        offers : sequence of Offer
            What is offered.
        as_of : date
            Known is what happened before this day.
        horizon : int
            Days, the as-of day included, in which a purchase counts.

        Yields
        ------
        ScoredUsers
            Of each offer, in their order; the users are the same for all.
        """
        ...

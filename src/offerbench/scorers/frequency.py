"""How often the user bought the offer so far, against all users: a yardstick that needs no training."""

import numpy as np
import numpy.typing as npt

from offerbench.scorers.config import Yardsticks
from offerbench.scorers.pairs import TaskPairs

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MIN_REST = 1e-6
"""Share of all events that other offers have at least: odds of an offer that has all are finite."""


def posterior_odds(matches: Floats, events: Floats | Ints, base: Floats, prior_events: float) -> Floats:
    """Odds that an event is of the offer, after `prior_events` events of all users' share (a beta prior).

    Their logarithm, against all users' odds, is what a ranker's match score begins with. Within an
    offer it orders the users as the odds do; without it, equal users keep equal bits.

    Parameters
    ----------
    matches, events, base : float64, shapes that broadcast to (groups, i, j)
        Events of the past that are of the offer, all events of the past, and the share of all users'
        events that is of the offer.
    prior_events : float
        Weight of all users' share.

    Returns
    -------
    float64, shape (groups, i, j)
    """
    rest = np.maximum(1 - base, MIN_REST)
    return (matches + prior_events * base) / (events - matches + prior_events * rest)


class Frequency:
    """Odds of a match over the user's whole past."""

    def __init__(self, yardsticks: Yardsticks) -> None:
        self._prior_events = yardsticks.prior_events

    def score(self, pairs: TaskPairs) -> Floats:
        """Score every user of a group with every offer of the group; see `Scorer`."""
        start, length = pairs.contexts.past(None)
        matches = pairs.match_counts(start, length).astype(np.float64)
        return posterior_odds(matches, length[:, :, None], pairs.base, self._prior_events)

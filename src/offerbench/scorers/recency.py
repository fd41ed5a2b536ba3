"""Frequency with events decayed by days: a yardstick that needs no training."""

import numpy as np
import numpy.typing as npt

from offerbench.scorers.config import Yardsticks
from offerbench.scorers.frequency import posterior_odds
from offerbench.scorers.pairs import TaskPairs


class Recency:
    """Odds of a match over the user's whole past, where an event weighs half of one so many days later."""

    def __init__(self, yardsticks: Yardsticks) -> None:
        self._yardsticks = yardsticks

    def score(self, pairs: TaskPairs) -> npt.NDArray[np.float64]:
        """Score every user of a group with every offer of the group; see `Scorer`."""
        matches, events = pairs.decayed_matches(self._yardsticks.half_life_days)
        return posterior_odds(matches, events[:, :, None], pairs.base, self._yardsticks.prior_events)

"""The ceiling: what counting reaches that sees the future."""

import numpy as np
import numpy.typing as npt

from offerbench.scorers.config import Yardsticks
from offerbench.scorers.frequency import posterior_odds
from offerbench.scorers.pairs import TaskPairs


class Ceiling:
    """Odds of a match over all events of the user but those of the day, later ones among them.

    No method that ranks users for a day can know these: the row shows how far counting could come.
    """

    def __init__(self, yardsticks: Yardsticks) -> None:
        self._prior_events = yardsticks.prior_events

    def score(self, pairs: TaskPairs) -> npt.NDArray[np.float64]:
        """Score every user of a group with every offer of the group; see `Scorer`."""
        whole, day = pairs.contexts.whole_period, pairs.contexts.day
        matches = (pairs.match_counts(*whole) - pairs.match_counts(*day)).astype(np.float64)
        events = (whole[1] - day[1])[:, :, None]
        return posterior_odds(matches, events, pairs.base, self._prior_events)

"""Parameters of the untrained scorers."""

from pydantic import Field

from offerbench.core.section import Section


class Yardsticks(Section):
    """Scorers that need no training."""

    prior_events: float = Field(gt=0)
    """Events that every user is taken to have bought besides, as all users together do (a beta prior)."""
    half_life_days: float = Field(gt=0)
    """Of the row `recency`: an event weighs half of one so many days later."""

"""Parameters of the untrained scorers."""

from offerbench.core.section import Scale, Section


class Yardsticks(Section):
    """Scorers that need no training."""

    prior_events: Scale
    """Events that every user is taken to have bought besides, as all users together do (a beta prior)."""
    half_life_days: Scale
    """Of the row `recency`: an event weighs half of one so many days later."""

"""Parameters of the scorers that are no ranker."""

from typing import Annotated

from pydantic import Field

from offerbench.core.section import Count, Section


class Yardsticks(Section):
    """Scorers that need no training."""

    prior_events: float = Field(gt=0)
    """Events that every user is taken to have bought besides, as all users together do (a beta prior)."""
    half_life_days: float = Field(gt=0)
    """Of the row `recency`: an event weighs half of one so many days later."""


class PairFeatures(Section):
    """Hand-made features of a pair."""

    prior_events: float = Field(gt=0)
    """Events of all users' shares that log odds begin with."""
    windows_events: list[Count]
    """Matches among the newest so many events; may be empty. Those of the whole past are always there."""
    windows_days: list[Count]
    """Matches in the newest so many days; may be empty."""
    half_lives_days: list[Annotated[float, Field(gt=0)]]
    """Matches decayed by days; may be empty."""
    attribute_values: Count
    """Values that describe an attribute of an offer: its most frequent ones."""

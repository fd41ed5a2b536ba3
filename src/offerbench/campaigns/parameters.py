"""Parameters of the campaign score and its backtest."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from offerbench.core.section import Section
from offerbench.evaluation.config import Bootstrap


def _is_day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("is no day of the calendar") from None
    return text


Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_is_day)]


class PreparePast(Section):
    """The data as they would have been prepared earlier."""

    cuts: list[Day]
    """Days, ascending: for each of them vocabulary, clusters, rankers and heads are made of what happened
    before it. Empty: no backtest."""


class TrainActivity(Section):
    """How often a user will shop."""

    horizon_days: int = Field(ge=1)
    """What counts is what happens within so many days, the as-of day the first of them."""
    step_days: int = Field(ge=1)
    """Distance of the past as-of days that it is learned on."""
    warm_up_days: int = Field(ge=1)
    """Days of data before the first of them."""
    windows_days: list[Annotated[int, Field(ge=1)]] = Field(min_length=1)
    """A user's events and shopping days are counted in windows of so many days."""
    rate_days: int = Field(ge=1)
    """The yardstick: the user's mean of so many days. It is kept if it predicts validation users better.
    Tenure is cut at so many days."""
    l2: float = Field(ge=0)
    """Penalty of the standardised weights."""


class TrainHead(Section):
    """From activity, share and matches to the chance of a purchase: one set of weights for all tasks."""

    as_of_days: int = Field(ge=1)
    """Number of past as-of days that it is fitted on."""
    step_days: int = Field(ge=1)
    """Their distance; the horizon of the last of them ends where the data end."""
    negatives: float = Field(gt=0)
    """Users drawn for an offer and day, for each expected buyer."""
    max_pairs: int = Field(ge=1)
    """Of a task and day at most."""
    l2: float = Field(ge=0)
    """Penalty of the standardised weights."""
    prior_events: float = Field(gt=0)
    """Events that every user is taken to have bought besides, as all users together do (a beta prior)."""
    prior_days: float = Field(gt=0)
    """The same for shopping days."""
    recent_days: int = Field(ge=1)
    """Window of recent matches."""
    half_life_days: float = Field(gt=0)
    """Of decayed matches, also of the backtest's decayed count: an event weighs half of one so many days
    later."""
    recency_days: float = Field(gt=0)
    """Scale of the days since the last match."""
    values_per_feature: int = Field(ge=1)
    """Most frequent values kept of the distribution of a feature among an offer's events."""
    seed: int = Field(ge=0)
    """Seed of the draws."""
    threads: int = Field(ge=1)
    """Threads of TensorFlow's operations."""


class Propensity(Section):
    """The peers of the backtest: gradient boosting, a model for each task and for single offers."""

    leaves: int = Field(ge=2)
    """Of a tree of the model of a task."""
    leaves_of_offer: int = Field(ge=2)
    """Of a tree of the model of a single offer."""
    learning_rate: float = Field(gt=0)
    """Share of a tree that is added."""
    min_leaf: int = Field(ge=1)
    """Pairs of a leaf at least."""
    rounds: int = Field(ge=1)
    """Trees at most."""
    patience: int = Field(ge=1)
    """It stops when so many trees did not help validation users."""
    offers: int = Field(ge=1)
    """Best-selling offers of each task that get a model of their own."""
    threads: int = Field(ge=1)
    """Of a training."""
    seed: int = Field(ge=0)
    """Seed of the draws."""


class Backtest(Section):
    """Campaigns of the past, scored as of their day, compared with what happened."""

    dates: list[Day]
    """As-of days, ascending. Each is scored with what was made at the last cut that is not later."""
    shares: list[Annotated[float, Field(gt=0, lt=1)]] = Field(min_length=1)
    """Parts of the users that an audience has, for the share of the buyers that it reaches."""
    max_offers: int = Field(ge=1)
    """Offers of a task and date; of more, so many are drawn."""
    few_buyers: int = Field(ge=0)
    """An offer with at most so many earlier buyers among the train users is in the segment `few_buyers`."""
    new_days: int = Field(ge=1)
    """An offer first sold within so many days is in the segment `new`."""
    bins: int = Field(ge=1)
    """Parts of equal expected buyers, for the calibration error."""
    propensity: Propensity
    """The peers."""
    bootstrap: Bootstrap
    """Behind the 95% intervals."""
    seed: int = Field(ge=0)
    """Seed of the draws of offers, and of the order of ties."""
    threads: int = Field(ge=1)
    """Threads of TensorFlow's operations."""

"""Parameters of the campaign score and its backtest."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from offerbench.core.section import Count, Scale, Section, Seed, Size, Threads
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

    horizon_days: Size
    """What counts is what happens within so many days, the as-of day the first of them."""
    step_days: Size
    """Distance of the past as-of days that it is learned on."""
    warm_up_days: Size
    """Days of data before the first of them."""
    windows_days: list[Size] = Field(min_length=1)
    """A user's events and shopping days are counted in windows of so many days."""
    rate_days: Size
    """The yardstick: the user's mean of so many days. It is kept if it predicts validation users better.
    Tenure is cut at so many days."""
    l2: float = Field(ge=0, le=1e9)
    """Penalty of the standardised weights."""


class TrainHead(Section):
    """From activity, share and matches to the chance of a purchase: one set of weights for all tasks."""

    as_of_days: Size
    """Number of past as-of days that it is fitted on."""
    step_days: Size
    """Their distance; the horizon of the last of them ends where the data end."""
    negatives: Scale
    """Users drawn for an offer and day, for each expected buyer."""
    max_pairs: Count
    """Of a task and day at most."""
    l2: float = Field(ge=0, le=1e9)
    """Penalty of the standardised weights."""
    prior_events: Scale
    """Events that every user is taken to have bought besides, as all users together do (a beta prior)."""
    prior_days: Scale
    """The same for shopping days."""
    recent_days: Size
    """Window of recent matches."""
    half_life_days: Scale
    """Of decayed matches, also of the backtest's decayed count: an event weighs half of one so many days
    later."""
    recency_days: Scale
    """Scale of the days since the last match."""
    values_per_feature: Size
    """Most frequent values kept of the distribution of a feature among an offer's events."""
    seed: Seed
    """Seed of the draws."""
    threads: Threads
    """Threads of TensorFlow's operations."""


class Propensity(Section):
    """The peers of the backtest: gradient boosting, a model for each task and for single offers."""

    leaves: int = Field(ge=2, le=100_000)
    """Of a tree of the model of a task."""
    leaves_of_offer: int = Field(ge=2, le=100_000)
    """Of a tree of the model of a single offer."""
    learning_rate: float = Field(gt=0, le=1)
    """Share of a tree that is added."""
    min_leaf: Count
    """Pairs of a leaf at least."""
    rounds: Size
    """Trees at most."""
    patience: Size
    """It stops when so many trees did not help validation users."""
    offers: Size
    """Best-selling offers of each task that get a model of their own."""
    threads: Threads
    """Of a training."""
    seed: Seed
    """Seed of the draws."""


class Backtest(Section):
    """Campaigns of the past, scored as of their day, compared with what happened."""

    dates: list[Day]
    """As-of days, ascending. Each is scored with what was made at the last cut that is not later."""
    shares: list[Annotated[float, Field(gt=0, lt=1)]] = Field(min_length=1)
    """Parts of the users that an audience has, for the share of the buyers that it reaches."""
    max_offers: Size
    """Offers of a task and date; of more, so many are drawn."""
    few_buyers: int = Field(ge=0, lt=2**31)
    """An offer with at most so many earlier buyers among the train users is in the segment `few_buyers`."""
    new_days: Size
    """An offer first sold within so many days is in the segment `new`."""
    bins: Size
    """Parts of equal expected buyers, for the calibration error."""
    propensity: Propensity
    """The peers."""
    bootstrap: Bootstrap
    """Behind the 95% intervals."""
    seed: Seed
    """Seed of the draws of offers, and of the order of ties."""
    threads: Threads
    """Threads of TensorFlow's operations."""

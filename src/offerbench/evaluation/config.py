"""Parameters of the stage `evaluate`."""

from typing import Literal

from pydantic import Field

from offerbench.core.section import AmountOrShare, Count, Section, Seed, Threads
from offerbench.scorers.config import Yardsticks


class Bootstrap(Section):
    """Samples of the test users, drawn with replacement, behind every interval."""

    samples: int = Field(ge=2, le=100_000)
    """Number of samples; 200 give the half width of an interval to about 5%."""
    seed: Seed
    """Seed of the draws."""


class Evaluate(Section):
    """Models and offers -> wAUC, intervals, gaps."""

    users: Literal["test", "validation"]
    """Whose events are measured: studies that choose something look at validation users, never at test."""
    number_of_negatives: Count
    """Negatives a positive: the others of a negatives group of number_of_negatives + 1 users."""
    negatives: Literal["neighbours", "all_users"]
    """Who is compared with an offer's buyer: neighbours in a batch, who shop at about the same time, or users
    drawn from all, whether they shop then or not."""
    seed: Seed
    """Seed of the draws from all users."""
    popular_min_positives: AmountOrShare
    """An offer with more positives than this is in the segment `popular`: a number, or a share of the
    positives of all offers of its task."""
    cold_start_min_positives: AmountOrShare
    """An offer with more positives than this, a number or a share, and not popular is in the segment
    `cold_start`."""
    yardsticks: Yardsticks
    """The rows that need no training."""
    bootstrap: Bootstrap
    """Behind the 95% intervals."""
    threads: Threads
    """Threads of TensorFlow's operations, and models that are sampled side by side."""

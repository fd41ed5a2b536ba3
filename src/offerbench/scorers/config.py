"""Parameters of the scorers that are no ranker."""

from typing import Annotated

from pydantic import Field

from offerbench.core.section import Count, Scale, Section, Seed, Size, Threads


class Yardsticks(Section):
    """Scorers that need no training."""

    prior_events: Scale
    """Events that every user is taken to have bought besides, as all users together do (a beta prior)."""
    half_life_days: Scale
    """Of the row `recency`: an event weighs half of one so many days later."""


class PairFeatures(Section):
    """Hand-made features of a pair."""

    prior_events: Scale
    """Events of all users' shares that log odds begin with."""
    windows_events: list[Count]
    """Matches among the newest so many events; may be empty. Those of the whole past are always there."""
    windows_days: list[Count]
    """Matches in the newest so many days; may be empty."""
    half_lives_days: list[Scale]
    """Matches decayed by days; may be empty."""
    attribute_values: Count
    """Values that describe an attribute of an offer: its most frequent ones."""


Share = Annotated[float, Field(gt=0, le=1)]


class Boosting(Section):
    """Gradient boosted trees by LightGBM, for the logistic loss over pairs."""

    max_rounds: Count
    """Trees at most."""
    patience: Count
    """Stop when the loss on users that the trees are not fitted on has not fallen for so many trees."""
    leaves: Annotated[int, Field(ge=2, le=10_000)]
    """Leaves of a tree at most."""
    learning_rate: Share
    """Weight of a tree."""
    min_pairs_in_leaf: Count
    """Pairs of a leaf at least."""
    l2: Annotated[float, Field(ge=0, le=1e9)]
    """Weight of the squares of the leaves' values in the loss."""
    feature_share: Share
    """Share of the features that a tree may use, drawn anew for each."""
    pair_share: Share
    """Share of the pairs that a tree is fitted on, drawn anew for each."""
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    """Seed of these draws."""
    threads: Threads
    """Threads of LightGBM; no number depends on them."""


class LeastSquares(Section):
    """Factors of users and of a feature's values by alternating least squares (implicit)."""

    factors: Size
    """Length of a vector."""
    iterations: Count
    """Passes over users and values."""
    l2: Annotated[float, Field(ge=0, le=1e9)]
    """Weight of the squares of the vectors in the loss."""
    weight_of_event: Scale
    """What an event adds to the confidence of a user's value, which is 1 without."""
    seed: Seed
    """Seed of the first vectors."""


class TrainPeer(Section):
    """Other methods, fitted on train users."""

    batches: Count
    """Train batches that trees are fitted on; each gives its pairs for every task."""
    number_of_negatives: Annotated[int, Field(ge=1, le=1_000)]
    """Negatives of a positive."""
    features: PairFeatures
    """What trees see of a pair."""
    boosting: Boosting
    """The trees."""
    least_squares: LeastSquares
    """The factors."""


class TrainBoosted(Section):
    """Trees on top of the augmented ranker's score, fitted on validation users for all tasks together."""

    features: PairFeatures
    """What they see of a pair beside the ranker's score."""
    boosting: Boosting
    """The trees. How many is chosen by halves of the validation users."""

"""Parameters of the stage `prepare`."""

from itertools import product
from typing import Literal, Self

from pydantic import Field, model_validator

from offerbench.core.columns import RESERVED, user_feature
from offerbench.core.section import Count, CountOrShare, Name, Scale, Section, Seed, count_of

LEAST_OCCURRENCES = 5
"""Of a value in the vocabulary, where `min_occurrences` is a share: fewer teach nothing about a value."""


class Clusters(Section):
    """A feature made of a number by one-dimensional k-means."""

    column: Name
    """Numeric column of the source, such as `price`."""
    clusters: int = Field(ge=1, le=100_000)
    """Number of clusters."""
    sample: Count
    """Fit on at most so many numbers, drawn without replacement."""
    decimals: int = Field(ge=0, le=6)
    """Digits after the point of a cluster's label, its rounded centre: 2 for cents."""
    seed: int = Field(ge=0, lt=2**32)
    """Seed of the sample and of the first centres."""


class Vocabulary(Section):
    """Which values get a label of their own."""

    min_occurrences: CountOrShare
    """A value seen less often over the kept events goes to an out-of-vocabulary bucket: a number, or a share
    of these events, but at least 5."""
    out_of_vocabulary_buckets: int = Field(ge=1, le=1_000_000)
    """Number of buckets; labels of the vocabulary start after them."""

    def min_occurrences_of(self, events: int) -> int:
        """Occurrences that a value needs among so many events."""
        share = count_of(self.min_occurrences, events)
        return share if isinstance(self.min_occurrences, int) else max(share, LEAST_OCCURRENCES)


class UserSplit(Section):
    """Split by user."""

    test_users: CountOrShare
    """Users whose events are test events: a number, or a share of those with `min_target_events`."""
    validation_users: CountOrShare
    """Users whose events are validation events: a number, or a share of those with `min_target_events`."""
    seed: Seed
    """Seed of the permutation of the users."""
    min_target_events: Count
    """A user with fewer target events is in train whatever is drawn."""


class History(Section):
    """What of a user's past an event sees."""

    events: list[Name] = Field(min_length=1)
    """Event types whose past describes a user: one bag for each type and offer feature."""
    length: Count
    """At most so many events of a type."""
    lengths: dict[Name, Count]
    """`length` of single offer features; may be empty. History affinity goes by `length`."""
    keep: Literal["oldest", "latest"]
    """Which events of a longer past are kept."""
    weights: Literal["distinct", "count", "recency"]
    """What a value of a bag weighs in its mean: all the same; its number of events; or the sum over its
    events of 0.5 ** (age / half_life_events)."""
    half_life_events: Scale
    """For `recency`: an event weighs half of one this many events newer. An event's age is the number of
    newer events of its type in the history."""

    def length_of(self, feature: str) -> int:
        """At most so many events of a type make a bag of `feature`."""
        return self.lengths.get(feature, self.length)


class Prepare(Section):
    """Raw files -> canonical events -> labels, splits, histories."""

    target_event: Name
    """The event type to predict."""
    offer_features: list[Name] = Field(min_length=1)
    """Attributes of a product that models see: text columns of the source, or names in `clusters`."""
    clusters: dict[Name, Clusters]
    """Features made of numbers, by name; may be empty."""
    vocabulary: Vocabulary
    """Labels of values."""
    max_rejected_share: float = Field(default=0.01, ge=0, le=1)
    """Share of the raw rows that may be rejected because they can't be used; above it the run is refused."""
    split: UserSplit
    """Train, validation, test."""
    history: History
    """Which of a user's past events a target event sees."""

    @model_validator(mode="after")
    def _names_are_free(self) -> Self:
        if taken := sorted(RESERVED & {*self.offer_features, *self.clusters}):
            raise ValueError(f"offer_features, clusters: the names {taken} are taken, choose others")
        pairs: dict[str, tuple[str, str]] = {}
        for pair in product(self.history.events, self.offer_features):
            name = user_feature(*pair)
            if name in self.offer_features:
                raise ValueError(
                    f"offer_features: the name {name} is that of the histories of {pair[0]} by {pair[1]}, "
                    "choose another"
                )
            if pairs.setdefault(name, pair) != pair:
                raise ValueError(
                    f"history.events, offer_features: {pairs[name]} and {pair} both have the name {name}. "
                    "Rename an event type or a feature"
                )
        return self

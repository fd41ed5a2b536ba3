"""Parameters of the stage `prepare`."""

from typing import Literal

from pydantic import Field

from offerbench.params.section import Section

EventType = Literal["purchase", "cart"]
OfferFeature = Literal["product_id", "category1", "category2", "category3", "brand", "price_cluster"]


class PriceClusters(Section):
    """One-dimensional k-means over prices."""

    clusters: int = Field(ge=1)
    """Number of clusters."""
    sample: int = Field(ge=1)
    """Fit on at most so many prices, drawn without replacement."""
    decimals: int = Field(ge=0, le=6)
    """Digits after the point of a cluster's label, its rounded centre: 2 for cents."""
    seed: int = Field(ge=0, lt=2**32)
    """Seed of the sample and of the first centres."""


class Vocabulary(Section):
    """Which values get a label of their own."""

    min_occurrences: int = Field(ge=1)
    """A value seen less often over the kept events goes to an out-of-vocabulary bucket."""
    out_of_vocabulary_buckets: int = Field(ge=1)
    """Number of buckets; labels of the vocabulary start after them."""


class UserSplit(Section):
    """Split by user."""

    test_users: int = Field(ge=1)
    """Number of users whose events are test events."""
    validation_users: int = Field(ge=1)
    """Number of users whose events are validation events."""
    seed: int = Field(ge=0)
    """Seed of the permutation of the users."""


class History(Section):
    """What of a user's past an event sees."""

    events: list[EventType] = Field(min_length=1)
    """Event types whose past describes a user: one bag for each type and offer feature."""
    length: int = Field(ge=1)
    """At most so many events of a type."""
    keep: Literal["oldest", "latest"]
    """Which events of a longer past are kept."""


class Prepare(Section):
    """Raw files -> canonical events -> labels, splits, histories."""

    target_event: EventType
    """The event type to predict."""
    offer_features: list[OfferFeature] = Field(min_length=1)
    """Attributes of a product that models see."""
    price: PriceClusters
    """Clusters of prices."""
    vocabulary: Vocabulary
    """Labels of values."""
    split: UserSplit
    """Train, validation, test."""
    history: History
    """Histories."""

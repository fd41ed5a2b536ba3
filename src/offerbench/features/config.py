"""Parameters of offers and groupings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from offerbench.core.section import Count, Section


class GroupTest(Section):
    """Test batches -> one table of offers for each task."""

    values_per_feature: Count
    """Most frequent values kept of the distribution of a feature among an offer's events."""


@dataclass(frozen=True)
class MatchingParameters:
    """How the pairs of a batch are made and matched with the users' pasts: part of a training's section."""

    neighbours: int
    """Events of a negatives group."""
    remove_accidental_hits: Literal["none", "offer", "bought_that_day"]
    """Negatives that are left out of the loss."""
    windows: Sequence[int | None]
    """Newest events of a past that matches are counted in; None: all of it."""
    attribute_values: int | None
    """Most frequent values of each feature that describe an offer; None: attributes are not matched."""


class GroupingParameters(Section):
    """Random groupings of a batch's events into offers."""

    number: int = Field(ge=1, le=1_000)
    """Groupings of a batch; the loss is their mean."""
    mean_features: float = Field(ge=0.01, le=1_000)
    """Offer features of a key, on average (before empty keys are drawn again)."""
    coarser_and_finer_share: float = Field(ge=0, le=1)
    """Chance that large groups are split at random and the groups then merged, two or more to one."""
    small_group_percentile: int = Field(ge=0, le=100)
    """Percentile of the groups' sizes that a part of a split group has, before `min_group` is added."""
    min_group: Count
    """Events that a part of a split group has at least."""
    max_subgroups: Count
    """Parts that a group is split into at most."""
    mean_further_groups: float = Field(ge=0, le=1e6)
    """Groups merged into one on average, besides the first two."""

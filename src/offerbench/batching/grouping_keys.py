"""What the offers of a batch's groupings are defined by: keys of some features, drawn anew for each batch."""

from dataclasses import dataclass

import numpy as np

from offerbench.features.config import GroupingParameters
from offerbench.features.groupings import draw_features


@dataclass(frozen=True)
class Key:
    """What the offers of a grouping are defined by."""

    features: list[int]
    """Places of the offer features whose values make the key, ascending."""
    change: GroupingParameters | None = None
    """How large groups are split at random and the groups then merged, now and then; None: never."""


def draw_keys(
    features: int, groupings: GroupingParameters | None, generator: np.random.Generator
) -> list[Key]:
    """Draw the keys of a batch's groupings; without groupings, one key of all features."""
    if groupings is None:
        return [Key(list(range(features)))]
    drawn = [draw_features(features, groupings.mean_features, generator) for _ in range(groupings.number)]
    return [Key(places, groupings) for places in drawn]


def single_keys(features: int) -> list[Key]:
    """Make a key of each feature alone: the offers of the tasks."""
    return [Key([feature]) for feature in range(features)]

"""Groupings: a batch's events seen as events of offers, by keys drawn at random.

After the group-by augmentations of Tinyclues' study: in training an event belongs to many offers, such
as a product of a category, a brand of that category, one of two brands. Each grouping draws the features
that define its offers; an offer is what its events have in common.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offerbench.core.distinct import distinct
from offerbench.features.config import GroupingParameters
from offerbench.features.keys import packed_key

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """Groups of the events of a batch."""

    group_of_event: Indices
    """0 .. groups - 1. Shape (B,)."""
    key_of_event: Indices
    """Value of the key that each event has, 0 .. keys - 1. Shape (B,)."""


def draw_features(features: int, mean: float, generator: np.random.Generator) -> list[int]:
    """Draw the features of a key: each with the same chance, again until there is one.

    Parameters
    ----------
    features : int
        Number of offer features.
    mean : float
        Drawn on average, before empty draws are drawn again.
    generator : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    list of int
        Places of features, ascending, at least one.
    """
    chance = min(mean / features, 1)
    while True:
        drawn: list[int] = np.flatnonzero(generator.random(features) < chance).tolist()
        if drawn:
            return drawn


def split_groups(groups: Indices, parameters: GroupingParameters, generator: np.random.Generator) -> Indices:
    """Split large groups at random: an offer made finer by something that no feature tells.

    Parameters
    ----------
    groups : int64, shape (B,)
        Group of each event.
    parameters : GroupingParameters
        Sizes of the parts.
    generator : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    int64, shape (B,)
        Sub-group of each event, 0 .. sub-groups - 1.
    """
    sizes = np.bincount(groups)
    small = int(np.percentile(sizes, parameters.small_group_percentile, method="nearest"))
    small += parameters.min_group
    parts = np.minimum(sizes // small + 1, parameters.max_subgroups)
    part = (generator.random(len(groups)) * parts[groups]).astype(np.int64)
    return distinct(packed_key([groups, part]))[1]


def merge_groups(groups: Indices, mean_further_groups: float, generator: np.random.Generator) -> Indices:
    """Merge groups at random, two or more to one: an offer made coarser, an OR of clauses.

    Parameters
    ----------
    groups : int64, shape (B,)
        Group of each event, 0 .. groups - 1.
    mean_further_groups : float
        Groups merged into one on average, besides the first two.
    generator : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    int64, shape (B,)
        Merged group of each event.
    """
    merged = 2 + generator.poisson(mean_further_groups)
    place = generator.permutation(int(groups.max(initial=-1)) + 1)
    return (place // merged)[groups]


def draw_groups(
    key_of_event: Indices, change: GroupingParameters | None, generator: np.random.Generator
) -> Groups:
    """Make groups of keys: one for each, or now and then finer and coarser ones at random.

    Parameters
    ----------
    key_of_event : int64, shape (B,)
        0 .. keys - 1.
    change : GroupingParameters, optional
        Groups are changed with chance `coarser_and_finer_share`; None: never.
    generator : numpy.random.Generator
        Source of the draws.
    """
    groups = key_of_event
    if change is not None and generator.random() < change.coarser_and_finer_share:
        parts = split_groups(groups, change, generator)
        groups = merge_groups(parts, change.mean_further_groups, generator)
    return Groups(group_of_event=groups, key_of_event=key_of_event)


def group_keys(groups: Groups) -> tuple[Indices, Indices]:
    """List the distinct keys of each group, one group after the other.

    Returns
    -------
    start : int64, shape (groups + 1,)
        First place of each group's keys, and their number.
    keys : int64, shape (keys of all groups,)
        Ascending within a group.
    """
    keys = int(groups.key_of_event.max(initial=-1)) + 1
    pairs = np.unique(groups.group_of_event * keys + groups.key_of_event)
    count = int(groups.group_of_event.max(initial=-1)) + 1
    return np.searchsorted(pairs // keys, np.arange(count + 1)), pairs % keys

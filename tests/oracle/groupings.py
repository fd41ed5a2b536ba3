"""Groups of a batch's events, event by event; takes the same draws in the same order."""

from collections import Counter
from collections.abc import Container, Hashable, Sequence

import numpy as np


def ranks(values: Sequence[Hashable]) -> list[int]:
    """Place of each value among the sorted distinct ones."""
    known = sorted(set(values))
    return [known.index(value) for value in values]


def draw_features(features: int, mean: float, generator: np.random.Generator) -> list[int]:
    """Each feature with the same chance, again until there is one."""
    drawn: list[int] = []
    while not drawn:
        drawn = [feature for feature in range(features) if generator.random() < mean / features]
    return drawn


def split_groups(
    groups: Sequence[int], percentile: int, min_part: int, max_parts: int, generator: np.random.Generator
) -> list[int]:
    """Cut each group at random into 1 + its size / (a percentile of the sizes + min_part) parts."""
    sizes = Counter(groups)
    ascending = sorted(sizes.values())
    small = ascending[round(percentile / 100 * (len(ascending) - 1))] + min_part
    parts = []
    for group in groups:
        number = min(1 + sizes[group] // small, max_parts)
        parts.append((group, int(generator.random() * number)))
    return ranks(parts)


def merge_groups(groups: Sequence[int], mean_further: float, generator: np.random.Generator) -> list[int]:
    """Line the groups up at random and merge so many neighbours at a time."""
    merged = 2 + generator.poisson(mean_further)
    place = generator.permutation(len(set(groups)))
    return [int(place[group] // merged) for group in groups]


def group_keys(groups: Sequence[int], keys: Sequence[int]) -> list[list[int]]:
    """Distinct keys of each group's events, ascending."""
    events = list(zip(groups, keys, strict=True))
    return [sorted({key for own, key in events if own == group}) for group in range(max(groups) + 1)]


def pair_weights(
    groups: Sequence[int],
    keys: Sequence[Hashable],
    neighbours: int,
    remove: str,
    users: Sequence[int],
    bought: Sequence[Container[Hashable]],
) -> list[float]:
    """1 for each pair of each negatives group that counts, 0 for a negative that is removed.

    With "offer", these are negatives whose offer has the key of the user's own event; with
    "bought_that_day", also those whose offer has any key that the user bought on that day (`bought`, for
    each event), and those whose offer is of an event of the same user.
    """
    weights = []
    for start in range(0, len(groups), neighbours):
        for i in range(start, start + neighbours):
            for j in range(start, start + neighbours):
                of_offer = {key for group, key in zip(groups, keys, strict=True) if group == groups[j]}
                is_hit = remove != "none" and keys[i] in of_offer
                if remove == "bought_that_day":
                    is_hit = is_hit or any(key in bought[i] for key in of_offer) or users[i] == users[j]
                weights.append(0.0 if i != j and is_hit else 1.0)
    return weights

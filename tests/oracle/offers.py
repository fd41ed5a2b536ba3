"""Offers of a task, one Counter for each offer and feature."""

from collections import Counter
from collections.abc import Mapping, Sequence


def distribution(values: Sequence[int], most_frequent: int) -> dict[int, float]:
    """Weights of the most frequent values, ties to the lower label, normalised after the cut."""
    counts = Counter(values)
    kept = sorted(counts, key=lambda value: (-counts[value], value))[:most_frequent]
    total = sum(counts[value] for value in kept)
    return {value: counts[value] / total for value in kept}


def group_offers(
    events: Mapping[str, Sequence[int]], task: str, most_frequent: int
) -> dict[int, dict[str, dict[int, float]]]:
    """For each key of the task's feature, ascending, and each feature: value -> weight, in order."""
    offers = {}
    for key in sorted(set(events[task])):
        rows = [row for row, value in enumerate(events[task]) if value == key]
        offers[key] = {
            feature: distribution([labels[row] for row in rows], most_frequent)
            for feature, labels in events.items()
        }
    return offers

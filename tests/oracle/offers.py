"""Offers of a task, one Counter for each offer and feature."""

from collections import Counter
from collections.abc import Mapping, Sequence


def distribution(values: Sequence[int], most_frequent: int) -> dict[int, float]:
    """Weights of the most frequent values, ties to the lower label, normalised after the cut."""
    counts = Counter(values)
    kept = sorted(counts, key=lambda value: (-counts[value], value))[:most_frequent]
    total = sum(counts[value] for value in kept)
    return {value: counts[value] / total for value in kept}


def without_event(values: Sequence[int], own: int, most_frequent: int) -> dict[int, float]:
    """The same after the event of value `own` is taken out of those that have one of the kept values.

    Nothing is taken out if its value was not kept, or if no other event would be left.
    """
    whole = distribution(values, most_frequent)
    others = [value for value in values if value in whole]
    if own not in whole or len(others) == 1:
        return whole
    others.remove(own)
    return distribution(others, most_frequent)


def group_offers(
    events: Mapping[str, Sequence[int]], task: str, most_frequent: int, keys: Sequence[int] | None = None
) -> dict[int, dict[str, dict[int, float]]]:
    """For each key of the task's feature, ascending, and each feature: value -> weight, in order.

    A key that is asked for and no event has is described by all events.
    """
    offers = {}
    for key in sorted(set(events[task])) if keys is None else keys:
        rows = [row for row, value in enumerate(events[task]) if value == key]
        if not rows:
            rows = list(range(len(events[task])))
        offers[key] = {
            feature: distribution([labels[row] for row in rows], most_frequent)
            for feature, labels in events.items()
        }
        offers[key][task] = {key: 1.0}
    return offers

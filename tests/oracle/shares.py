"""A replica's share of a batch, event by event."""

from offerbench.batching.batches import Bag, Batch

Seen = list[tuple[int, float | None]]


def own_events(events: int, neighbours: int, replicas: int, index: int) -> list[int]:
    """Events whose negatives group is the replica's: groups are dealt out by turns."""
    return [event for event in range(events) if event // neighbours % replicas == index]


def seen_by(batch: Batch, feature: str, event: int) -> Seen:
    """Labels and weights in the history of an event."""
    bag = batch.bags[feature]
    return [
        (label_at(bag, place), None if bag.weights is None else float(bag.weights[place]))
        for place, history in enumerate(bag.segments)
        if history == batch.history_of_event[event]
    ]


def label_at(bag: Bag, place: int) -> int:
    """The label of a value."""
    value = int(bag.values[place])
    return value if bag.labels is None else int(bag.labels[value])

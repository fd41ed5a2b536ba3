"""What a user did before a day, by looking at every event."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

Value = TypeVar("Value", bound=Hashable)


@dataclass(frozen=True)
class Event:
    """One event of the log: `row` is its place in the file, `values` its attributes by feature."""

    row: int
    user: int
    day: int
    event_type: str
    values: dict[str, int | str]


def past_events(
    events: Iterable[Event], user: int, day: int, event_type: str, length: int, keep: str
) -> list[Event]:
    """A user's events of a type on days strictly before `day`, in day order, ties in file order, cut."""
    past = [
        event
        for event in sorted(events, key=lambda event: event.row)
        if event.user == user and event.event_type == event_type and event.day < day
    ]
    past.sort(key=lambda event: event.day)  # stable: events of a day stay in file order
    return past[:length] if keep == "oldest" else past[max(len(past) - length, 0) :]


def distinct(values: Iterable[Value]) -> list[Value]:
    """Distinct values in the order of their first occurrence."""
    seen: list[Value] = []
    for value in values:
        if value not in seen:
            seen.append(value)
    return seen


def value_weights(past: Sequence[Value], weights: str, half_life: float) -> dict[Value, float]:
    """Weight of each value of a past in the order of its events: 1, its number, or by the age of each."""
    found = dict.fromkeys(past, 0.0)
    for age, value in enumerate(reversed(past)):
        found[value] += 0.5 ** (age / half_life) if weights == "recency" else 1.0
    return dict.fromkeys(past, 1.0) if weights == "distinct" else found


def previous_occurrence(users: Sequence[int], labels: Sequence[int]) -> list[int]:
    """Row of the user's previous event with the same label, or -1."""
    previous = []
    for row in range(len(users)):
        found = -1
        for earlier in range(row):
            if users[earlier] == users[row] and labels[earlier] == labels[row]:
                found = earlier
        previous.append(found)
    return previous


def context_rows(users: Sequence[int], days: Sequence[int]) -> list[int]:
    """First row of each (user, day)."""
    seen = set()
    rows = []
    for row, context in enumerate(zip(users, days, strict=True)):
        if context not in seen:
            seen.add(context)
            rows.append(row)
    return rows

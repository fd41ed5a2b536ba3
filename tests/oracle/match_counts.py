"""Matches of a user's past, by looking at every event."""

from collections.abc import Hashable, Mapping, Sequence


def past_rows(users: Sequence[int], days: Sequence[int], row: int, newest: int | None) -> list[int]:
    """Rows of the same user on earlier days, only the newest so many; rows are sorted by (user, day)."""
    past = [other for other in range(len(users)) if users[other] == users[row] and days[other] < days[row]]
    return past if newest is None else past[max(len(past) - newest, 0) :]


def rows_of_other_days(users: Sequence[int], days: Sequence[int], row: int) -> list[int]:
    """Rows of the same user on all days but this row's, later ones too."""
    return [other for other in range(len(users)) if users[other] == users[row] and days[other] != days[row]]


def rows_of_day(users: Sequence[int], days: Sequence[int], row: int) -> list[int]:
    """Rows of the same user on the same day, this row among them."""
    return [other for other in range(len(users)) if users[other] == users[row] and days[other] == days[row]]


def expected_count(labels: Sequence[int], rows: Sequence[int], offer: Mapping[int, float]) -> float:
    """How many of the rows have a value of the offer, each as much as the offer has of its value."""
    total = 0.0
    for row in rows:
        total += offer.get(labels[row], 0.0)
    return total


def expected_share(labels: Sequence[int], rows: Sequence[int], offer: Mapping[int, float]) -> float:
    """The same as a share of the rows."""
    return expected_count(labels, rows, offer) / len(rows)


def count(keys: Sequence[Hashable], rows: Sequence[int], wanted: set[Hashable]) -> int:
    """How many of the rows have one of the wanted keys."""
    found = 0
    for row in rows:
        if keys[row] in wanted:
            found += 1
    return found


def pair_counts(
    pasts: Sequence[Sequence[int]],
    keys: Sequence[Hashable],
    rows: Sequence[int],
    groups: Sequence[int],
    neighbours: int,
) -> list[int]:
    """For each pair of each negatives group: events of the user's past with a key of the offer's group.

    `pasts` has rows of the log for each event of the batch, `keys` a key for each row of the log, `rows`
    the row and `groups` the group of each event of the batch.
    """
    counts = []
    for start in range(0, len(rows), neighbours):
        for i in range(start, start + neighbours):
            for j in range(start, start + neighbours):
                of_offer = {keys[row] for row, group in zip(rows, groups, strict=True) if group == groups[j]}
                counts.append(count(keys, pasts[i], of_offer))
    return counts

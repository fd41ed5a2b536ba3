"""Campaigns as of a day, by looking at every event of a list: (user, day, labels)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Purchase:
    """One target event."""

    user: int
    day: int
    labels: Mapping[str, int]


def before(events: Sequence[Purchase], user: int, day: int) -> list[Purchase]:
    """A user's events on earlier days."""
    return [event for event in events if event.user == user and event.day < day]


def within(events: Sequence[Purchase], user: int, start: int, stop: int) -> list[Purchase]:
    """A user's events on the days start .. stop - 1."""
    return [event for event in events if event.user == user and start <= event.day < stop]


def activity(
    events: Sequence[Purchase], user: int, day: int, windows: Sequence[int], max_tenure: int
) -> list[float]:
    """Logarithms of rates, tenure, recency and intervals."""
    past = before(events, user, day)
    days = sorted({event.day for event in past})
    tenure, since = day - days[0], day - days[-1]
    found = []
    for window in windows:
        count = sum(event.day >= day - window for event in past)
        found.append(math.log((count + 0.5) / min(tenure, window)))
    for window in windows:
        count = sum(each >= day - window for each in days)
        found.append(math.log((count + 0.5) / min(tenure, window)))
    interval = (days[-1] - days[0] + 1) / len(days)
    return [
        *found,
        math.log(min(tenure, max_tenure)),
        math.log(since),
        math.log(interval),
        math.log(since / interval),
    ]


def pair(
    events: Sequence[Purchase],
    user: int,
    day: int,
    feature: str,
    label: int,
    newest: int,
    last: int,
    half_life: float,
) -> dict[str, float]:
    """What a user bought of an offer before a day."""
    past = before(events, user, day)
    of_offer = [event for event in past if event.labels[feature] == label]
    ago = [day - event.day for event in of_offer]
    return {
        "events": len(of_offer),
        "days": len(set(ago)),
        "since_last": min(ago, default=0),
        "since_first": max(ago, default=0),
        "newest_None": len(of_offer),
        f"newest_{newest}": sum(event.labels[feature] == label for event in past[-newest:]),
        f"last_{last}": sum(each <= last for each in ago),
        f"decayed_{half_life:g}": sum(0.5 ** (each / half_life) for each in ago),
    }


def offer(
    events: Sequence[Purchase], train: set[int], day: int, horizon: int, feature: str, label: int
) -> dict[str, float]:
    """What train users' earlier events say of an offer."""
    past = [event for event in events if event.user in train and event.day < day]
    users = {event.user for event in past}
    of_offer = [event for event in past if event.labels[feature] == label]
    lately = {event.user for event in of_offer if event.day >= day - horizon}
    earlier = {event.user for event in of_offer if day - 2 * horizon <= event.day < day - horizon}
    return {
        "base": len(of_offer) / len(past),
        "prior": ((len(lately) + len(earlier)) / 2 + 0.5) / (len(users) + 1),
        "day_share": len({(event.user, event.day) for event in of_offer})
        / len({(event.user, event.day) for event in past}),
        "buyers": len({event.user for event in of_offer}),
        "age": max(day - event.day for event in of_offer),
    }


def soft_match(
    events: Sequence[Purchase],
    train: set[int],
    user: int,
    day: int,
    feature: str,
    label: int,
    other: str,
    prior: float,
) -> float:
    """How much of a user's past is like an offer, by another feature, against all train users."""
    of_train = [event for event in events if event.user in train and event.day < day]
    of_offer = [event for event in of_train if event.labels[feature] == label]
    past = before(events, user, day)
    own = common = 0.0
    for event in of_offer:
        value = event.labels[other]
        own += sum(each.labels[other] == value for each in past) / len(of_offer)
        common += sum(each.labels[other] == value for each in of_train) / len(of_train) / len(of_offer)
    return math.log((own + prior * common) / (len(past) + prior)) - math.log(common)


def reached(scores: Sequence[float], bought: Sequence[bool], size: int) -> int:
    """Buyers among the best users; no two scores are equal."""
    best = sorted(range(len(scores)), key=lambda user: -scores[user])[:size]
    return sum(bought[user] for user in best)


def expected_labels(past: Sequence[int], weights: Mapping[int, float]) -> float:
    """Events of a past with a value of an offer, each worth the value's part of the offer."""
    return sum(weights.get(label, 0.0) for label in past)


def repeated_rows(owners: Sequence[int], labels: Sequence[int]) -> set[int]:
    """Rows whose owner has an earlier row with the same label."""
    seen: set[tuple[int, int]] = set()
    found = set()
    for row, pair in enumerate(zip(owners, labels, strict=True)):
        if pair in seen:
            found.add(row)
        seen.add(pair)
    return found


def buyers_among_best(scores: Sequence[float], bought: Sequence[bool], share: float) -> float:
    """Buyers among the best users, of whom there are `share` times all; between two numbers, by a line."""
    best = sorted(range(len(scores)), key=lambda user: -scores[user])
    number = share * len(scores)
    whole = math.floor(number + 1e-9)
    found = sum(bought[user] for user in best[:whole])
    return found + (number - whole) * (bought[best[whole]] if whole < len(best) else 0)

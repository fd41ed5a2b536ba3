"""Pairs, hits, AUC, wAUC and untrained scores, pair by pair."""

from collections.abc import Container, Sequence
from typing import NamedTuple


class Pair(NamedTuple):
    """The user of event `user_event` with the offer of event `offer_event`."""

    user_event: int
    offer_event: int
    is_positive: bool


class Log(NamedTuple):
    """Columns of all events; `offers` has the value of the feature that defines the offers."""

    users: Sequence[int]
    days: Sequence[int]
    offers: Sequence[int]


MIN_REST = 1e-6  # odds of an offer that all users buy always are finite
OWN_OFFER, BOUGHT_THAT_DAY, OWN_EVENT = KINDS = ("own_offer", "bought_that_day", "own_event")
LEFT_OUT = {"published": {OWN_OFFER}, "clean": set(KINDS)}
"""Kinds of hits that a measure leaves out."""


def hit(log: Log, own: int, other: int) -> str | None:
    """Why the user of one event is no true negative for the offer of another; None: is one."""
    if log.offers[own] == log.offers[other]:
        return OWN_OFFER
    for user, day, offer in zip(*log, strict=True):
        if user == log.users[own] and day == log.days[own] and offer == log.offers[other]:
            return BOUGHT_THAT_DAY
    return OWN_EVENT if log.users[own] == log.users[other] else None


def hits(log: Log, rows: Sequence[int], neighbours: int) -> dict[tuple[int, int], str]:
    """Kind of each hit among the negatives of the negatives groups; `rows` are the events' rows of the log.

    A pair is named by the places in `rows` of the user's event and of the offer's.
    """
    found = {}
    for start in range(0, len(rows), neighbours):
        for i in range(start, start + neighbours):
            for j in range(start, start + neighbours):
                kind = None if i == j else hit(log, rows[i], rows[j])
                if kind is not None:
                    found[i, j] = kind
    return found


def pair_facts(log: Log, rows: Sequence[int], neighbours: int) -> dict[str, int]:
    """Events, those whose offer was bought on an earlier day, negatives, those of the same user's events."""
    facts = dict.fromkeys(("events", "events_bought_before", "negatives", "negatives_of_own_user"), 0)
    for place, row in enumerate(rows):
        facts["events"] += 1
        for user, day, offer in zip(*log, strict=True):
            if user == log.users[row] and offer == log.offers[row] and day < log.days[row]:
                facts["events_bought_before"] += 1
                break
        first = place - place % neighbours
        for other in range(first, first + neighbours):
            if other != place:
                facts["negatives"] += 1
                facts["negatives_of_own_user"] += log.users[row] == log.users[rows[other]]
    return facts


def measured_pairs(events: int, neighbours: int, left_out: Container[tuple[int, int]]) -> list[Pair]:
    """All pairs of each negatives group of so many events, but those left out."""
    pairs = []
    for start in range(0, events, neighbours):
        group = range(start, start + neighbours)
        pairs += [Pair(i, j, i == j) for i in group for j in group if (i, j) not in left_out]
    return pairs


def roc_auc(positives: Sequence[float], negatives: Sequence[float]) -> float | None:
    """Share of (positive, negative) pairs in which the positive has the higher score; ties count half."""
    if not positives or not negatives:
        return None
    wins = 0.0
    for positive in positives:
        for negative in negatives:
            if positive > negative:
                wins += 1
            elif positive == negative:
                wins += 0.5
    return wins / (len(positives) * len(negatives))


def weighted_auc(offers: Sequence[tuple[float, int]]) -> float | None:
    """Mean of (AUC, positives) weighted by the positives."""
    total = sum(positives for _, positives in offers)
    if not total:
        return None
    return sum(auc * positives for auc, positives in offers) / total


def segments(positives: int, popular: int, cold_start: int) -> list[str]:
    """Segments that an offer with so many positives is in."""
    if positives > popular:
        return ["all", "popular"]
    if positives > cold_start:
        return ["all", "cold_start"]
    return ["all"]


def history_affinity(history: Sequence[int], key: int) -> float:
    """Share of a history that has the value; 0 for an empty history."""
    hits = 0
    for value in history:
        if value == key:
            hits += 1
    return hits / len(history) if history else 0.0


def odds(matches: float, events: float, base: float, prior_events: float) -> float:
    """Odds of a match after so many more events, of which all users' share matches; not quite all of them."""
    return (matches + prior_events * base) / (events - matches + prior_events * max(1 - base, MIN_REST))


def decayed(days: Sequence[int], day: int, half_life: float) -> float:
    """Sum of the weights of events as of a day: half for each half-life that has gone by."""
    total = 0.0
    for own in days:
        total += 0.5 ** ((day - own) / half_life)
    return total

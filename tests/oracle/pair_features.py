"""Features of a pair, by walking through the user's events one after the other."""

import math
from collections.abc import Mapping, Sequence
from typing import Any


def log_odds(matches: float, events: float, base: float, prior: float) -> float:
    """Log odds of a match after `prior` events of all users' share, against all users' log odds."""
    odds = (matches + prior * base) / (events - matches + prior * (1 - base))
    return math.log(odds) - math.log(base / (1 - base))


def features(
    past: Sequence[Mapping[str, int]],
    day: int,
    task: str,
    key: int,
    base: float,
    attributes: Mapping[str, tuple[Mapping[int, float], float]],
    others: Mapping[str, Sequence[Mapping[str, int]]],
    parameters: Any,
) -> dict[str, float]:
    """Features of a user whose earlier events are `past`, oldest first, with the offer `key` of a task.

    `attributes` has, for each other feature, the offer's distribution and what all users have of it; `others`
    the user's earlier events of each other event type.
    """
    prior = parameters.prior_events
    matching = [event for event in past if event[task] == key]

    def odds(some: Sequence[Mapping[str, int]]) -> float:
        return log_odds(sum(event[task] == key for event in some), len(some), base, prior)

    found = {"log_base": math.log(base), "odds_whole": odds(past)}
    for events in parameters.windows_events:
        found[f"odds_{events}_events"] = odds(past[max(len(past) - events, 0) :])
    for days in parameters.windows_days:
        found[f"odds_{days}_days"] = odds([event for event in past if event["day"] >= day - days])
    for half_life in parameters.half_lives_days:
        weights = [0.5 ** ((day - event["day"]) / half_life) for event in past]
        of_offer = sum(w for w, event in zip(weights, past, strict=True) if event[task] == key)
        found[f"odds_decayed_{half_life:g}_days"] = log_odds(of_offer, sum(weights), base, prior)
    for event_type, events_of_type in others.items():
        found[f"odds_of_{event_type}_events"] = odds(events_of_type)
    event_days, match_days = ({event["day"] for event in some} for some in (past, matching))
    length = day - min(event_days) if past else 0
    since = day - max(match_days) if matching else length
    interval = float(length)
    if len(match_days) > 1:
        interval = (max(match_days) - min(match_days)) / (len(match_days) - 1)
    found |= {
        "log_matches": math.log1p(len(matching)),
        "log_match_days": math.log1p(len(match_days)),
        "day_share": log_odds(len(match_days), len(event_days), base, prior),
        "days_since_match": math.log1p(since),
        "match_interval": math.log1p(interval),
        "due": math.log1p(since) - math.log1p(interval) if matching else 0.0,
        "log_events": math.log1p(len(past)),
        "log_event_days": math.log1p(len(event_days)),
        "past_days": float(length),
    }
    for name, (offer, of_all) in attributes.items():
        expected = sum(offer.get(event[name], 0.0) for event in past)
        share = (expected + prior * of_all) / (len(past) + prior)
        found[f"attribute_{name}"] = math.log(share / of_all)
    return found


def similarity(buyers: Mapping[int, set[int]], past: set[int], value: int) -> float:
    """Sum of the cosines between the buyers of each value of a past and those of a value, over a root."""
    total = 0.0
    own = buyers.get(value, set())
    for other in past:
        others = buyers.get(other, set())
        both = len(own & others)
        total += both / math.sqrt(max(len(own), 1) * max(len(others), 1))
    return total / math.sqrt(max(len(past), 1))

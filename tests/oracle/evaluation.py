"""Pairs, AUC, wAUC and history affinity, pair by pair."""

from collections.abc import Sequence
from typing import NamedTuple


class Pair(NamedTuple):
    """The user of event `user_event` with the offer of event `offer_event`."""

    user_event: int
    offer_event: int
    is_positive: bool


def measured_pairs(offer_of_event: Sequence[int], neighbours: int) -> tuple[list[Pair], int]:
    """All pairs of each negatives group but the accidental hits, and how many these are."""
    pairs = []
    hits = 0
    for start in range(0, len(offer_of_event), neighbours):
        for i in range(start, start + neighbours):
            for j in range(start, start + neighbours):
                if i != j and offer_of_event[i] == offer_of_event[j]:
                    hits += 1
                else:
                    pairs.append(Pair(i, j, i == j))
    return pairs, hits


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

"""Pairs of an offer that a positive wins, counted one by one with the users' weights."""

from collections.abc import Sequence


def offer_sums(
    offer: int,
    offers: Sequence[int],
    is_positive: Sequence[bool],
    users: Sequence[int],
    scores: Sequence[float],
    weights: Sequence[int],
) -> tuple[float, float, float]:
    """Weighted positives and negatives of an offer, and how many pairs of them the positive wins."""
    positives = negatives = wins = 0.0
    for one in range(len(offers)):
        if offers[one] != offer:
            continue
        if not is_positive[one]:
            negatives += weights[users[one]]
            continue
        positives += weights[users[one]]
        for other in range(len(offers)):
            if offers[other] == offer and not is_positive[other]:
                won = (scores[one] > scores[other]) + (scores[one] == scores[other]) / 2
                wins += won * weights[users[one]] * weights[users[other]]
    return positives, negatives, wins

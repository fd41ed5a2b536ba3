"""What came of an audience, one user at a time, and a difference's interval by its formula."""

from collections.abc import Sequence
from datetime import date, timedelta
from math import sqrt
from typing import Any

Z = 1.959963984540054  # of the normal distribution, for 95%


def buyers(
    events: Sequence[Any], of_offer: Sequence[bool], as_of: date, horizon: int, epoch: date
) -> set[int]:
    """Users with an event of the offer on one of the days."""
    days = {as_of + timedelta(days=number) for number in range(horizon)}
    return {
        event.user
        for event, is_of_offer in zip(events, of_offer, strict=True)
        if is_of_offer and epoch + timedelta(days=event.day) in days
    }


def wilson(buyers: int, users: int) -> tuple[float, float]:
    """The two rates that the observed one is Z standard errors away from (Wilson 1927)."""
    middle = (buyers + Z**2 / 2) / (users + Z**2)
    rate = buyers / users
    half = Z / (users + Z**2) * sqrt(users * rate * (1 - rate) + Z**2 / 4)
    return middle - half, middle + half


def newcombe(one: tuple[int, int], other: tuple[int, int]) -> tuple[float, float]:
    """Newcombe 1998, method 10, of (buyers, users) and (buyers, users)."""
    p, q = one[0] / one[1], other[0] / other[1]
    (low, high), (other_low, other_high) = wilson(*one), wilson(*other)
    return (
        p - q - sqrt((p - low) ** 2 + (other_high - q) ** 2),
        p - q + sqrt((high - p) ** 2 + (q - other_low) ** 2),
    )

"""Intervals of rates and of their difference.

A rate has Wilson's score interval (1927). The difference of two has Newcombe's hybrid of both (1998, method
10): with rates p and q and their intervals (l, u) and (m, v) it is

    p - q - sqrt((p - l)^2 + (v - q)^2)   to   p - q + sqrt((u - p)^2 + (q - m)^2)

It keeps its level in small groups and for rare purchases, where the usual p - q +- 1.96 standard errors does
not, and it exists where nobody bought.
"""

import math
from dataclasses import dataclass

from scipy.stats import binomtest

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A value and its 95% interval."""

    value: float
    low: float
    high: float


def rate(buyers: int, users: int) -> Interval:
    """Give the share of buyers with Wilson's interval.

    Parameters
    ----------
    buyers, users : int
        `buyers` of `users`, at least one user.
    """
    found = binomtest(buyers, users).proportion_ci(LEVEL, method="wilson")
    return Interval(buyers / users, float(found.low), float(found.high))


def difference(one: Interval, other: Interval) -> Interval:
    """Give the first rate less the second, with Newcombe's interval."""
    value = one.value - other.value
    below = math.hypot(one.value - one.low, other.high - other.value)
    above = math.hypot(one.high - one.value, other.value - other.low)
    return Interval(value, value - below, value + above)

"""Nearest centres and k-means' objective, price by price."""

from collections.abc import Sequence
from fractions import Fraction


def nearest_centre(price: float, centres: Sequence[float]) -> int:
    """Index of the centre at the least distance, the lower one of two equally near; exact."""
    distances = [abs(Fraction(price) - Fraction(centre)) for centre in centres]
    return distances.index(min(distances))


def squared_distances(prices: Sequence[float], centres: Sequence[float]) -> float:
    """Sum over all prices of the squared distance to the nearest centre."""
    total = 0.0
    for price in prices:
        total += min((price - centre) ** 2 for centre in centres)
    return total

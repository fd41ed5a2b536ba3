"""The best plan of a few users and campaigns: all plans are tried."""

from collections.abc import Sequence
from itertools import combinations, product


def best_value(chances: Sequence[Sequence[float | None]], sizes: Sequence[int], cap: int) -> float:
    """Expected buyers of the best plan; chances[user][campaign], None where the user may not be asked."""
    choices = []
    for of_user in chances:
        allowed = [campaign for campaign, chance in enumerate(of_user) if chance is not None]
        choices.append([chosen for count in range(cap + 1) for chosen in combinations(allowed, count)])
    best = 0.0
    for plan in product(*choices):
        taken = [campaign for chosen in plan for campaign in chosen]
        if all(taken.count(campaign) <= size for campaign, size in enumerate(sizes)):
            value = sum(
                chances[user][campaign] or 0 for user, chosen in enumerate(plan) for campaign in chosen
            )
            best = max(best, value)
    return best

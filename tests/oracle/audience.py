"""An audience, one user at a time."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any


def audience(
    users: Sequence[dict[str, Any]],
    size: int,
    as_of: date,
    excluded: Collection[int],
    exclude_buyers: int | None,
) -> list[dict[str, Any]]:
    """The users with the highest chance that may be asked, best first, ties by number, with their rank."""
    left = []
    for user in users:
        if user["user"] in excluded:
            continue
        last = user["last_purchase"]
        if exclude_buyers is not None and last is not None and last >= as_of - timedelta(days=exclude_buyers):
            continue
        left.append(user)
    chosen = sorted(left, key=lambda user: (-user["chance"], user["user"]))[:size]
    return [{**user, "rank": rank} for rank, user in enumerate(chosen, start=1)]

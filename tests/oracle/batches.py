"""Batches of a pass, event by event."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np


def keep_per_context(
    users: Sequence[int], days: Sequence[int], ranks: Sequence[float], limit: int
) -> list[int]:
    """Rows of the `limit` lowest ranks of each (user, day), contexts in the order they first stand."""
    by_context = defaultdict(list)
    for row, context in enumerate(zip(users, days, strict=True)):
        by_context[context].append((ranks[row], row))
    return [row for ranked in by_context.values() for _, row in sorted(ranked)[:limit]]


def concatenated_ranges(first: Sequence[int], length: Sequence[int]) -> list[int]:
    """All rows of all ranges."""
    return [row for start, count in zip(first, length, strict=True) for row in range(start, start + count)]


def draw_batches(
    split_users: Sequence[int],
    users: Sequence[int],
    days: Sequence[int],
    *,
    users_per_group: int,
    events_per_user_day: int,
    batch_size: int,
    generator: np.random.Generator,
) -> list[list[int]]:
    """Batches of one pass over the users of a split; takes the same draws in the same order."""
    batches = []
    permutation = generator.permutation(len(split_users))
    for start in range(0, len(split_users), users_per_group):
        group = {split_users[place] for place in permutation[start : start + users_per_group]}
        rows = [row for row, user in enumerate(users) if user in group]
        ranks = generator.random(len(rows))
        kept = keep_per_context(
            [users[row] for row in rows], [days[row] for row in rows], list(ranks), events_per_user_day
        )
        shuffled = list(generator.permutation([rows[place] for place in kept]))
        while len(shuffled) >= batch_size:
            batch, shuffled = shuffled[:batch_size], shuffled[batch_size:]
            batches.append(sorted(batch, key=lambda row: days[row]))  # stable
    return batches


def passes_of_epoch(batches: int, min_steps: int, epoch: int) -> list[int]:
    """Numbers of the passes of an epoch, counted from 0: one after the other until there are enough steps."""
    number = 0
    passes: list[int] = []
    for _ in range(epoch + 1):
        passes, steps = [], 0
        while steps < min_steps:
            passes.append(number)
            number += 1
            steps += batches
    return passes

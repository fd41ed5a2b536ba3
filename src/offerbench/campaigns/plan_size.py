"""How many users of each campaign a plan looks at.

Not all pairs are needed. A campaign needs only its best `size + (sizes of the others) // cap` users: if it
takes a worse one, then of these best ones at most `size - 1` are taken by it, and at most `others // cap`
have no message left; so one of them is free, and to take it instead loses nothing.

A hundred campaigns may need a million users each. No more than MAX_PAIRS pairs are looked at: then each
campaign has an equal number of its best users (not less than its size), the plan is the best that is found
among them, and the bound of `plan_bound`, which holds for all users, says by how much a better one could be.
"""

from collections.abc import Sequence

from offerbench.core.errors import OfferbenchError

MAX_PAIRS = 10_000_000  # 400 MB


def needed_users(sizes: Sequence[int], cap: int) -> list[int]:
    """Give how many of its best users each campaign needs for the best plan; see the module."""
    total = sum(sizes)
    return [size if cap >= len(sizes) else size + (total - size) // cap for size in sizes]


def listed_users(sizes: Sequence[int], cap: int, users: int) -> list[int]:
    """Give how many of its best users each campaign is planned with: all it needs, if they aren't too many.

    Parameters
    ----------
    sizes : sequence of int
        Users that each campaign takes at most.
    cap : int
        Campaigns that take the same user at most.
    users : int
        Number of users.

    Raises
    ------
    OfferbenchError
        If the sizes alone are more than can be planned.
    """
    if sum(sizes) > MAX_PAIRS:
        raise OfferbenchError(
            f"the campaigns want {sum(sizes):,} messages, but no more than {MAX_PAIRS:,} can be planned "
            "together. Lower the sizes, or plan fewer campaigns at once."
        )
    needed = [min(number, users) for number in needed_users(sizes, cap)]
    if sum(needed) <= MAX_PAIRS:
        return needed
    each = MAX_PAIRS // len(sizes)
    return [min(number, max(size, each)) for number, size in zip(needed, sizes, strict=True)]


def refuse_too_many_messages(sizes: Sequence[int], cap: int, users: int) -> None:
    """Refuse sizes that need more messages than all users may get."""
    if sum(sizes) > users * min(cap, len(sizes)):
        raise OfferbenchError(
            f"messages_per_user: the campaigns want {sum(sizes):,} messages, but {users:,} users with at "
            f"most {cap} each get {users * min(cap, len(sizes)):,}. Lower the sizes, or raise it."
        )

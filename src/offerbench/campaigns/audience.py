"""From scored users to an audience: who is asked, in which order, and who is held back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from offerbench.campaigns.columns import (
    CHANCE,
    EXPECTED_PURCHASES,
    GROUP,
    LAST_PURCHASE,
    PAST_PURCHASES,
    RANK,
    Group,
)
from offerbench.campaigns.scored_users import Floats, ScoredUsers, Users
from offerbench.core.columns import USER
from offerbench.core.errors import OfferbenchError

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Eligible:
    """Who may be asked."""

    is_left: Mask
    """Shape (users,)."""
    excluded_by_list: int
    excluded_as_buyers: int
    """Of those that the list leaves."""

    @property
    def left(self) -> int:
        """Number of users that are left."""
        return int(self.is_left.sum())


@dataclass(frozen=True)
class Size:
    """How many users are wanted: a number of them, or a share of those that may be asked."""

    users: int | None = None
    share: float | None = None


@dataclass(frozen=True)
class Audience:
    """The chosen users, best first."""

    rows: Users
    """Of the scored users. Shape (audience,)."""
    is_control: Mask
    """Whether the user is held back. Shape (audience,)."""


def eligible(scored: ScoredUsers, as_of: date, excluded: Users, exclude_buyers: int | None) -> Eligible:
    """Say which users may be asked.

    Parameters
    ----------
    scored : ScoredUsers
        All users.
    as_of : date
        The day of the scores.
    excluded : int64, shape (excluded users,)
        Users that must not be asked; some may be unknown.
    exclude_buyers : int or None
        Users whose last purchase of the offer is at most so many days before the as-of day are left out.

    Raises
    ------
    OfferbenchError
        If nobody is left.
    """
    on_list = np.isin(scored.user, excluded)
    is_buyer = np.zeros(len(scored), bool)
    if exclude_buyers is not None:
        since = np.datetime64(as_of, "D") - np.timedelta64(exclude_buyers, "D")
        is_buyer = ~on_list & (scored.last_purchase >= since)  # NaT is not later than any day
    found = Eligible(~on_list & ~is_buyer, int(on_list.sum()), int(is_buyer.sum()))
    if not found.left:
        raise OfferbenchError(
            f"the audience is empty: of {len(scored):,} users, {found.excluded_by_list:,} are on the list of "
            f"those to exclude and {found.excluded_as_buyers:,} bought the offer in the last days. "
            "Exclude fewer."
        )
    return found


def audience_size(size: Size, users: Eligible) -> int:
    """Give the number of users of an audience, at least 1; a share is rounded, a half up.

    Raises
    ------
    OfferbenchError
        If more are wanted than may be asked.
    """
    if size.share is not None:
        return max(1, int(np.floor(size.share * users.left + 0.5)))
    wanted = size.users or 0
    if wanted > users.left:
        raise OfferbenchError(
            f"size: {wanted:,} users are wanted, but only {users.left:,} of {len(users.is_left):,} may be "
            "asked. Lower it."
        )
    return wanted


def best_first(user: Users, chance: Floats, is_left: Mask, number: int) -> Users:
    """Give the users that may be asked with the highest chances, the highest first.

    Ties go to the lower number of the user.

    Returns
    -------
    int64, shape (number,)
        Rows of `user`; fewer if fewer may be asked.
    """
    rows = np.flatnonzero(is_left)
    if number < len(rows):
        last = len(rows) - number
        rows = rows[chance[rows] >= np.partition(chance[rows], last)[last]]
    order = np.lexsort((user[rows], -chance[rows]))
    return np.asarray(rows[order[:number]], np.int64)


def draw_control(size: int, share: float, generator: np.random.Generator) -> Mask:
    """Draw who of an audience is held back: everybody with the same probability, whatever the rank.

    Parameters
    ----------
    size : int
        Users in the audience.
    share : float
        Part that is held back, rounded to whole users, a half up; 0: nobody.
    generator : numpy.random.Generator
        Source of the draw.

    Returns
    -------
    bool, shape (size,)

    Raises
    ------
    OfferbenchError
        If a share above 0 leaves one of the groups empty.
    """
    held_back = int(np.floor(size * share + 0.5))
    if share > 0 and not 0 < held_back < size:
        group = Group.TARGET if held_back else Group.CONTROL
        raise OfferbenchError(
            f"control: a share of {share} of {size:,} users leaves nobody in the {group} group. Choose "
            "another share, or a larger audience."
        )
    is_control = np.zeros(size, bool)
    is_control[generator.choice(size, held_back, replace=False)] = True
    return is_control


def choose_audience(
    scored: ScoredUsers, users: Eligible, size: Size, control: float, generator: np.random.Generator
) -> Audience:
    """Choose the users with the highest chance, and who of them is held back.

    Raises
    ------
    OfferbenchError
        If more users are wanted than may be asked, or a group would be empty.
    """
    number = audience_size(size, users)
    rows = best_first(scored.user, scored.chance, users.is_left, number)
    return Audience(rows, draw_control(number, control, generator))


def audience_columns(scored: ScoredUsers, audience: Audience) -> Mapping[str, Any]:
    """Give the columns of an audience's file, one row a user, best first."""
    rows = audience.rows
    groups = pa.DictionaryArray.from_arrays(audience.is_control.astype(np.int8), list(Group))
    return {
        USER: scored.user[rows],
        RANK: np.arange(1, len(rows) + 1),
        CHANCE: scored.chance[rows],
        EXPECTED_PURCHASES: scored.expected_purchases[rows],
        PAST_PURCHASES: scored.past_purchases[rows],
        LAST_PURCHASE: pa.array(scored.last_purchase[rows]),  # NaT becomes null
        GROUP: groups.cast(pa.string()),
    }

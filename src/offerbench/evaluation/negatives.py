"""Negatives groups: whom an offer's buyer is compared with."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offerbench.core.columns import DAY, USER, Split
from offerbench.core.errors import OfferbenchError
from offerbench.core.ranges import Rows
from offerbench.evaluation.config import Evaluate
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.contexts import Contexts


@dataclass(frozen=True, eq=False)
class NegativesGroups:
    """Users and offers in groups: every user of a group is paired with every offer of it."""

    contexts: Contexts
    """The users, as of a day. Shape (groups, i)."""
    offers: Rows
    """Target events, whose offers are those of the group. Shape (groups, j)."""
    is_positive: npt.NDArray[np.bool_]
    """Which user of a group bought which of its offers. Shape (i, j)."""


def group_neighbours(data: PreparedData, split: Split, batches: Rows, size: int) -> NegativesGroups:
    """Take neighbours in a batch as a group: each is a negative of the others' offers, as in training.

    Batches go by days, so they shopped at about the same time.

    Parameters
    ----------
    data : PreparedData
        The data set.
    split : Split
        The users that the batches are of.
    batches : int64, shape (batches, batch_size)
        Rows of target events.
    size : int
        Events of a group; divides batch_size.
    """
    rows = batches.reshape(-1, size)
    return NegativesGroups(Contexts.of_events(data, split, rows), rows, np.eye(size, dtype=bool))


def group_other_users(
    data: PreparedData, split: Split, batches: Rows, size: int, generator: np.random.Generator
) -> NegativesGroups:
    """Give every event a group of its own: its user, and others drawn from all users of the split.

    They are looked at as of the event's day, whether they shop then or not. So a score also has to know who
    is active.

    Parameters
    ----------
    data, split, batches
        As in `group_neighbours`.
    size : int
        Users of a group.
    generator : np.random.Generator
        Draws the others, each with the same chance, independently of each other.

    Raises
    ------
    OfferbenchError
        If there is no other user.
    """
    rows = batches.reshape(-1)
    first, length = data.user_rows[split]
    users = data.events[USER][first[length > 0]]
    if len(users) < 2:
        raise OfferbenchError(
            "evaluate.negatives: a single user has no others to be compared with. Evaluate more users."
        )
    buyer = np.searchsorted(users, data.events[USER][rows])
    others = generator.integers(0, len(users) - 1, (len(rows), size - 1))
    others += others >= buyer[:, None]  # passes over the buyer
    of_group = users[np.column_stack([buyer, others])]
    days = np.repeat(data.events[DAY][rows][:, None], size, axis=1)
    is_buyer = np.arange(size)[:, None] == 0
    return NegativesGroups(Contexts(data, split, of_group, days), rows[:, None], is_buyer)


def draw_groups(evaluate: Evaluate, data: PreparedData, split: Split, batches: Rows) -> NegativesGroups:
    """Make the negatives groups of the batches of a split, as the parameters say."""
    size = evaluate.number_of_negatives + 1
    if evaluate.negatives == "neighbours":
        return group_neighbours(data, split, batches, size)
    return group_other_users(data, split, batches, size, np.random.default_rng(evaluate.seed))

"""Which target events share a batch, drawn from a seeded generator."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from offerbench.batching.config import Rebatch
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.preparation.history import contexts


def keep_per_context(
    users: npt.NDArray[np.int32],
    days: npt.NDArray[np.int32],
    ranks: npt.NDArray[np.float64],
    limit: int,
) -> npt.NDArray[np.intp]:
    """Rows of the events with the `limit` lowest random ranks of their user and day.

    Parameters
    ----------
    users, days : int32, shape (events,)
        Events of one (user, day) are next to each other.
    ranks : float64, shape (events,)
        A random number for each event.
    limit : int
        Events kept for each (user, day).

    Returns
    -------
    intp, shape (kept,)
        Rows, those of one (user, day) next to each other in the order of their ranks.
    """
    first = contexts(users, days)
    context = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(users))))
    order = np.argsort(context + ranks)  # ranks are in [0, 1): sorts by context, then by rank
    return order[np.arange(len(users)) - first[context] < limit]


def draw_batches(
    user_rows: tuple[Rows, Rows],
    users: npt.NDArray[np.int32],
    days: npt.NDArray[np.int32],
    rebatch: Rebatch,
    generator: np.random.Generator,
) -> Iterator[Rows]:
    """Draw the batches of one pass over some users' target events.

    Users are taken in random groups. Within a group: keep at most `events_per_user_day` random
    events of each user and day; shuffle; cut into batches; drop the incomplete last one; sort each
    batch by day, events of one day staying in shuffled order.

    Parameters
    ----------
    user_rows : (int64, int64), each of shape (users of the split,)
        First row and number of rows of each user's target events.
    users, days : int32, shape (target events,)
        Of all target events; may be mapped from a file, only the group's rows are read.
    rebatch : Rebatch
        Parameters.
    generator : numpy.random.Generator
        Source of all draws.

    Yields
    ------
    int64, shape (batches of the group, batch_size)
        Rows of target events, group by group.
    """
    first, length = user_rows
    permutation = generator.permutation(len(first))
    for start in range(0, len(first), rebatch.users_per_group):
        group = np.sort(permutation[start : start + rebatch.users_per_group])
        rows = concatenated_ranges(first[group], length[group])
        ranks = generator.random(len(rows))
        kept = rows[keep_per_context(users[rows], days[rows], ranks, rebatch.events_per_user_day)]
        shuffled = generator.permutation(kept)
        batches = len(shuffled) // rebatch.batch_size
        cut = shuffled[: batches * rebatch.batch_size].reshape(batches, rebatch.batch_size)
        order = np.argsort(days[cut], axis=1, kind="stable")
        yield np.take_along_axis(cut, order, axis=1)

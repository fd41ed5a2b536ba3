"""What the users of a batch bought before, and on the day itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offerbench.core.distinct import distinct
from offerbench.core.order import order_by_labels
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.features.match_counts import Ints, Past


@dataclass(frozen=True)
class BatchPasts:
    """The past and the day of each of the B events of a batch, as windows of one list of rows."""

    rows: Rows
    """Rows of all pasts and days, ascending, each once. Shape (past rows,)."""
    stop: Ints
    """Place in `rows` after each event's past. Shape (B,)."""
    whole: Ints
    """Events of each event's past. Shape (B,)."""
    lengths: list[Ints]
    """Of these, the newest ones, for each window. Shape (B,) each."""
    day: Ints
    """Events of each event's user on its day; they follow its past. Shape (B,)."""
    contexts: Rows
    """Distinct contexts of the events, ascending. Shape (contexts,)."""
    context_of_event: Rows
    """Which of `contexts` each event has. Shape (B,)."""


def batch_pasts(past: Past, rows: Rows, windows: Sequence[int | None]) -> BatchPasts:
    """Find the pasts of the events of a batch.

    Parameters
    ----------
    past : Past
        Of all target events.
    rows : int64, shape (B,)
        Rows of target events.
    windows : sequence of int or None
        Newest events of a past; None: all of it.
    """
    start, length = past.windows(rows, None)
    day = past.events_of_day[past.context_of_event[rows]]
    used = _union(start, length + day)
    contexts, context_of_event = distinct(past.context_of_event[rows])
    return BatchPasts(
        rows=used,
        stop=np.searchsorted(used, start) + length,
        whole=length,
        lengths=[past.windows(rows, window)[1] for window in windows],
        day=day,
        contexts=contexts,
        context_of_event=context_of_event,
    )


def _union(start: Ints, length: Ints) -> Rows:
    """Rows of some windows, ascending, each once."""
    order = order_by_labels(start)
    begin, stop = start[order], np.maximum.accumulate((start + length)[order])
    apart = np.flatnonzero(np.append(True, begin[1:] > stop[:-1]))
    first = begin[apart]
    return concatenated_ranges(first, stop[np.append(apart[1:], len(stop)) - 1] - first)

"""What users bought of offers before a day: counts, days and decayed counts of the pairs that have any."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.offers_as_of import OffersAsOf
from offerbench.campaigns.timeline import Ints
from offerbench.campaigns.users_as_of import UsersAsOf
from offerbench.core.order import order_by_labels, run_starts

Float32s = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PairHistory:
    """Statistics of the pairs of a user and an offer with at least one event before the day."""

    offers: int
    """Number of offers."""
    keys: Ints
    """user * offers + offer, ascending. Shape (pairs with an event,)."""
    columns: dict[str, Float32s]
    """Each of shape (pairs with an event,)."""

    def of_pairs(self, users: Ints, offers: Ints) -> dict[str, Float32s]:
        """Look up pairs by the places of users and offers; 0 where there is no event; shape (pairs,) each."""
        wanted = users * self.offers + offers
        if not len(self.keys):
            return {name: np.zeros(len(wanted), np.float32) for name in self.columns}
        row = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        found = self.keys[row] == wanted
        return {name: np.where(found, column[row], np.float32(0)) for name, column in self.columns.items()}


def pair_history(
    users: UsersAsOf,
    offers: OffersAsOf,
    *,
    newest: Sequence[int | None] = (),
    last_days: Sequence[int] = (),
    half_lives: Sequence[float] = (),
) -> PairHistory:
    """Count the events of users' pasts that are of offers.

    Columns: `events`, `days` with one, days `since_last` and `since_first`; `newest_<n>`: events among
    the newest n of the user's past (None: all of it); `last_<n>`: events of the last n days;
    `decayed_<h>`: sum over the events of 0.5 ** (days ago / h).

    Parameters
    ----------
    users, offers : UsersAsOf, OffersAsOf
        As of the same day.
    newest, last_days, half_lives
        The columns that are wanted besides.
    """
    rows, user = rows_of_offers(users, offers)
    pair = user * len(offers) + offers.offer_of_row[rows]
    order = order_by_labels(pair)  # days stay ascending
    pair, rows, user = pair[order], rows[order], user[order]
    day = users.timeline.days[rows]
    ago = (users.day - day).astype(np.float64)
    is_first = run_starts(pair)
    is_new_day = run_starts(pair, day)
    first = np.flatnonzero(is_first)
    last = np.append(first[1:], len(pair))[: len(first)] - 1

    def total(values: npt.NDArray[np.generic]) -> Float32s:
        sums = np.add.reduceat(values.astype(np.float64), first) if len(first) else np.zeros(0)
        return np.asarray(sums, np.float32)

    columns = {
        "events": total(np.ones(len(pair))),
        "days": total(is_new_day),
        "since_last": ago[last].astype(np.float32),
        "since_first": ago[first].astype(np.float32),
    }
    for number in newest:
        oldest = users.start[user] if number is None else users.stop[user] - number
        columns[f"newest_{number}"] = total(rows >= oldest)
    for days in last_days:
        columns[f"last_{days}"] = total(ago <= days)
    for half_life in half_lives:
        columns[f"decayed_{half_life:g}"] = total(np.exp2(-ago / half_life))
    return PairHistory(len(offers), pair[first], columns)


def rows_of_offers(users: UsersAsOf, offers: OffersAsOf) -> tuple[Ints, Ints]:
    """Find the events of users' pasts that are of offers.

    Either the events of the users are looked at, or those of the offers from the first to the last of the
    users, whichever are fewer.

    Returns
    -------
    rows, user : int64, shape (events,)
        Rows of the timeline, ascending, and the place of the user of each.
    """
    bounds = (users.start[0], users.stop[-1]) if len(users) else (0, 0)
    rows = offers.rows[slice(*np.searchsorted(offers.rows, bounds))]
    if int(users.events.sum()) < len(rows):
        of_offer = np.flatnonzero(offers.offer_of_row[users.rows] >= 0)
        return users.rows[of_offer], users.user_of_row[of_offer]
    user = np.searchsorted(users.start, rows, "right") - 1
    is_past = rows < users.stop[user]  # others are later, or of users between these
    return rows[is_past], user[is_past]


def buyers(users: UsersAsOf, offers: OffersAsOf, horizon: int) -> npt.NDArray[np.bool_]:
    """Say who buys what within the horizon from the day on: the target; bool, shape (users, offers)."""
    timeline = users.timeline
    start, stop = users.stop, timeline.row(users.users, users.day + horizon)
    length = stop - start
    user = np.repeat(np.arange(len(users)), length)
    rows = np.arange(len(user)) + np.repeat(start - np.cumsum(length) + length, length)
    offer = offers.offer_of_row[rows]
    found = np.zeros((len(users), len(offers)), bool)
    found[user[offer >= 0], offer[offer >= 0]] = True
    return found

"""Offers as of a day: what train users' earlier events say of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.timeline import Floats, Ints, Labels
from offerbench.campaigns.train_past import TrainPast
from offerbench.core.order import order_by_labels, run_starts
from offerbench.features.offers import Distribution, OfferTable, group_offers
from offerbench.model.interaction import Vectors
from offerbench.model.ranker import Ranker
from offerbench.scorers.ranker import offer_vectors

OFFER = "offer"
MIN_CHANCE, MAX_CHANCE = 1e-6, 0.98
SMALL_COUNT = 0.5


@dataclass(frozen=True, eq=False)
class OffersAsOf:
    """Some offers as of a day; an event is of one of them or of none."""

    task: str | None
    """The one attribute that decides what is of an offer; None: several do."""
    offer_of_row: npt.NDArray[np.signedinteger]  # type: ignore[type-arg]
    """Place of each target event's offer, of all users and days; -1: none of them. Shape (target events,)."""
    table: OfferTable
    """Base rates and distributions, of train users' earlier events."""
    prior: Floats
    """Share of the train users that bought each within a horizon, lately. Shape (offers,)."""
    day_share: Floats
    """Share of the train users' shopping days with each. Shape (offers,)."""
    buyers: Ints
    """Train users that bought each before the day. Shape (offers,)."""
    age: Ints
    """Days since a train user first bought each. Shape (offers,)."""
    known_rows: Ints | None = None
    """`rows`, if they are known without a look at all events."""

    def __len__(self) -> int:
        """Give the number of offers."""
        return len(self.prior)

    @property
    def base(self) -> Floats:
        """Share of train users' earlier events that is of each offer; float64, shape (offers,)."""
        return self.table.base.astype(np.float64)

    @cached_property
    def rows(self) -> Ints:
        """Rows of all target events that are of an offer, ascending; int64, shape (their events,)."""
        return np.flatnonzero(self.offer_of_row >= 0) if self.known_rows is None else self.known_rows

    def vectors(self, model: Ranker) -> Vectors:
        """Vectors of the offers; float32, shape (offers, ...). Made once for each ranker."""
        if model not in self._vectors:
            self._vectors[model] = offer_vectors(model, self.table)
        return self._vectors[model]

    @cached_property
    def _vectors(self) -> dict[Ranker, Vectors]:
        return {}

    def part(self, places: Ints) -> "OffersAsOf":
        """Keep some of the offers, by their ascending places."""
        new = np.full(len(self) + 1, -1, np.int32)
        new[places] = np.arange(len(places))
        table = self.table
        distributions = {}
        for name, each in table.distributions.items():
            segments = new[each.segments]
            kept = segments >= 0
            distributions[name] = type(each)(each.values[kept], segments[kept], each.weights[kept])
        return OffersAsOf(
            self.task,
            new[self.offer_of_row],  # place -1 is the last entry, which stays -1
            OfferTable(table.keys[places], table.base[places], distributions),
            self.prior[places],
            self.day_share[places],
            self.buyers[places],
            self.age[places],
        )


def task_offers(past: TrainPast, task: str, most_frequent: int) -> OffersAsOf:
    """Give all offers of a task that train users bought before the day, in the vocabulary.

    Parameters
    ----------
    past : TrainPast
        What train users did before the day.
    task : str
        The feature that defines the offers.
    most_frequent : int
        Values kept of the distribution of a feature.
    """
    data = past.data
    keys = np.unique(past.labels(task))
    keys = keys[keys >= data.first_label]
    place = np.full(data.offer_sizes[task], -1, np.int32)
    place[keys] = np.arange(len(keys))
    events = {name: past.labels(name) for name in data.offer_sizes}
    table = group_offers(events, task, most_frequent, keys)
    return described(past, task, place[data.events[task]], table)


def new_offers(
    past: TrainPast, task: str, labels: Labels, max_age: int, most_frequent: int
) -> OffersAsOf | None:
    """Give the offers of a task that the vocabulary doesn't have yet, since they are new.

    They are described by their other attributes, as the ranker sees them: their own value is a rare one.

    Parameters
    ----------
    past, task, most_frequent
        As in `task_offers`.
    labels : int32, shape (target events,)
        Label of each event by a later vocabulary, which has a name for what was new then; below 0 where
        it has none.
    max_age : int
        Days since a train user first bought it, at most.

    Returns
    -------
    OffersAsOf, optional
        None if there are none. Keys are -1 - label: they are no labels of the data set's own vocabulary.
    """
    data, of_past = past.data, labels[past.rows]
    first = np.full(int(labels.max(initial=-1)) + 1, past.day, np.int64)
    bought = of_past >= 0
    np.minimum.at(first, of_past[bought], past.timeline.days[past.rows[bought]])
    is_known = np.zeros(len(first), bool)
    named = data.events[task] >= data.first_label
    is_known[labels[named & (labels >= 0)]] = True
    chosen = np.flatnonzero((first < past.day) & (past.day - first <= max_age) & ~is_known)[::-1]
    if not len(chosen):
        return None
    place = np.full(len(first) + 1, -1, np.int32)  # the last entry is that of label -1
    place[chosen] = np.arange(len(chosen))
    offer_of_row = place[labels]
    events = {name: past.labels(name) for name in data.offer_sizes} | {OFFER: offer_of_row[past.rows]}
    table = group_offers(events, OFFER, most_frequent, np.arange(len(chosen), dtype=np.int32))
    distributions = {name: table.distributions[name] for name in data.offer_sizes}
    keys = (-1 - chosen).astype(np.int32)
    return described(past, task, offer_of_row, OfferTable(keys, table.base, distributions))


def joined(one: OffersAsOf, other: OffersAsOf) -> OffersAsOf:
    """Put the offers of another list after those of one; no event is of both."""
    first = len(one)
    offer_of_row = np.where(other.offer_of_row >= 0, other.offer_of_row + first, one.offer_of_row)
    distributions = {}
    for name, each in one.table.distributions.items():
        more = other.table.distributions[name]
        distributions[name] = Distribution(
            np.concatenate([each.values, more.values]),
            np.concatenate([each.segments, more.segments + np.int32(first)]),
            np.concatenate([each.weights, more.weights]),
        )
    table = OfferTable(
        np.concatenate([one.table.keys, other.table.keys]),
        np.concatenate([one.table.base, other.table.base]),
        distributions,
    )
    columns = (
        np.concatenate([getattr(one, name), getattr(other, name)])
        for name in ("prior", "day_share", "buyers", "age")
    )
    return OffersAsOf(one.task, offer_of_row.astype(np.int32), table, *columns)


def described(
    past: TrainPast, task: str | None, offer_of_row: Labels, table: OfferTable, rows: Ints | None = None
) -> OffersAsOf:
    """Count what train users' earlier events say of each offer; `rows` are those of an offer, if known."""
    rows = np.flatnonzero((offer_of_row >= 0) & past.has_row) if rows is None else rows
    count = len(table.keys)
    offers = offer_of_row[rows]
    user, days = past.timeline.users[rows].astype(np.int64), past.timeline.days[rows].astype(np.int64)

    def distinct(numbers: Ints, kept: npt.NDArray[np.bool_]) -> Ints:
        """Count the distinct numbers of each offer; ascending ones, as those of users and their days."""
        offer, number = offers[kept], numbers[kept]
        if count > 1:
            order = order_by_labels(offer)
            offer, number = offer[order], number[order]
        return np.bincount(offer[run_starts(offer, number)], minlength=count)

    ages = past.day - days
    everything, horizon = np.ones(len(rows), bool), past.horizon
    lately = [ages <= horizon, (ages > horizon) & (ages <= 2 * horizon)]
    bought = np.mean([distinct(user, kept) for kept in lately], axis=0)
    first = np.full(count, past.day, np.int64)
    np.minimum.at(first, offers, days)
    return OffersAsOf(
        task,
        offer_of_row,
        table,
        np.clip((bought + SMALL_COUNT) / (len(past.users) + 1), MIN_CHANCE, MAX_CHANCE),
        distinct(user * (past.day + 1) + days, everything) / max(past.shopping_days, 1),
        distinct(user, everything),
        past.day - first,
    )

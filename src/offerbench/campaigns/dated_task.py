"""A task as of a date of the backtest: its offers, its test users, and all that they are scored by."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from offerbench.campaigns.as_of import day_number
from offerbench.campaigns.config import Backtest
from offerbench.campaigns.measures import Mask
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.offers_as_of import OffersAsOf, joined, new_offers
from offerbench.campaigns.peers import Peers
from offerbench.campaigns.timeline import Ints, Labels
from offerbench.campaigns.users_as_of import UsersAsOf
from offerbench.core.columns import Split
from offerbench.preparation.prepared import PreparedData


@dataclass(frozen=True, eq=False)
class DatedTask:
    """A task as of a date.

    It is fully described by what was made at the cut, the fitted peers and parameters: another process that
    gets these draws the same offers.
    """

    moment: Moment
    """What was made at the last cut before the date."""
    peers: Peers
    task: str
    date: str
    level: float
    """Multiplies the head's rates of purchase."""
    named: Labels
    """From `named_labels`. Shape (target events,)."""
    backtest: Backtest

    @property
    def day(self) -> int:
        """The date, in days since 1970-01-01."""
        return day_number(self.date)

    @property
    def offers(self) -> OffersAsOf:
        """The offers that users are scored for: drawn ones, then new ones that have no name yet."""
        return self._offers[0]

    @property
    def is_unnamed(self) -> Mask:
        """Offers that the vocabulary of the cut doesn't have. Shape (offers,)."""
        offers, named = self._offers
        return np.arange(len(offers)) >= named

    @cached_property
    def _offers(self) -> tuple[OffersAsOf, int]:
        """The offers, and how many of them have a name."""
        moment, backtest = self.moment, self.backtest
        all_offers = moment.offers(self.task, self.day)
        is_best = np.isin(all_offers.table.keys, self.peers.keys)
        generator = np.random.default_rng([backtest.seed, self.day])
        drawn = all_offers.part(draw_offers(is_best, backtest.max_offers, generator))
        most_frequent = moment.parameters.values_per_feature
        new = new_offers(moment.past(self.day), self.task, self.named, backtest.new_days, most_frequent)
        return drawn if new is None else joined(drawn, new), len(drawn)


def named_labels(present: PreparedData, task: str) -> Labels:
    """Give the labels of the present, which name products that were too new at a cut; -1 for rare values."""
    labels = present.events[task]
    return np.where(labels >= present.first_label, labels, -1)


def draw_offers(is_kept: Mask, number: int, generator: np.random.Generator) -> Ints:
    """Draw offers where there are too many: those that are kept in any case, and others; ascending places."""
    kept, others = np.flatnonzero(is_kept), np.flatnonzero(~is_kept)
    drawn = generator.permutation(others)[: max(number - len(kept), 0)]
    return np.sort(np.concatenate([kept, drawn]))


def users_in_parts(moment: Moment, date: str, size: int) -> list[UsersAsOf]:
    """Give the test users that have a past at a date, ascending, so many at a time; one part at least."""
    day = day_number(date)
    users = moment.users([Split.TEST], day).users
    parts = (users[start : start + size] for start in range(0, max(len(users), 1), size))
    return [UsersAsOf(moment.data, moment.timeline, part, day, moment.activity) for part in parts]


def rows_of_parts(parts: Sequence[UsersAsOf]) -> list[slice]:
    """Say which of all users each part has."""
    stops = np.cumsum([len(part) for part in parts]).tolist()
    return [slice(stop - len(part), stop) for part, stop in zip(parts, stops, strict=True)]

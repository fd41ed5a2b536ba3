"""One offer of any events as of a day, described by what train users' earlier events say of it."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.offers_as_of import MAX_CHANCE, MIN_CHANCE, SMALL_COUNT, OffersAsOf
from offerbench.campaigns.timeline import Floats, Ints, Labels
from offerbench.campaigns.train_past import TrainPast
from offerbench.core.order import run_starts
from offerbench.features.offers import Distribution, OfferTable


def single_offer(
    past: TrainPast,
    is_of_offer: npt.NDArray[np.bool_],
    possible: Mapping[str, npt.NDArray[np.bool_]],
    most_frequent: int,
    task: str | None = None,
) -> OffersAsOf:
    """Give the offer that a set of events is of.

    Parameters
    ----------
    past, most_frequent
        As in `task_offers`.
    is_of_offer : bool, shape (target events,)
        Events of the offer.
    possible : mapping of bool, shape (labels,)
        For each offer feature, the labels that an event of the offer can have: they describe an offer that
        no train user has bought yet.
    task : str, optional
        The attribute that decides, if it is one.
    """
    data = past.data
    place = is_of_offer.astype(np.int8)  # a byte for each of all events
    place -= 1  # 0: of the offer, -1: of none
    of_offer = np.flatnonzero(is_of_offer)
    own = of_offer[past.has_row[of_offer]]
    rows, count = own, len(own)
    if not count:
        rows = past.rows
        for name, allowed in possible.items():
            fits = allowed[data.events[name][rows]]
            rows = rows[fits] if fits.any() else rows
    distributions = {
        name: distribution_of(data.events[name][rows], size, most_frequent)
        for name, size in data.offer_sizes.items()
    }
    base = np.array([max(count, SMALL_COUNT) / max(len(past.rows), 1)], np.float32)
    table = OfferTable(np.zeros(1, np.int32), base, distributions)
    return OffersAsOf(task, place, table, *_counts(past, own), of_offer)


def _counts(past: TrainPast, rows: Ints) -> tuple[Floats, Floats, Ints, Ints]:
    """Give prior, share of the shopping days, buyers and age, as `described` does.

    The rows are in the order of users and days, so that whatever is distinct begins where one of them
    changes: nothing is sorted, and no number is wider than it was.

    Parameters
    ----------
    past : TrainPast
        What train users did before the day.
    rows : int64, shape (events of the offer,)
        Of train users' earlier events, ascending.
    """
    user, day = past.timeline.users[rows], past.timeline.days[rows]
    horizon = past.horizon
    lately = day >= past.day - horizon, (day < past.day - horizon) & (day >= past.day - 2 * horizon)
    bought = np.mean([[_runs(user[kept])] for kept in lately], axis=0)
    prior = np.clip((bought + SMALL_COUNT) / (len(past.users) + 1), MIN_CHANCE, MAX_CHANCE)
    day_share = np.array([_runs(user, day)]) / max(past.shopping_days, 1)
    age = past.day - int(day.min(initial=past.day))
    return prior, day_share, np.array([_runs(user)]), np.array([age])


def _runs(*columns: Labels) -> int:
    """Count the distinct combinations of sorted columns."""
    return int(np.count_nonzero(run_starts(*columns)))


def distribution_of(labels: Labels, size: int, most_frequent: int) -> Distribution:
    """Give the distribution of a feature's values among events: `feature_distribution` of one offer.

    Parameters
    ----------
    labels : int32, shape (events,)
        At least one.
    size, most_frequent : int
        Number of labels, and of values kept; ties go to the lower label.
    """
    counts = np.bincount(labels, minlength=size)
    values = np.argsort(-counts, kind="stable")[: min(most_frequent, np.count_nonzero(counts))]
    weights = (counts[values] / counts[values].sum()).astype(np.float32)
    return Distribution(values.astype(np.int32), np.zeros(len(values), np.int32), weights)

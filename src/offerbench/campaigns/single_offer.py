"""One offer of any events as of a day, described by what train users' earlier events say of it."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.offers_as_of import SMALL_COUNT, OffersAsOf, described
from offerbench.campaigns.timeline import Labels
from offerbench.campaigns.train_past import TrainPast
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
    place = is_of_offer.astype(np.int32)
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
    return replace(described(past, task, place, table, own), known_rows=of_offer)


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

"""Who bought the offer after the as-of day: from prepared data, or from a file of purchases."""

import logging
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from offerbench.campaigns.as_of import day_number
from offerbench.campaigns.column_files import read_columns
from offerbench.campaigns.offer import Offer
from offerbench.campaigns.scored_users import Users
from offerbench.core.columns import DAY, USER
from offerbench.core.errors import OfferbenchError
from offerbench.core.tables import read_arrow, read_parquet

LOG = logging.getLogger(__name__)


def buyers_in_prepared(prepared: Path, offer: Offer, as_of: date, horizon: int) -> Users:
    """Give the users with a target event of the offer in the horizon, by a prepared data set.

    Parameters
    ----------
    prepared : Path
        Directory of the stage `prepare`, of data that reach beyond the as-of day.
    offer : Offer
        What was offered.
    as_of : date
        First day that counts.
    horizon : int
        Days that count.

    Returns
    -------
    int64, shape (buyers,)
        The source's numbers of the users, ascending.

    Raises
    ------
    OfferbenchError
        If the data are missing, or end before the as-of day.
    """
    events = read_arrow(prepared / "target_events.arrow")
    first, days = day_number(as_of), events[DAY]
    observed = int(days.max()) - first + 1
    if observed < 1:
        last = as_of + timedelta(days=observed - 1)
        raise OfferbenchError(
            f"{prepared}: the data end on {last}, before {as_of}: there is no outcome yet. "
            "Prepare newer data."
        )
    if observed < horizon:
        LOG.warning("the data have %d of the %d days: buyers are still to come", observed, horizon)
    rows = np.flatnonzero((days >= first) & (days < first + horizon))
    is_of_offer = offer.matches({name: events[name][rows] for name in offer.attributes})
    numbers = read_parquet(prepared / "users.parquet")[USER]
    return np.asarray(numbers[np.unique(events[USER][rows[is_of_offer]])], np.int64)


def buyers_in_file(file: Path, as_of: date, horizon: int) -> Users:
    """Give the users with a purchase in the horizon, by a file of purchases of the offer.

    Parameters
    ----------
    file : Path
        CSV or Parquet with the columns `user` and `day` (such as 2017-12-01), a row for each purchase of
        the offer; other columns are not read.
    as_of : date
        First day that counts.
    horizon : int
        Days that count; other rows are left out.

    Returns
    -------
    int64, shape (buyers,)
        Ascending.

    Raises
    ------
    OfferbenchError
        If the file is missing or no such table.
    """
    columns = read_columns(file, {USER: int, DAY: np.datetime64})
    first = np.datetime64(as_of, "D")
    in_horizon = (columns[DAY] >= first) & (columns[DAY] < first + np.timedelta64(horizon, "D"))
    LOG.info("%s of %s purchases are in the horizon", f"{in_horizon.sum():,}", f"{len(in_horizon):,}")
    return np.unique(np.asarray(columns[USER][in_horizon], np.int64))

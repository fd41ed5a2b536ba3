"""From an offer to the file of its audience."""

import logging
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from offerbench.campaigns.audience import Size, audience_columns, choose_audience, eligible
from offerbench.campaigns.audience_summary import AudienceSummary, summarise
from offerbench.campaigns.backtest_reach import BacktestSizes, reach_of_size
from offerbench.campaigns.column_files import read_columns, write_columns
from offerbench.campaigns.offer import Offer
from offerbench.campaigns.scored_users import CampaignScore, Users
from offerbench.core.atomic import atomic_file
from offerbench.core.columns import USER
from offerbench.core.json_files import write_json

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """What is asked of an audience besides its offer."""

    as_of: date
    horizon: int
    """Days."""
    size: Size
    excluded: Users
    """Users that must not be asked."""
    exclude_buyers: int | None
    """Days before `as_of`; buyers of the offer in them are left out."""
    control: float
    """Share that is held back."""
    seed: int
    """Of the draw of the control group."""


def read_excluded(file: Path | None) -> Users:
    """Read the users that must not be asked: a list, or a table with the column `user`; None: nobody.

    Raises
    ------
    OfferbenchError
        If the file is no list of users.
    """
    if file is None:
        return np.empty(0, np.int64)
    listed = read_columns(file, {USER: int}, header_needed=False)[USER]
    return np.unique(np.asarray(listed, np.int64))


def summary_file(audience: Path) -> Path:
    """Name the file of an audience's figures: beside it, ending in .json."""
    return audience.with_suffix(".json")


def deliver_audience(
    score: CampaignScore,
    offer: Offer,
    request: Request,
    output: Path,
    sizes: BacktestSizes | None = None,
) -> AudienceSummary:
    """Score the users for an offer, choose its audience and write it, with its figures beside it.

    Parameters
    ----------
    score : CampaignScore
        Scores the users.
    offer : Offer
        What is offered.
    request : Request
        How many users, and who not.
    output : Path
        CSV or Parquet by its suffix.
    sizes : BacktestSizes, optional
        What the backtest reached.

    Raises
    ------
    OfferbenchError
        If nobody is left, more users are wanted than there are, or a group would be empty.
    """
    (scored,) = score.score_offers([offer], request.as_of, request.horizon)
    LOG.info("scored %s users", f"{len(scored):,}")
    users = eligible(scored, request.as_of, request.excluded, request.exclude_buyers)
    report_unknown(request.excluded, users.excluded_by_list)
    generator = np.random.default_rng(request.seed)
    audience = choose_audience(scored, users, request.size, request.control, generator)
    of_all = float(scored.chance[users.is_left].sum())
    chances = scored.chance[audience.rows]
    bought_before = float(np.mean(scored.past_purchases > 0))
    reached = reach_of_size(sizes, bought_before, len(audience.rows) / users.left, request.horizon)
    summary = summarise(
        *(offer.expression, request.as_of, request.horizon, users, of_all),
        *(chances, audience.is_control, reached),
    )
    with atomic_file(summary_file(output)) as temporary:  # both files, or none
        write_json(temporary, summary.as_json())
        write_columns(output, audience_columns(scored, audience))
    LOG.info("wrote %s users to %s", f"{len(audience.rows):,}", output)
    return summary


def report_unknown(excluded: Users, found: int) -> None:
    """Say how many of the users to exclude are none that could have been asked."""
    if unknown := len(excluded) - found:
        LOG.warning(
            "%s of %s users to exclude are not in the data before the as-of day",
            *(f"{unknown:,}", f"{len(excluded):,}"),
        )

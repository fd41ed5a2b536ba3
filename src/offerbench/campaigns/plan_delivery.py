"""From campaigns.yaml to a directory of audiences: NAME.csv for each campaign, plan.json, overlap.png."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from offerbench.campaigns.attributes import Attributes
from offerbench.campaigns.audience import Audience, audience_columns, draw_control
from offerbench.campaigns.audience_summary import AudienceSummary, summarise
from offerbench.campaigns.backtest_reach import BacktestSizes, reach_of_size
from offerbench.campaigns.campaigns_file import RESERVED, Campaigns
from offerbench.campaigns.column_files import write_columns
from offerbench.campaigns.delivery import report_unknown, summary_file
from offerbench.campaigns.offer import Offer, offer_of_expression, offer_of_products
from offerbench.campaigns.overlap import draw_overlap, overlap
from offerbench.campaigns.plan import best_plan
from offerbench.campaigns.plan_size import MAX_PAIRS
from offerbench.campaigns.plan_summary import PlanSummary
from offerbench.campaigns.scored_users import CampaignScore, Users
from offerbench.campaigns.shortlist import Shortlist, make_shortlists, pairs_of
from offerbench.core.atomic import atomic_directory
from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import write_json

LOG = logging.getLogger(__name__)
PLAN_FILE = f"{RESERVED}.json"
PICTURE = "overlap.png"


@dataclass(frozen=True)
class PlannedAudience:
    """The audience of one campaign in a plan."""

    name: str
    shortlist: Shortlist
    audience: Audience
    """Rows of the shortlist's best users."""
    summary: AudienceSummary


def campaign_offers(campaigns: Campaigns, attributes: Attributes) -> list[Offer]:
    """Give the offer of each campaign.

    Raises
    ------
    OfferbenchError
        If one can't be read; names the campaign.
    """
    offers = []
    for campaign in campaigns.campaigns:
        try:
            if campaign.products is not None:
                offers.append(offer_of_products(Path(campaign.products), attributes))
            else:
                offers.append(offer_of_expression(campaign.offer or "", attributes))
        except OfferbenchError as error:
            raise OfferbenchError(f"{campaign.name}: {error}") from None
    return offers


def refuse_other_directory(output: Path) -> None:
    """Refuse to replace what is no plan's directory."""
    if output.is_file():
        raise OfferbenchError(f"{output}: a file. Name a directory for the audiences of several campaigns.")
    if output.is_dir() and any(output.iterdir()) and not (output / PLAN_FILE).exists():
        raise OfferbenchError(
            f"{output}: holds other files and no {PLAN_FILE} of an earlier plan, so it isn't replaced. "
            "Name a directory that is empty or new."
        )


def deliver_plan(
    score: CampaignScore,
    campaigns: Campaigns,
    offers: Sequence[Offer],
    as_of: date,
    excluded: Users,
    output: Path,
    backtest: BacktestSizes | None = None,
) -> PlanSummary:
    """Score the users for every campaign, plan them together and write their audiences.

    Parameters
    ----------
    score : CampaignScore
        Scores the users.
    campaigns : Campaigns
        Sizes, cap, control group.
    offers : sequence of Offer
        Of each campaign, from `campaign_offers`.
    as_of : date
        Known is what happened before this day.
    excluded : int64, shape (excluded users,)
        Users that no campaign may ask.
    output : Path
        A directory that is made, or replaced if it has an earlier plan.
    backtest : BacktestSizes, optional
        What the backtest reached.

    Raises
    ------
    OfferbenchError
        If nobody is left for a campaign, or more users or messages are wanted than there are.
    """
    names = [campaign.name for campaign in campaigns.campaigns]
    sizes = [campaign.size for campaign in campaigns.campaigns]
    shortlists = make_shortlists(score, campaigns, offers, as_of, excluded)
    LOG.info("scored %s users for %d campaigns", f"{len(shortlists[0].users.is_left):,}", len(names))
    report_unknown(excluded, shortlists[0].users.excluded_by_list)
    pairs = pairs_of(shortlists)
    floors = np.array([shortlist.floor for shortlist in shortlists])
    plan = best_plan(pairs, sizes, campaigns.messages_per_user, campaigns.exact_pairs, floors)
    if floors.any():
        LOG.warning(
            "the best plan may need more than %s pairs of user and campaign: only the best %s users of each "
            "campaign were looked at. The plan is an approximation, how good is said below the table",
            *(f"{MAX_PAIRS:,}", f"{max(len(shortlist.best) for shortlist in shortlists):,}"),
        )
        if left := sum(sizes) - int(plan.is_taken.sum()):
            LOG.warning(
                "%s places stay empty, since users that were looked at have no message left. Raise "
                "messages_per_user, lower the sizes, or plan fewer campaigns at once",
                f"{left:,}",
            )
    LOG.info("planned %s of %s pairs", f"{plan.is_taken.sum():,}", f"{len(pairs.user):,}")
    ends = np.cumsum([len(shortlist.best) for shortlist in shortlists])[:-1]
    planned = [
        _planned(campaigns, place, offer, as_of, shortlist, np.flatnonzero(taken), backtest)
        for place, (offer, shortlist, taken) in enumerate(
            zip(offers, shortlists, np.split(plan.is_taken, ends), strict=True)
        )
    ]
    summary = PlanSummary(
        names=names,
        audiences=[one.summary for one in planned],
        wanted_buyers=[
            float(one.best.chance[:size].sum()) for one, size in zip(shortlists, sizes, strict=True)
        ],
        messages_per_user=campaigns.messages_per_user,
        expected_buyers=plan.expected_buyers,
        bound=plan.bound,
        is_exact=plan.is_exact,
        wanted=overlap(names, [one.best.user[:size] for one, size in zip(shortlists, sizes, strict=True)]),
        planned=overlap(names, [one.shortlist.best.user[one.audience.rows] for one in planned]),
    )
    _write(output, planned, summary, campaigns.file_format)
    return summary


def deliver_no_plan(output: Path) -> None:
    """Write a plan of no campaigns."""
    with atomic_directory(output) as directory:
        write_json(directory / PLAN_FILE, {"campaigns": {}})


def _planned(
    campaigns: Campaigns,
    place: int,
    offer: Offer,
    as_of: date,
    shortlist: Shortlist,
    rows: Users,
    backtest: BacktestSizes | None,
) -> PlannedAudience:
    """Draw the control group of a campaign, from a generator of its own."""
    name = campaigns.campaigns[place].name
    if not len(rows):
        raise OfferbenchError(f"{name}: no message is left for it. Lower the sizes of the others.")
    generator = np.random.default_rng([campaigns.seed, place])
    try:
        audience = Audience(rows, draw_control(len(rows), campaigns.control, generator))
    except OfferbenchError as error:
        raise OfferbenchError(f"{name}: {error}") from None
    horizon, share = campaigns.horizon_days, len(rows) / shortlist.users.left
    reached = reach_of_size(backtest, shortlist.bought_before, share, horizon)
    summary = summarise(
        *(offer.expression, as_of, horizon, shortlist.users, shortlist.expected_of_all),
        *(shortlist.best.chance[rows], audience.is_control, reached),
    )
    return PlannedAudience(name, shortlist, audience, summary)


def _write(output: Path, planned: Sequence[PlannedAudience], summary: PlanSummary, file_format: str) -> None:
    with atomic_directory(output) as directory:
        for one in planned:
            file = directory / f"{one.name}.{file_format}"
            write_columns(file, audience_columns(one.shortlist.best, one.audience))
            write_json(summary_file(file), one.summary.as_json())
        draw_overlap(summary.wanted, summary.planned, directory / PICTURE)
        write_json(directory / PLAN_FILE, summary.as_json())
    LOG.info("wrote %d audiences to %s", len(planned), output)

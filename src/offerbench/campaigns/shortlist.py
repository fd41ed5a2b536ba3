"""What a plan needs to know of each campaign: its best users, without the scores of all others."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date

import numpy as np
from tqdm import tqdm

from offerbench.campaigns.audience import Eligible, Size, audience_size, best_first, eligible
from offerbench.campaigns.campaigns_file import Campaigns
from offerbench.campaigns.offer import Offer
from offerbench.campaigns.plan import Pairs
from offerbench.campaigns.plan_size import listed_users, needed_users, refuse_too_many_messages
from offerbench.campaigns.scored_users import CampaignScore, ScoredUsers, Users
from offerbench.core.errors import OfferbenchError


@dataclass(frozen=True)
class Shortlist:
    """The users that a campaign may get in the best plan."""

    best: ScoredUsers
    """Best first, by chance, ties by the lower number of the user."""
    users: Eligible
    """Who may be asked."""
    expected_of_all: float
    """Sum of the chances of all users that may be asked."""
    bought_before: float
    """Share of all users that bought the offer before the as-of day."""
    floor: float
    """No other user that the best plan may need has a higher chance; 0 if all are among the best."""


def make_shortlists(
    score: CampaignScore, campaigns: Campaigns, offers: Sequence[Offer], as_of: date, excluded: Users
) -> list[Shortlist]:
    """Score the users for one campaign after the other, and keep of each the users that a plan needs.

    Parameters
    ----------
    score : CampaignScore
        Scores the users.
    campaigns : Campaigns
        Sizes and cap.
    offers : sequence of Offer
        Of each campaign.
    as_of : date
        Known is what happened before this day.
    excluded : int64, shape (excluded users,)
        Users that no campaign may ask.

    Raises
    ------
    OfferbenchError
        If nobody is left for a campaign, or campaigns want more users or messages than there are; names the
        campaign.
    """
    shortlists = []
    sizes = [campaign.size for campaign in campaigns.campaigns]
    scores = score.score_offers(offers, as_of, campaigns.horizon_days)
    needed = needed_users(sizes, campaigns.messages_per_user)
    progress = tqdm(scores, total=len(offers), unit=" campaigns", disable=None, desc="score")
    for place, (campaign, scored) in enumerate(zip(campaigns.campaigns, progress, strict=True)):
        try:
            users = eligible(scored, as_of, excluded, campaigns.exclude_buyers_days)
            audience_size(Size(users=campaign.size), users)
        except OfferbenchError as error:
            raise OfferbenchError(f"{campaign.name}: {error}") from None
        refuse_too_many_messages(sizes, campaigns.messages_per_user, len(scored))
        number = listed_users(sizes, campaigns.messages_per_user, len(scored))[place]
        rows = best_first(scored.user, scored.chance, users.is_left, number)
        is_cut = number < min(needed[place], users.left)
        floor = float(scored.chance[rows[-1]]) if is_cut else 0.0
        expected = float(scored.chance[users.is_left].sum())
        bought = float(np.mean(scored.past_purchases > 0))
        shortlists.append(Shortlist(rows_of(scored, rows), users, expected, bought, floor))
    return shortlists


def rows_of(scored: ScoredUsers, rows: Users) -> ScoredUsers:
    """Give some rows of scored users, in their order."""
    return ScoredUsers(*(getattr(scored, field.name)[rows] for field in fields(scored)))


def pairs_of(shortlists: Sequence[Shortlist]) -> Pairs:
    """Put the pairs of all campaigns one after the other."""
    lengths = [len(shortlist.best) for shortlist in shortlists]
    return Pairs(
        user=np.concatenate([shortlist.best.user for shortlist in shortlists]),
        campaign=np.repeat(np.arange(len(lengths)), lengths),
        chance=np.concatenate([shortlist.best.chance for shortlist in shortlists]),
    )

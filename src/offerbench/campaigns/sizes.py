"""What the campaign score reached in the backtest, by the size of the offer.

An offer's size is the share of the train users that bought it before the day: of an audience's offer it is
known too, whatever attributes decide and however many users there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from offerbench.campaigns.backtest import Scored
from offerbench.campaigns.measures import buyers_reached
from offerbench.campaigns.rows import CampaignRow
from offerbench.campaigns.timeline import Floats

EDGES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
SIZES = (*pairwise(EDGES), (EDGES[-1], 1.01))
"""From and below which share of the users bought the offer before."""
POINTS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares of the users at which the share of the buyers reached is measured."""


@dataclass(frozen=True, eq=False)
class SizeResult:
    """The offers of one size."""

    offers: int
    """Offers that somebody bought within the horizon, counted for each date."""
    buyers: int
    """Their buyers."""
    expected: float
    """Expected buyers, of all offers of the size."""
    reached: Floats
    """Buyers among the best users of each offer, at each of `POINTS`. Shape (points,)."""


def measure_sizes(scored: Scored, generator: np.random.Generator) -> list[SizeResult]:
    """Measure the offers of each of `SIZES` as of one date.

    Parameters
    ----------
    scored : Scored
        Scores and buyers of a task; offers that the vocabulary doesn't have are left out.
    generator : numpy.random.Generator
        Source of the order of equal scores.
    """
    size = scored.earlier_buyers / max(scored.train_users, 1)
    found = []
    for low, high in SIZES:
        some = np.flatnonzero(~scored.is_unnamed & (size >= low) & (size < high))
        bought = scored.bought[:, some]
        reached = buyers_reached(scored.scores[CampaignRow.CAMPAIGN][:, some], bought, generator)
        users = np.arange(len(reached)) / max(len(scored.users), 1)
        found.append(
            SizeResult(
                int(bought.any(axis=0).sum()),
                int(bought.sum()),
                float(scored.chances[CampaignRow.CAMPAIGN][:, some].sum()),
                np.interp(POINTS, users, reached),
            )
        )
    return found


def add_sizes(parts: Sequence[SizeResult]) -> SizeResult:
    """Add up what was measured of one size."""
    return SizeResult(
        sum(part.offers for part in parts),
        sum(part.buyers for part in parts),
        sum(part.expected for part in parts),
        np.sum([part.reached for part in parts], axis=0),
    )

"""What the backtest reached with offers of a size: to be told with an audience."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import Field, ValidationError

from offerbench.campaigns.cuts import Cut
from offerbench.core.paths import METRICS_DIRECTORY
from offerbench.core.section import Count, Section

LOG = logging.getLogger(__name__)
SIZES_FILE = METRICS_DIRECTORY / "campaign_sizes.json"


class OffersOfSize(Section):
    """Offers that a like share of the users had bought before."""

    bought_before_from: float
    bought_before_below: float
    offers: Count
    """With a buyer within the horizon, counted for each date."""
    buyers: Count
    expected_over_actual: float
    buyers_reached: list[float]
    """Share of the buyers among the best users, for each of `BacktestSizes.users`."""


class BacktestSizes(Section):
    """The content of metrics/campaign_sizes.json."""

    horizon_days: Count
    heads: dict[str, str]
    users: list[float] = Field(min_length=2)
    """Shares of the users, ascending."""
    sizes: list[OffersOfSize]


@dataclass(frozen=True)
class BacktestReach:
    """What was reached in the backtest with offers of the size of an audience's."""

    bought_before_from: float
    """Share of the users."""
    bought_before_below: float
    offers: int
    buyers: int
    share_of_users: float
    """The audience's."""
    share_of_buyers: float
    """Among as large a share of the users, best first."""
    expected_over_actual: float

    def as_text(self) -> str:
        """Give it as lines to print."""
        low, high = self.bought_before_from, min(self.bought_before_below, 1.0)
        return (
            f"{self.share_of_buyers:.1%} of the buyers with {self.share_of_users:.1%} of the users\n"
            f"{self.expected_over_actual:.2f} buyers expected for each actual one\n"
            f"({self.offers:,} offers that {low:.1%} to {high:.1%} of the users had bought before, "
            f"{self.buyers:,} buyers)"
        )


def head_digests(cuts: Sequence[Cut]) -> dict[str, str]:
    """Give the digest of the head of each cut; of one that is missing, the empty string."""
    return {
        cut.name: hashlib.sha256(cut.head.read_bytes()).hexdigest() if cut.head.exists() else ""
        for cut in cuts
    }


def read_sizes(file: Path, heads: Mapping[str, str]) -> BacktestSizes | None:
    """Read what the backtest of this run reached; None if there is none.

    Parameters
    ----------
    file : Path
        metrics/campaign_sizes.json.
    heads : mapping of str
        From `head_digests`: those that audiences are scored with.
    """
    if not file.exists():
        return None
    try:
        found = BacktestSizes.model_validate_json(file.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        LOG.warning("%s: passed over, not what `backtest` writes (%s). Run `dvc repro`.", file, reason)
        return None
    if found.heads != dict(heads):
        LOG.info("%s is of other models than these: not told", file)
        return None
    return found


def reach_of_size(
    sizes: BacktestSizes | None, bought_before: float, share_of_users: float, horizon: int
) -> BacktestReach | None:
    """Find the backtest's offers of a size.

    Parameters
    ----------
    sizes : BacktestSizes, optional
        What the backtest reached.
    bought_before : float
        Share of the users that bought the offer before.
    share_of_users : float
        That the audience has.
    horizon : int
        Days of the audience's horizon; of another one than the backtest's nothing is known.
    """
    if sizes is None or horizon != sizes.horizon_days:
        return None
    for size in sizes.sizes:
        if size.bought_before_from <= bought_before < size.bought_before_below:
            return BacktestReach(
                size.bought_before_from,
                size.bought_before_below,
                size.offers,
                size.buyers,
                share_of_users,
                float(np.interp(share_of_users, sizes.users, size.buyers_reached)),
                size.expected_over_actual,
            )
    return None

"""What a plan of several campaigns promises, in figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from tabulate import tabulate

from offerbench.campaigns.audience_summary import DIGITS, AudienceSummary
from offerbench.campaigns.backtest_reach import BacktestReach
from offerbench.campaigns.overlap import shares

IN_BACKTEST = "in the backtest"
HEADERS = (
    *("campaign", "users", "control", "expected buyers", "of its best users", "at random", "reach"),
    *(IN_BACKTEST, "expected / actual"),
)


@dataclass(frozen=True)
class PlanSummary:
    """Figures of a plan."""

    names: Sequence[str]
    """Of the campaigns."""
    audiences: Sequence[AudienceSummary]
    """Of each campaign, as planned."""
    wanted_buyers: Sequence[float]
    """Expected buyers of each campaign if it had its best users for itself."""
    messages_per_user: int
    expected_buyers: float
    """Of all campaigns together: who buys the offers of two campaigns counts twice."""
    bound: float
    """No plan expects more."""
    is_exact: bool
    """Whether this is the best plan there is."""
    wanted: pd.DataFrame
    """Overlap of the best users of each campaign."""
    planned: pd.DataFrame
    """Overlap of the audiences of the plan."""

    @property
    def gap(self) -> float:
        """How much more the best plan could expect at most, as a share of the bound."""
        return (self.bound - self.expected_buyers) / self.bound if self.bound else 0.0

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        campaigns = {
            name: {**summary.as_json(), "expected_buyers_of_its_best_users": round(wanted, DIGITS)}
            for name, summary, wanted in zip(self.names, self.audiences, self.wanted_buyers, strict=True)
        }
        return {
            "messages_per_user": self.messages_per_user,
            "expected_buyers": round(self.expected_buyers, DIGITS),
            "bound": round(self.bound, DIGITS),
            "gap": round(self.gap, DIGITS),
            "is_exact": self.is_exact,
            "campaigns": campaigns,
            "overlap": {
                "best_users_of_each": self.wanted.to_dict("index"),
                "in_the_plan": self.planned.to_dict("index"),
            },
        }

    def as_text(self) -> str:
        """Give it as tables to print."""
        first = self.audiences[0]
        how = "the best plan" if self.is_exact else f"at most {self.gap:.2%} below the best plan"
        messages = f"{self.messages_per_user} message{'s' if self.messages_per_user > 1 else ''}"
        total = (
            f"{self.expected_buyers:,.1f} expected buyers as of {first.as_of}, for {first.horizon_days} "
            f"days, with {messages} for each user at most: {how}."
        )
        common, names = shares(self.wanted).map("{:.0%}".format), ("", *self.names)
        overlap = tabulate(common.itertuples(), names, disable_numparse=True, colalign=_right(len(names)))
        title = "Share of the row's best users who are among the column's best users too:"
        return f"{self._campaigns()}\n\n{total}\n\n{title}\n\n{overlap}"

    def _campaigns(self) -> str:
        """Tabulate the campaigns; what the backtest reached has columns if it is known of one at least."""
        rows = [
            (
                name,
                f"{audience.users_in_audience:,}",
                f"{audience.users_in_control:,}",
                f"{audience.expected_buyers:,.1f}",
                f"{wanted:,.1f}",
                f"{audience.expected_buyers_at_random:,.1f}",
                f"{audience.share_of_expected_buyers:.1%}",
                *_in_backtest(audience.backtest),
            )
            for name, audience, wanted in zip(self.names, self.audiences, self.wanted_buyers, strict=True)
        ]
        is_known = any(audience.backtest for audience in self.audiences)
        shown = len(HEADERS) if is_known else HEADERS.index(IN_BACKTEST)
        cells = [row[:shown] for row in rows]
        return tabulate(cells, HEADERS[:shown], disable_numparse=True, colalign=_right(shown))


def _in_backtest(found: BacktestReach | None) -> tuple[str, str]:
    """Share of the buyers reached by as many best users, and expected over actual buyers."""
    if found is None:
        return "-", "-"
    return f"{found.share_of_buyers:.1%}", f"{found.expected_over_actual:.2f}"


def _right(columns: int) -> tuple[str, ...]:
    """Align all columns but the first to the right."""
    return ("left", *("right",) * (columns - 1))

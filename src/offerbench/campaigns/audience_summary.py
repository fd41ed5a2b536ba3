"""What an audience promises, in figures."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from tabulate import tabulate

from offerbench.campaigns.audience import Eligible, Mask
from offerbench.campaigns.backtest_reach import BacktestReach
from offerbench.campaigns.scored_users import Floats

DIGITS = 6  # of figures in JSON


@dataclass(frozen=True)
class AudienceSummary:
    """Figures of one audience; those of the expression, the day and the horizon let `outcome` repeat it."""

    offer: str
    as_of: date
    horizon_days: int
    users_considered: int
    """With an event before the as-of day."""
    excluded_by_list: int
    excluded_as_buyers: int
    users_in_audience: int
    """Target and control group."""
    users_in_control: int
    expected_buyers: float
    """In the audience."""
    expected_buyers_at_random: float
    """Among as many users at random, of those that may be asked."""
    share_of_expected_buyers: float
    """In the audience, of all that are expected among the users that may be asked."""
    backtest: BacktestReach | None = None
    """What the backtest reached with offers of that size, if it has any."""

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        content = {**asdict(self), "as_of": self.as_of.isoformat()}
        parts = [content, content["backtest"] or {}]
        for part in parts:
            part |= {name: round(value, DIGITS) for name, value in part.items() if isinstance(value, float)}
        return content

    def as_text(self) -> str:
        """Give it as lines to print."""
        rows = [
            ("offer", self.offer),
            ("as of", f"{self.as_of}, for {self.horizon_days} days"),
            ("users considered", f"{self.users_considered:,}"),
            ("excluded by the list", f"{self.excluded_by_list:,}"),
            ("excluded as buyers", f"{self.excluded_as_buyers:,}"),
            ("in the audience", f"{self.users_in_audience:,}"),
            ("held back as control", f"{self.users_in_control:,}"),
            ("expected buyers in the audience", f"{self.expected_buyers:,.1f}"),
            ("among as many users at random", f"{self.expected_buyers_at_random:,.1f}"),
            ("share of all expected buyers", f"{self.share_of_expected_buyers:.1%}"),
        ]
        if self.backtest is not None:
            rows.append(("reached in the backtest", self.backtest.as_text()))
        return tabulate(rows, tablefmt="plain", disable_numparse=True)


def summarise(
    offer: str,
    as_of: date,
    horizon: int,
    users: Eligible,
    of_all: float,
    chances: Floats,
    is_control: Mask,
    backtest: BacktestReach | None = None,
) -> AudienceSummary:
    """Add up what an audience promises.

    Parameters
    ----------
    offer : str
        Its expression.
    as_of : date
        The day of the scores.
    horizon : int
        Days.
    users : Eligible
        Who may be asked.
    of_all : float
        Sum of the chances of all users that may be asked.
    chances : float64, shape (audience,)
        Of the chosen users.
    is_control : bool, shape (audience,)
        Whether they are held back.
    backtest : BacktestReach, optional
        What the backtest reached with offers of that size.
    """
    expected, size = float(chances.sum()), len(chances)
    return AudienceSummary(
        offer=offer,
        as_of=as_of,
        horizon_days=horizon,
        users_considered=len(users.is_left),
        excluded_by_list=users.excluded_by_list,
        excluded_as_buyers=users.excluded_as_buyers,
        users_in_audience=size,
        users_in_control=int(is_control.sum()),
        expected_buyers=expected,
        expected_buyers_at_random=of_all * size / users.left,
        share_of_expected_buyers=expected / of_all if of_all else 0.0,
        backtest=backtest,
    )

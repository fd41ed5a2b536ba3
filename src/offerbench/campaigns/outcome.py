"""What came of an audience: buyers in the target and the control group, and their difference."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tabulate import tabulate

from offerbench.campaigns.audience_summary import DIGITS
from offerbench.campaigns.column_files import read_columns
from offerbench.campaigns.columns import CHANCE, GROUP, Group
from offerbench.campaigns.rate_difference import Interval, difference, rate
from offerbench.campaigns.scored_users import Floats, Users
from offerbench.core.columns import USER
from offerbench.core.errors import OfferbenchError

HEADERS = ("group", "users", "buyers", "rate", "95% interval", "expected buyers", "expected / actual")


@dataclass(frozen=True)
class AskedUsers:
    """An audience as its file has it."""

    user: Users
    chance: Floats
    is_control: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class GroupOutcome:
    """What came of one group."""

    users: int
    buyers: int
    rate: Interval
    """Share of buyers."""
    expected_buyers: float
    """Sum of the chances."""


@dataclass(frozen=True)
class Outcome:
    """What came of an audience; an audience without a control group has only the first."""

    target: GroupOutcome
    control: GroupOutcome | None
    difference: Interval | None
    """Rate of the target group less that of the control group: the effect of the campaign."""

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        rounded: dict[str, Any] = _rounded(asdict(self))
        return rounded

    def as_text(self) -> str:
        """Give it as a table to print, and a sentence."""
        groups = {Group.TARGET: self.target, Group.CONTROL: self.control}
        rows = [_row(name, group) for name, group in groups.items() if group is not None]
        right = ("left", *("right",) * (len(HEADERS) - 1))
        table = tabulate(rows, HEADERS, disable_numparse=True, colalign=right)
        return f"{table}\n\n{self._sentence()}"

    def _sentence(self) -> str:
        found = self.difference
        if found is None:
            return "Without a control group nobody knows who would have bought anyway (--control)."
        points = f"{found.value:+.2%} [{found.low:+.2%}, {found.high:+.2%}]"
        extra = ", ".join(f"{end * self.target.users:+,.0f}" for end in (found.low, found.high))
        verdict = "the interval excludes 0" if found.low > 0 or found.high < 0 else "the interval includes 0"
        return (
            f"Target less control: {points} of the users, {found.value * self.target.users:+,.0f} [{extra}] "
            f"buyers in the target group: {verdict}."
        )


def measure_outcome(asked: AskedUsers, buyers: Users) -> Outcome:
    """Compare the groups of an audience.

    Parameters
    ----------
    asked : AskedUsers
        The audience.
    buyers : int64, shape (buyers,)
        Users who bought the offer in the horizon; those outside of the audience are passed over.
    """
    bought = np.isin(asked.user, buyers)
    target = _group(bought, asked.chance, ~asked.is_control)
    if not asked.is_control.any():
        return Outcome(target, None, None)
    control = _group(bought, asked.chance, asked.is_control)
    return Outcome(target, control, difference(target.rate, control.rate))


def read_audience(file: Path) -> AskedUsers:
    """Read an audience file.

    Raises
    ------
    OfferbenchError
        If it is missing or no audience, is empty or has nobody in the target group, or names a user twice;
        names the row.
    """
    columns = read_columns(file, {USER: int, CHANCE: float, GROUP: str})
    user, chance, group = columns[USER], columns[CHANCE], columns[GROUP].astype(str)
    is_control, is_target = group == Group.CONTROL, group == Group.TARGET
    if not is_target.any():
        raise OfferbenchError(f"{file}: nobody is in the group '{Group.TARGET}', so there is no outcome.")
    _refuse_row(file, ~(is_control | is_target), f"the group must be {' or '.join(Group)}")
    _refuse_row(file, (chance < 0) | (chance > 1), "the chance must be 0 to 1")
    is_first = np.zeros(len(user), bool)
    is_first[np.unique(user, return_index=True)[1]] = True
    _refuse_row(file, ~is_first, "the user is there before")
    return AskedUsers(np.asarray(user, np.int64), chance, is_control)


def _refuse_row(file: Path, is_wrong: npt.NDArray[np.bool_], reason: str) -> None:
    if is_wrong.any():
        raise OfferbenchError(f"{file}: row {int(np.flatnonzero(is_wrong)[0]) + 2}: {reason}.")


def _group(bought: npt.NDArray[np.bool_], chance: Floats, of_group: npt.NDArray[np.bool_]) -> GroupOutcome:
    users, buyers = int(of_group.sum()), int(bought[of_group].sum())
    return GroupOutcome(users, buyers, rate(buyers, users), float(chance[of_group].sum()))


def _row(name: str, group: GroupOutcome) -> tuple[str, ...]:
    ratio = f"{group.expected_buyers / group.buyers:.2f}" if group.buyers else "-"
    interval = f"{group.rate.low:.2%} to {group.rate.high:.2%}"
    counts = (f"{group.users:,}", f"{group.buyers:,}", f"{group.rate.value:.2%}", interval)
    return (name, *counts, f"{group.expected_buyers:,.1f}", ratio)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    return round(value, DIGITS) if isinstance(value, float) else value

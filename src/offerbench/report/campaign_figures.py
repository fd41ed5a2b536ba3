"""Gain curves and calibration of the backtest as figures inside a page."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.ticker import FormatStrFormatter, NullFormatter

from offerbench.campaigns.rows import CampaignRow
from offerbench.report.inline_svg import (
    INK,
    SETTINGS,
    Line,
    Panel,
    draw_line,
    inline_svg,
    new_axes,
    numbered_lines,
)

SIZE = (4.2, 3.6)
TOLD = 0.1  # share of the users at which a description says what is reached


def row_lines() -> list[Line]:
    """Give each row that ranks all users of any offer a colour and a marker."""
    return numbered_lines({str(row): row.heading for row in CampaignRow.of_all_offers()})


def chance_lines() -> list[Line]:
    """Give the lines of the rows that say how many buyers they expect: the same as in `row_lines`."""
    return [line for line in row_lines() if line.model in CampaignRow.with_chances()]


def gain_panels(curves: Mapping[str, Any]) -> list[Panel]:
    """Draw the share of the buyers against that of the users, best first, a figure for each task.

    Parameters
    ----------
    curves : mapping
        Of metrics/campaign_curves.json.
    """
    return [_gain(task, curves["users"], gains) for task, gains in curves["gains"].items()]


def calibration_panels(curves: Mapping[str, Any]) -> list[Panel]:
    """Draw the part that bought against the chance, a figure for each task."""
    return [_calibration(task, bins) for task, bins in curves["calibration"].items()]


def _dotted(axes: Axes, low: float, high: float) -> None:
    axes.plot([low, high], [low, high], color=INK, linewidth=0.8, alpha=0.6, linestyle=(0, (2, 2)))


def _gain(task: str, users: Sequence[float], gains: Mapping[str, Sequence[float]]) -> Panel:
    lines = [line for line in row_lines() if line.model in gains]
    with matplotlib.rc_context(SETTINGS):
        figure, axes = new_axes(*SIZE)
        _dotted(axes, 0, 1)
        for line in reversed(lines):  # the first above the others
            draw_line(axes, line, users, gains[line.model])
        axes.set(xlabel="users, best first", ylabel="buyers reached", xlim=(0, 1), ylim=(0, 1.02))
    place = min(range(len(users)), key=lambda place: abs(users[place] - TOLD))
    told = ", ".join(f"{line.title} {gains[line.model][place]:.0%}" for line in lines)
    description = f"Buyers of {task} reached with the best {users[place]:.0%} of the users: {told}."
    return Panel(task, inline_svg(figure, f"gain-{task}", description))


def _calibration(task: str, bins: Mapping[str, Mapping[str, Sequence[float | None]]]) -> Panel:
    lines = [line for line in chance_lines() if line.model in bins]
    shown = {line: _positive(bins[line.model]) for line in lines}
    every = [value for pairs in shown.values() for pair in pairs for value in pair]
    low, high = (min(every), max(every)) if every else (0.01, 1.0)
    with matplotlib.rc_context(SETTINGS):
        figure, axes = new_axes(*SIZE)
        _dotted(axes, low, high)
        for line in reversed(lines):
            draw_line(axes, line, *([pair[place] for pair in shown[line]] for place in (0, 1)))
        axes.set(xscale="log", yscale="log", xlabel="chance", ylabel="part that bought")
        for axis in (axes.xaxis, axes.yaxis):  # powers of ten would need a font for mathematics
            axis.set_major_formatter(FormatStrFormatter("%g"))
            axis.set_minor_formatter(NullFormatter())
    ends = "; ".join(
        f"{line.title}: of a chance of {pairs[-1][0]:.2f}, {pairs[-1][1]:.2f} bought"
        for line, pairs in shown.items()
        if pairs
    )
    description = f"Part of {task}'s pairs that bought by their chance. The highest part: {ends}."
    return Panel(task, inline_svg(figure, f"calibration-{task}", description))


def _positive(bins: Mapping[str, Sequence[float | None]]) -> list[tuple[float, float]]:
    """Chance and part that bought of each bin that a logarithmic axis has room for."""
    pairs = zip(bins["expected"], bins["actual"], strict=True)
    return [(expected, actual) for expected, actual in pairs if expected and actual]

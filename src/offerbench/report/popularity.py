"""AUC of each offer against its popularity."""

from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from offerbench.core.columns import POSITIVES, TASK
from offerbench.core.rows import Role, Row
from offerbench.evaluation.popularity import means_by_popularity
from offerbench.evaluation.wauc import wauc
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
from offerbench.report.numbers import format_wauc

POINT = "#7f8ea3"  # visible on a dark and on a light page: points are pixels, they can't change
SIZE = (4.3, 3.1)


def popularity_lines(task: str, rows: Sequence[Row]) -> list[Line]:
    """Give the series of a task's figure: the rows that serve every task, and the task's specialist."""
    return numbered_lines(
        {
            row.name: "specialist" if row.role is Role.SPECIALIST else row.short_title
            for row in rows
            if row.task in (None, task)
        }
    )


def popularity_panels(offers: pd.DataFrame, tasks: Sequence[str], rows: Sequence[Row]) -> list[Panel]:
    """Draw one figure for each task.

    Parameters
    ----------
    offers : DataFrame
        One row for each evaluated offer: task, positives and an AUC column for each row of the results.
    tasks : sequence of str
        The tasks, in the order of the tables.
    rows : sequence of Row
        The rows of the results.
    """
    return [_panel(offers[offers[TASK] == task], task, popularity_lines(task, rows)) for task in tasks]


def _panel(offers: pd.DataFrame, task: str, lines: Sequence[Line]) -> Panel:
    positives = offers[POSITIVES].to_numpy(np.int64)
    with matplotlib.rc_context(SETTINGS):
        figure, axes = new_axes(*SIZE)
        _set_up(axes)
        if len(offers):
            points = offers[lines[0].model].to_numpy(np.float64)
            size = float(np.clip(3000 / len(offers), 5, 16))  # square points
            axes.scatter(positives, points, s=size, color=POINT, alpha=0.45, linewidths=0, rasterized=True)
            for line in lines:
                middle, mean = means_by_popularity(positives, offers[line.model].to_numpy(np.float64))
                draw_line(axes, line, middle.tolist(), mean.tolist())
    description = _describe(offers, task, lines)
    return Panel(task, inline_svg(figure, f"popularity-{task}", description))


def _set_up(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set(xlabel="positives of the offer", ylabel="AUC", ylim=(-0.02, 1.02))
    axes.axhline(0.5, color=INK, linewidth=0.8, alpha=0.6, linestyle=(0, (2, 2)))


def _describe(offers: pd.DataFrame, task: str, lines: Sequence[Line]) -> str:
    if not len(offers):
        return f"No offer of {task} was evaluated."
    positives = offers[POSITIVES]
    means = (
        f"{line.title} {format_wauc(wauc(offers[line.model].to_numpy(), positives.to_numpy()), 3)}"
        for line in lines
    )
    return (
        f"AUC of {len(offers):,} offers of {task} against their positives "
        f"({positives.min():,} to {positives.max():,}). "
        f"Mean weighted by positives: {', '.join(means)}."
    )

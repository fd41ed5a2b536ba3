"""Training curves: loss and AUC of every model by epoch."""

from collections.abc import Iterable, Mapping, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from offerbench.report.inline_svg import (
    MARKERS,
    SERIES,
    SETTINGS,
    Line,
    Panel,
    draw_line,
    inline_svg,
    new_axes,
)
from offerbench.report.tables import short_title, single_models

Curves = Mapping[str, Sequence[Mapping[str, float]]]
"""Rows of each model: epoch, train_loss, train_auc, validation_loss, validation_auc."""

FIGURES = {
    "validation_auc": "AUC of the pairs, validation users",
    "train_auc": "AUC of the pairs, training users",
    "validation_loss": "Loss, validation users",
    "train_loss": "Loss, training users",
}
SIZE = (5.0, 3.3)
FIRST_SPECIALIST = 2  # slot of its colour; before it the single models


def curve_lines(models: Iterable[str]) -> list[Line]:
    """Give each model a colour and a marker; colours repeat only with another marker."""
    models = list(models)
    single = single_models(models)
    slots = {name: index % FIRST_SPECIALIST for index, name in enumerate(single)}
    for index, name in enumerate(name for name in models if name not in slots):
        slots[name] = FIRST_SPECIALIST + index % (len(SERIES) - FIRST_SPECIALIST)
    markers = list(MARKERS)
    return [
        Line(name, short_title(name), slots[name], markers[index % len(markers)])
        for index, name in enumerate(models)
    ]


def curve_panels(curves: Curves) -> list[Panel]:
    """Draw AUC and loss of all models, of the validation and of the training users, a figure for each."""
    lines = curve_lines(curves)
    return [_panel(curves, column, title, lines) for column, title in FIGURES.items()]


def _panel(curves: Curves, column: str, title: str, lines: Sequence[Line]) -> Panel:
    measure = column.rpartition("_")[2]
    with matplotlib.rc_context(SETTINGS):
        figure, axes = new_axes(*SIZE)
        _set_up(axes, "AUC" if measure == "auc" else measure)
        axes.set_ylim(*_limits(curves, measure))
        for line in reversed(lines):  # the first models above the others
            rows = curves[line.model]
            draw_line(axes, line, [row["epoch"] for row in rows], [row[column] for row in rows])
    ends = (f"{line.title} {_from_to(curves[line.model], column)}" for line in lines)
    description = f"{title}, by epoch, first to last: {'; '.join(ends)}."
    return Panel(title, inline_svg(figure, f"curve-{column}", description))


def _set_up(axes: Axes, measure: str) -> None:
    axes.set_xlabel("epoch")
    axes.set_ylabel(measure)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _limits(curves: Curves, measure: str) -> tuple[float, float]:
    """Give one range for the training and the validation figure, so that they can be compared by eye."""
    values = [
        row[f"{users}_{measure}"]
        for rows in curves.values()
        for row in rows
        for users in ("train", "validation")
    ]
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = 0.04 * (high - low) or 0.01
    return low - margin, high + margin


def _from_to(rows: Sequence[Mapping[str, float]], column: str) -> str:
    return f"{rows[0][column]:.3f} to {rows[-1][column]:.3f}" if rows else "no epoch"

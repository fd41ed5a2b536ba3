"""Training curves: loss and AUC of every trained row by epoch."""

from collections.abc import Sequence

import matplotlib
import pandas as pd
from matplotlib.ticker import MaxNLocator

from offerbench.core.columns import MODEL
from offerbench.core.rows import Row
from offerbench.report.inline_svg import (
    SETTINGS,
    Line,
    Panel,
    draw_line,
    inline_svg,
    new_axes,
    numbered_lines,
)
from offerbench.report.training_logs import EPOCH

FIGURES = {
    "validation_auc": "AUC of the pairs, validation users",
    "train_auc": "AUC of the pairs, training users",
    "validation_loss": "Loss, validation users",
    "train_loss": "Loss, training users",
}
SIZE = (5.0, 3.3)


def curve_lines(rows: Sequence[Row]) -> list[Line]:
    """Give each row a colour and a marker; colours repeat only with another marker."""
    return numbered_lines({row.name: row.short_title for row in rows})


def curve_panels(curves: pd.DataFrame, rows: Sequence[Row]) -> list[Panel]:
    """Draw AUC and loss of the rows, of the validation and of the training users, a figure for each.

    Parameters
    ----------
    curves : DataFrame
        model, epoch, train_loss, train_auc, validation_loss, validation_auc.
    rows : sequence of Row
        Those to draw.
    """
    lines = curve_lines(rows)
    return [_panel(curves, column, title, lines) for column, title in FIGURES.items()]


def _panel(curves: pd.DataFrame, column: str, title: str, lines: Sequence[Line]) -> Panel:
    measure = column.rpartition("_")[2]
    of_lines = [curves[curves[MODEL] == line.model] for line in lines]
    with matplotlib.rc_context(SETTINGS):
        figure, axes = new_axes(*SIZE)
        axes.set(xlabel="epoch", ylabel={"auc": "AUC"}.get(measure, measure), ylim=_limits(curves, measure))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        for line, epochs in reversed(list(zip(lines, of_lines, strict=True))):  # the first above the others
            draw_line(axes, line, epochs[EPOCH].tolist(), epochs[column].tolist())
    ends = (
        f"{line.title} {_from_to(epochs[column].tolist())}"
        for line, epochs in zip(lines, of_lines, strict=True)
    )
    description = f"{title}, by epoch, first to last: {'; '.join(ends)}."
    return Panel(title, inline_svg(figure, f"curve-{column}", description))


def _limits(curves: pd.DataFrame, measure: str) -> tuple[float, float]:
    """Give one range for the training and the validation figure, so that they can be compared by eye."""
    if not len(curves):
        return 0.0, 1.0
    values = curves[[f"train_{measure}", f"validation_{measure}"]].to_numpy(float)
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 0.01
    return low - margin, high + margin


def _from_to(values: Sequence[float]) -> str:
    return f"{values[0]:.3f} to {values[-1]:.3f}" if values else "no epoch"

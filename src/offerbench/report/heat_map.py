"""The result table as a picture."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # before pyplot: no window system is asked for

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from offerbench.evaluation.results import Wauc
from offerbench.report.colours import LOWEST, highest_shade, ink, shade
from offerbench.report.tables import SEGMENT_TITLES, format_half_width, format_wauc, model_title

INCHES_PER_MODEL = 0.42
INCHES_AROUND = 1.3  # title and names of the tasks


def draw_heat_map(wauc: Wauc, decimals: int, target: Path, intervals: Wauc | None = None) -> None:
    """Draw wAUC of model by task, one panel for each segment, as a PNG without a time stamp.

    Parameters
    ----------
    wauc : nested mapping
        wAUC by segment, task and model.
    decimals : int
        Digits of a wAUC.
    target : Path
        The PNG file to write.
    intervals : nested mapping, optional
        Half widths of the intervals, nested like `wauc`; stand small under the values.
    """
    models = list(next(iter(next(iter(wauc.values())).values())))
    size = (15, INCHES_AROUND + INCHES_PER_MODEL * len(models))
    figure, axes = plt.subplots(1, len(wauc), figsize=size, sharey=True, layout="constrained")
    highest = highest_shade(wauc)
    for axis, (segment, tasks) in zip(np.atleast_1d(axes), wauc.items(), strict=True):
        values = np.array([[tasks[task][name] for task in tasks] for name in models], float)
        image = axis.imshow(values, vmin=LOWEST, vmax=highest, cmap="viridis", aspect="auto")
        axis.set_xticks(range(len(tasks)), list(tasks), rotation=35, ha="right")
        axis.set_yticks(range(len(models)), [model_title(name) for name in models])
        axis.set_title(SEGMENT_TITLES[segment])
        for row, name in enumerate(models):
            for column, task in enumerate(tasks):
                half_width = intervals[segment][task][name] if intervals else None
                _write_value(axis, row, column, tasks[task][name], half_width, decimals, highest)
    figure.colorbar(image, ax=axes, label="wAUC on test users", shrink=0.9)
    figure.savefig(target, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)


def _write_value(
    axis: Axes,
    row: int,
    column: int,
    value: float | None,
    half_width: float | None,
    decimals: int,
    highest: float,
) -> None:
    colour = "black" if value is None else ink(shade(value, highest))
    middle: dict[str, Any] = {"ha": "center", "va": "center", "color": colour}
    above = 0.0 if half_width is None else 0.14
    axis.text(column, row - above, format_wauc(value, decimals), fontsize=9, **middle)
    if half_width is not None:
        axis.text(column, row + 0.26, format_half_width(half_width, decimals), fontsize=6.5, **middle)

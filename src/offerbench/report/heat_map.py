"""The result table as a picture."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # before pyplot: no window system is asked for

import matplotlib.pyplot as plt
import numpy as np

from offerbench.evaluation.results import Wauc
from offerbench.report.tables import SEGMENT_TITLES, format_wauc, model_title


def draw_heat_map(wauc: Wauc, decimals: int, target: Path) -> None:
    """Draw wAUC of model by task, one panel for each segment, as a PNG without a time stamp."""
    figure, axes = plt.subplots(1, len(wauc), figsize=(15, 4.6), sharey=True, layout="constrained")
    for axis, (segment, tasks) in zip(np.atleast_1d(axes), wauc.items(), strict=True):
        names = list(next(iter(tasks.values())))
        values = np.array([[tasks[task][name] for task in tasks] for name in names], float)
        image = axis.imshow(values, vmin=0.5, vmax=0.75, cmap="viridis", aspect="auto")
        axis.set_xticks(range(len(tasks)), list(tasks), rotation=35, ha="right")
        axis.set_yticks(range(len(names)), [model_title(name) for name in names])
        axis.set_title(SEGMENT_TITLES[segment])
        for (row, column), value in np.ndenumerate(values):
            text = format_wauc(None if np.isnan(value) else float(value), decimals)
            colour = "black" if value > 0.66 else "white"
            axis.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
    figure.colorbar(image, ax=axes, label="wAUC on test users", shrink=0.9)
    figure.savefig(target, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)

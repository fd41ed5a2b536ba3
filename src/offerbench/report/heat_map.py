"""The result table as a picture."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # before pyplot: no window system is asked for

import matplotlib.pyplot as plt
import pandas as pd
import seaborn

from offerbench.core.columns import HALF_WIDTH, MODEL, SEGMENT, TASK, WAUC
from offerbench.report.colours import COLOURS, INK, MIN_SHADE, NO_OFFER, highest_shade
from offerbench.report.tables import SEGMENT_TITLES, format_half_width, format_wauc, wide

INCHES_PER_MODEL = 0.42
INCHES_PER_TASK = 0.7
INCHES_AROUND = (3.6, 1.5)  # names of the models and colour bar; title and names of the tasks


def draw_heat_map(table: pd.DataFrame, titles: Mapping[str, str], decimals: int, target: Path) -> None:
    """Draw wAUC of model by task, a panel for each segment, as a PNG without a time stamp.

    Parameters
    ----------
    table : DataFrame
        segment, task, model, wauc, half_width.
    titles : mapping of str to str
        What a model is called.
    decimals : int
        Digits of a wAUC.
    target : Path
        The PNG file to write.
    """
    segments = list(table.groupby(SEGMENT, sort=False))
    width = INCHES_AROUND[0] + INCHES_PER_TASK * table[TASK].nunique() * len(segments)
    height = INCHES_AROUND[1] + INCHES_PER_MODEL * table[MODEL].nunique()
    figure, axes = plt.subplots(
        1, len(segments), figsize=(width, height), sharey=True, squeeze=False, layout="constrained"
    )
    for axis, (segment, of_segment) in zip(axes.flat, segments, strict=True):
        values, widths = wide(of_segment, WAUC), wide(of_segment, HALF_WIDTH)
        seaborn.heatmap(
            values.rename(index=titles),
            annot=values.map(format_wauc, decimals=decimals)
            + "\n"
            + widths.map(format_half_width, decimals=decimals),
            fmt="",
            annot_kws={"fontsize": 7.5, "color": INK},
            cmap=COLOURS,
            vmin=MIN_SHADE,
            vmax=highest_shade(table),
            linewidths=0.5,
            cbar=False,
            ax=axis,
        )
        axis.set(title=SEGMENT_TITLES[str(segment)], xlabel="", ylabel="", facecolor=NO_OFFER)
        axis.tick_params(length=0)
        plt.setp(axis.get_xticklabels(), rotation=35, ha="right", rotation_mode="anchor")
    figure.colorbar(axes.flat[0].collections[0], ax=axes, label="wAUC", shrink=0.9)
    figure.savefig(target, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)

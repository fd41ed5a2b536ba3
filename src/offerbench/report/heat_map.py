"""The result table as a picture."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # before pyplot: no window system is asked for

import matplotlib.pyplot as plt
import seaborn
from matplotlib.axes import Axes

from offerbench.core.columns import HALF_WIDTH, SEGMENT, TASK, WAUC
from offerbench.core.rows import Row
from offerbench.report.colours import COLOURS, INK, MIN_SHADE, NO_OFFER, highest_shade
from offerbench.report.measures import MEASURE_TITLES, MeasureResults, names_not_ranked
from offerbench.report.numbers import format_half_width, format_wauc
from offerbench.report.tables import SEGMENT_TITLES, set_apart, wide

INCHES_PER_MODEL = 0.42
INCHES_PER_TASK = 0.7
INCHES_PER_LETTER = 0.075  # of the names of the models
INCHES_AROUND = (1.4, 1.8)  # colour bar; titles and names of the tasks


def draw_heat_map(results: MeasureResults, rows: Sequence[Row], decimals: int, target: Path) -> None:
    """Draw wAUC of model by task, a panel for each segment, as a PNG without a time stamp.

    Parameters
    ----------
    results : MeasureResults
        By one measure.
    rows : sequence of Row
        What the models are called, and which are not ranked.
    decimals : int
        Digits of a wAUC.
    target : Path
        The PNG file to write.
    """
    table, titles, not_ranked = results.wauc, {row.name: row.title for row in rows}, names_not_ranked(rows)
    segments, highest = list(table.groupby(SEGMENT, sort=False)), highest_shade(table)
    names = set_apart(wide(segments[0][1], WAUC), not_ranked).index
    letters = max(len(titles[name]) for name in names)
    width = INCHES_AROUND[0] + INCHES_PER_LETTER * letters
    width += INCHES_PER_TASK * table[TASK].nunique() * len(segments)
    height = INCHES_AROUND[1] + INCHES_PER_MODEL * len(names)
    figure, axes = plt.subplots(
        1, len(segments), figsize=(width, height), sharey=True, squeeze=False, layout="constrained"
    )
    for axis, (segment, of_segment) in zip(axes.flat, segments, strict=True):
        values, widths = (set_apart(wide(of_segment, column), not_ranked) for column in (WAUC, HALF_WIDTH))
        seaborn.heatmap(
            values.rename(index=titles),
            annot=values.map(format_wauc, decimals=decimals)
            + "\n"
            + widths.map(format_half_width, decimals=decimals),
            fmt="",
            annot_kws={"fontsize": 7.5, "color": INK},
            cmap=COLOURS,
            vmin=MIN_SHADE,
            vmax=highest,
            linewidths=0.5,
            cbar=False,
            ax=axis,
        )
        axis.set(title=SEGMENT_TITLES[str(segment)], xlabel="", ylabel="", facecolor=NO_OFFER)
        axis.tick_params(length=0)
        plt.setp(axis.get_xticklabels(), rotation=35, ha="right", rotation_mode="anchor")
        _set_apart(axis, len(names), sum(name in not_ranked for name in names))
    figure.suptitle(
        f"wAUC, {MEASURE_TITLES[results.measure][0].lower()}{MEASURE_TITLES[results.measure][1:]}"
    )
    figure.colorbar(axes.flat[0].collections[0], ax=axes, label="wAUC", shrink=0.9)
    figure.savefig(target, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)


def _set_apart(axis: Axes, rows: int, below: int) -> None:
    """Draw a line above the last rows, and write these in italics."""
    if below:
        axis.axhline(rows - below, color=INK, linewidth=1.6)
        cells = [text for text in axis.texts if text.get_position()[1] > rows - below]
        plt.setp([*axis.get_yticklabels()[-below:], *cells], fontstyle="italic")

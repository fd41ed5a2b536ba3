"""AUC of each offer against its popularity."""

from collections.abc import Sequence

import matplotlib
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from offerbench.report.inline_svg import (
    INK,
    MARKERS,
    SERIES,
    SETTINGS,
    Line,
    Panel,
    draw_line,
    inline_svg,
    new_axes,
)
from offerbench.report.tables import format_wauc, short_title, single_models
from offerbench.schema import HISTORY_AFFINITY, mono_model

POINT = "#7f8ea3"  # visible on a dark and on a light page: points are pixels, they can't change
SIZE = (4.3, 3.1)
LEAST_POSITIVES = 30


def popularity_lines(task: str, models: Sequence[str]) -> list[Line]:
    """Give the series of a task's figure: the single models, the specialist and the affinity."""
    single = single_models(models)
    wanted = [*single, mono_model(task), HISTORY_AFFINITY]
    slots = [*range(len(single)), 2, len(SERIES) - 1]
    titles = [*map(short_title, single), "specialist", short_title(HISTORY_AFFINITY)]
    markers = [*list(MARKERS)[: len(single)], "^", "D"]
    lines = zip(wanted, titles, slots, markers, strict=True)
    return [Line(*line) for line in lines if line[0] in models]


def means_by_popularity(
    positives: npt.NDArray[np.int64], auc: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give the mean AUC, weighted by positives, of the offers with 1, 2-3, 4-7, 8-15, ... positives.

    A class of offers that has fewer than `LEAST_POSITIVES` together is left out: its mean is mostly chance.

    Parameters
    ----------
    positives, auc : ndarray
        Positives (at least 1) and AUC of each offer. Shape (offers,).

    Returns
    -------
    middle : ndarray of float64
        Geometric mean of the positives of each class that is shown. Shape (classes,).
    mean : ndarray of float64
        Mean AUC of the class. Shape (classes,).
    """
    classes = np.floor(np.log2(positives)).astype(np.int64)
    offers = np.bincount(classes)
    total = np.bincount(classes, positives)
    shown = total >= LEAST_POSITIVES
    middle = np.exp2(np.bincount(classes, np.log2(positives))[shown] / offers[shown])
    mean = np.bincount(classes, auc * positives)[shown] / total[shown]
    return middle, mean


def popularity_panels(offers: pd.DataFrame, tasks: Sequence[str], models: Sequence[str]) -> list[Panel]:
    """Draw one figure for each task.

    Parameters
    ----------
    offers : DataFrame
        One row for each evaluated offer: task, positives and an AUC column for each model.
    tasks, models : sequence of str
        Tasks and models, in the order of the tables.
    """
    return [_panel(offers[offers["task"] == task], task, popularity_lines(task, models)) for task in tasks]


def _panel(offers: pd.DataFrame, task: str, lines: Sequence[Line]) -> Panel:
    positives = offers["positives"].to_numpy(np.int64)
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
    axes.set_xlabel("positives of the offer")
    axes.set_ylabel("AUC")
    axes.set_ylim(-0.02, 1.02)
    axes.axhline(0.5, color=INK, linewidth=0.8, alpha=0.6, linestyle=(0, (2, 2)))


def _describe(offers: pd.DataFrame, task: str, lines: Sequence[Line]) -> str:
    if not len(offers):
        return f"No offer of {task} was evaluated."
    means = (
        f"{line.title} {format_wauc(np.average(offers[line.model], weights=offers['positives']), 3)}"
        for line in lines
    )
    return (
        f"AUC of {len(offers):,} offers of {task} against their positives "
        f"({offers['positives'].min():,} to {offers['positives'].max():,}). "
        f"Mean weighted by positives: {', '.join(means)}."
    )

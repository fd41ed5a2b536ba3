"""Gain curves and calibration of the backtest as a picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # before pyplot: no window system is asked for

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FormatStrFormatter, NullFormatter

from offerbench.campaigns.rows import CampaignRow

SIZE = (3.4, 3.1)
COLOURS = dict(zip(CampaignRow, plt.get_cmap("tab10").colors, strict=False))  # type: ignore[attr-defined]


def draw_campaigns(curves: Mapping[str, Any], target: Path) -> None:
    """Draw a gain curve and a calibration plot of each task, as a PNG without a time stamp.

    Parameters
    ----------
    curves : mapping
        Of metrics/campaign_curves.json.
    target : Path
        The PNG file to write.
    """
    tasks = list(curves["gains"])
    columns = max(len(tasks), 1)
    figure, axes = plt.subplots(
        2, columns, figsize=(SIZE[0] * columns, SIZE[1] * 2), squeeze=False, layout="constrained"
    )
    for place, task in enumerate(tasks):
        _gain(axes[0, place], task, curves["users"], curves["gains"][task])
        _calibration(axes[1, place], curves["calibration"][task])
    if tasks:
        lines, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(lines, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    figure.savefig(target, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)


def _gain(axes: Axes, task: str, users: list[float], gains: Mapping[str, list[float]]) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle=":")
    for row, values in gains.items():
        bold = row == CampaignRow.CAMPAIGN
        heading = CampaignRow(row).heading
        axes.plot(users, values, color=COLOURS[CampaignRow(row)], linewidth=2 if bold else 1, label=heading)
    axes.set(title=task, xlabel="users, best first", ylabel="buyers reached", xlim=(0, 1), ylim=(0, 1))


def _calibration(axes: Axes, bins: Mapping[str, Mapping[str, list[float]]]) -> None:
    every = [
        value
        for found in bins.values()
        for values in found.values()
        for value in values
        if value and value > 0
    ]
    low, high = (min(every), max(every)) if every else (0.01, 1.0)
    axes.plot([low, high], [low, high], color="grey", linewidth=0.8, linestyle=":")
    for row, found in bins.items():
        axes.plot(
            found["expected"], found["actual"], marker=".", linewidth=1, color=COLOURS[CampaignRow(row)]
        )
    axes.set(xscale="log", yscale="log", xlabel="chance", ylabel="part that bought")
    for axis in (axes.xaxis, axes.yaxis):  # powers of ten would need a font for mathematics
        axis.set_major_formatter(FormatStrFormatter("%g"))
        axis.set_minor_formatter(NullFormatter())

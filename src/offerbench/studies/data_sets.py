"""A table of data sets: how large each is, and the mean wAUC of the rows that matter on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from tabulate import tabulate

from offerbench.core.columns import MODEL, SEGMENT, TASK, WAUC
from offerbench.core.rows import AUGMENTED_MODEL, BOOSTED_MODEL, FULL_MODEL, Role, table_rows
from offerbench.report.headline import headline_rows
from offerbench.report.numbers import format_wauc

COLUMNS = {
    FULL_MODEL: "full",
    AUGMENTED_MODEL: "augmented",
    BOOSTED_MODEL: "boosted",
    str(Role.SPECIALIST): "specialist",
    str(Role.YARDSTICK): "best untrained",
    str(Role.PEER): "best peer",
}
"""Heading of each row of the headline that is shown, here a column."""


@dataclass(frozen=True)
class DataSet:
    """What a run of the pipeline said of a data set."""

    title: str
    counts: Mapping[str, Any]
    """Of metrics/prepare.json."""
    wauc: pd.DataFrame
    """segment, task, model, wauc."""


def data_sets_markdown(data_sets: Iterable[DataSet], decimals: int) -> str:
    """Tabulate data sets: rows, events, users, tasks, mean wAUC over the tasks, all offers.

    Of untrained rows and peers, the best one of each task counts. The best of a line is bold.
    """
    lines = [_line(data_set, decimals) for data_set in data_sets]
    headings = ["data set", "rows", "target events", "users", "tasks", *COLUMNS.values()]
    return tabulate(lines, headings, tablefmt="github", disable_numparse=True)


def _line(data_set: DataSet, decimals: int) -> list[str]:
    table = data_set.wauc[data_set.wauc[SEGMENT] == "all"]
    tasks = list(table[TASK].unique())
    rows = headline_rows(table, table_rows(tasks))
    means = rows.groupby(MODEL)[WAUC].mean().reindex(list(COLUMNS))
    counts = data_set.counts
    sizes = (counts["rows"], counts["target_events"], sum(counts["users"].values()), len(tasks))
    cells = [format_wauc(mean, decimals) for mean in means]
    bold = [f"**{cell}**" if mean == means.max() else cell for cell, mean in zip(cells, means, strict=True)]
    return [data_set.title, *(f"{size:,}" for size in sizes), *bold]

"""Tables of the page as plain values: what stands in a cell, how it sorts and what it looks like."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from offerbench.report.colours import ink, shade
from offerbench.report.tables import (
    AHEAD,
    BEHIND,
    RIVAL_TITLES,
    TaskGaps,
    Values,
    best_values,
    format_gap,
    format_half_width,
    format_wauc,
    gap_mark,
    model_title,
    short_title,
)
from offerbench.schema import VALUE, mono_model

MARK_WORDS = {AHEAD: "ahead", BEHIND: "behind", "": ""}


@dataclass(frozen=True)
class Cell:
    """One cell of a table."""

    text: str
    number: float | str | None = None
    """What a number cell is sorted by, empty where a value is missing; None in a cell of words."""
    small: str = ""
    mark: str | None = None
    """Empty where a mark could stand."""
    best: bool = False
    specialist: bool = False
    background: str = ""
    ink: str = ""

    @property
    def mark_word(self) -> str:
        """The mark, for readers who don't see it."""
        return MARK_WORDS[self.mark or ""]


@dataclass(frozen=True)
class HtmlTable:
    """A table; the first cell of a row is the row's header."""

    name: str
    caption: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    sortable: bool = True


def count_cell(value: Any) -> Cell:
    """Cell of a count, with separators, or of a share, or of words."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Cell(str(value))
    return Cell(f"{value:,}" if isinstance(value, int) else f"{value:.4f}", number=value)


def wauc_cell(value: float | None, decimals: int) -> Cell:
    """Cell of a wAUC or an AUC, without colour."""
    return Cell(format_wauc(value, decimals), number="" if value is None else value)


def wauc_html(segment: str, values: Values, half_widths: Values, decimals: int, highest: float) -> HtmlTable:
    """Heat map of one segment: a row for each model, a column for each task."""
    best = best_values(values)
    rows = []
    for model in next(iter(values.values())):
        row = [Cell(model_title(model))]
        for task in values:
            value = values[task][model]
            background = "" if value is None else shade(value, highest)
            cell = Cell(
                format_wauc(value, decimals),
                number="" if value is None else value,
                small=format_half_width(half_widths[task][model], decimals),
                best=value == best[task] is not None,
                specialist=model == mono_model(task),
                background=background,
                ink=ink(background) if background else "",
            )
            row.append(cell)
        rows.append(row)
    return HtmlTable(f"wauc-{segment}", "wAUC of model by task", ["model", *values], rows)


def gap_html(segment: str, gaps: TaskGaps, model: str, decimals: int) -> HtmlTable:
    """Gaps of one single model in one segment: a row for each task, a column for each rival."""
    rows = []
    for task, by_model in gaps.items():
        row = [Cell(task)]
        for rival in RIVAL_TITLES:
            gap = by_model[model][rival]
            text, _, small = format_gap(gap, decimals).partition(" ")
            number = "" if gap is None else gap["gap"]
            row.append(Cell(text, number=number, small=small, mark=gap_mark(gap)))
        rows.append(row)
    caption = f"Gaps of the {short_title(model)}"
    return HtmlTable(f"gaps-{segment}-{model}", caption, ["task", *RIVAL_TITLES.values()], rows)


def largest_offers_html(
    offers: pd.DataFrame, task: str, models: Mapping[str, str], count: int, decimals: int
) -> HtmlTable:
    """AUC of the offers of a task that have most positives; `models` are columns with their titles."""
    shown = (
        offers[offers["task"] == task].sort_values("positives", ascending=False, kind="stable").head(count)
    )
    rows = [
        [
            Cell(str(offer[VALUE])),
            count_cell(int(offer["positives"])),
            *(wauc_cell(float(offer[model]), decimals) for model in models),
        ]
        for offer in shown.to_dict("records")
    ]
    headers = [task, "positives", *models.values()]
    return HtmlTable(f"offers-{task}", f"{task}: offers with most positives", headers, rows)


def nested_counts_html(name: str, caption: str, corner: str, counts: Mapping[str, Any]) -> HtmlTable:
    """Tabulate counts: a row for each key of `counts`, a column for each key within."""
    columns = list(dict.fromkeys(key for row in counts.values() for key in row))
    rows = [[Cell(str(key)), *_cells(row, columns)] for key, row in counts.items()]
    return HtmlTable(name, caption, [corner, *map(words, columns)], rows)


def _cells(row: Mapping[str, Any], columns: Iterable[str]) -> list[Cell]:
    return [count_cell(row[key]) if key in row else Cell("-", number="") for key in columns]


def words(key: str) -> str:
    """`events_kept` as words."""
    return key.replace("_", " ")

"""Tables of the page, by pandas' Styler: text in cells, colours of wAUC, classes for the style sheet."""

import re
from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from pandas.io.formats.style import Styler

from offerbench.core.columns import (
    COMPARED_WITH,
    GAP,
    HALF_WIDTH,
    POSITIVES,
    TASK,
    VALUE,
    WAUC,
)
from offerbench.core.rows import Row
from offerbench.report.colours import COLOURS, MIN_SHADE
from offerbench.report.inline_svg import Line
from offerbench.report.numbers import format_difference, format_half_width, format_wauc
from offerbench.report.tables import (
    AHEAD,
    LOST,
    best_cells,
    gap_marks,
    named_others,
    other_title,
    set_apart,
    wide,
)

NUMBER = "number"
"""Class of cells that are sorted by their number and aligned to the right."""
APART = "apart"
"""Class of the cells of a row that stays below the others however these are sorted."""
MARKS = {
    "": '<span class="mark"></span>',
    AHEAD: f'<span class="mark" role="img" aria-label="ahead" title="ahead">{AHEAD}</span>',
    LOST: f'<span class="mark" role="img" aria-label="lost" title="lost">{LOST}</span>',
}


def html_table(
    name: str,
    caption: str,
    corner: str,
    cells: pd.DataFrame,
    classes: pd.DataFrame | str = "",
    shades: tuple[pd.DataFrame, float] | None = None,
    sortable: bool = True,
) -> Markup:
    """Write a table in a box that scrolls by itself.

    Parameters
    ----------
    name : str
        Unique in the page, of letters, digits, `_` and `-`: the table's identifier is `T_<name>`.
    caption, corner : str
        Its caption, and the header of the row headers. Any text.
    cells : DataFrame
        HTML of the cells, text of it escaped already. Row and column names may be any text.
    classes : DataFrame of str, or str
        Classes of the cells, for the style sheet.
    shades : (DataFrame, float), optional
        Numbers to colour the cells by, and the number that has the last colour.
    sortable : bool
        Whether headers sort it.
    """
    cells = cells.rename_axis(index=None, columns=escape(corner))
    if isinstance(classes, str):
        classes = pd.DataFrame(classes, cells.index, cells.columns)
    styler = Styler(cells, uuid=name, cell_ids=False, caption=escape(caption)).set_td_classes(classes)
    styler.format_index(lambda text: breakable(escape(str(text))), axis="index")
    styler.format_index(escape="html", axis="columns")
    if shades is not None:
        numbers, highest = shades
        styler.background_gradient(  # the colours are light: all text is black
            COLOURS, axis=None, gmap=numbers, vmin=MIN_SHADE, vmax=highest, text_color_threshold=0
        )
    text = styler.to_html(table_attributes='class="sortable"' if sortable else "")
    for kind, scope in (("index_name", "col"), ("col_heading", "col"), ("row_heading", "row")):
        text = text.replace(f'<th class="{kind}', f'<th scope="{scope}" class="{kind}')
    box = f'<div class="scroll" role="region" aria-label="{escape(caption)}" tabindex="0">'
    return Markup(f"{box}\n{text}</div>")


def breakable(text: str) -> str:
    """Let a line end after the underscores and dots of an escaped name."""
    return re.sub(r"([_.])(?=[a-z])", r"\1<wbr>", text)


def wauc_html(
    name: str,
    table: pd.DataFrame,
    rows: Sequence[Row],
    not_ranked: Collection[str],
    decimals: int,
    highest: float,
) -> Markup:
    """Heat map of one segment: a row for each model, a column for each task.

    Parameters
    ----------
    name : str
        Of the measure and the segment, unique in the page.
    table : DataFrame
        task, model, wauc, half_width of the segment.
    rows : sequence of Row
        What the models are called, and which is the specialist of which task.
    not_ranked : collection of str
        Models that are never the best: they stay below the others.
    decimals : int
        Digits of a wAUC.
    highest : float
        wAUC that has the last colour.
    """
    titles = {row.name: row.title for row in rows}
    specialists = {(row.name, row.task) for row in rows}
    values, widths = (set_apart(wide(table, column), not_ranked) for column in (WAUC, HALF_WIDTH))
    texts, small = values.map(format_wauc, decimals=decimals), widths.map(_small, decimals=decimals)
    cells = texts.mask(best_cells(values, not_ranked), "<strong>" + texts + "</strong>") + small

    def classes_of(task: "pd.Series[float]") -> list[str]:
        return [
            NUMBER + " specialist" * ((model, task.name) in specialists) + f" {APART}" * (model in not_ranked)
            for model in task.index
        ]

    classes = values.apply(classes_of)
    cells, classes, values = (frame.rename(index=titles) for frame in (cells, classes, values))
    return html_table(f"wauc-{name}", "wAUC of model by task", "model", cells, classes, (values, highest))


def gap_html(name: str, gaps: pd.DataFrame, rows: Sequence[Row], model: Row, decimals: int) -> Markup:
    """Gaps of one model in one segment: a row for each task, a column for each role it is compared with.

    Where that is not the task's specialist, the header names the best row of the role, or a column does
    if it is not the same for all tasks.

    Parameters
    ----------
    name : str
        Of the measure and the segment, unique in the page.
    gaps : DataFrame
        From `gap_table`, of this model and segment.
    rows : sequence of Row
        What the other models are called.
    model : Row
        The model.
    decimals : int
        Digits of a gap.
    """
    titles = {row.name: row.short_title for row in rows}
    texts = gaps[GAP].map(lambda gap: format_difference(gap, decimals))
    texts += gaps[HALF_WIDTH].map(lambda width: _small(width, decimals)) + " " + gap_marks(gaps).map(MARKS)
    others = {role: names.map(titles) for role, names in named_others(gaps).items()}
    columns: dict[str, pd.Series] = {}
    for key, of_role in gaps.assign(text=texts).set_index(TASK).groupby(COMPARED_WITH, sort=False):
        role, names = str(key), others.get(str(key))
        columns[f"to {other_title(role, names)}"] = of_role["text"]
        if names is not None and names.nunique() > 1:
            columns[f"best {role}"] = names.map(escape).reindex(of_role.index, fill_value="-")
    cells = pd.DataFrame(columns)
    classes = cells.apply(lambda column: [NUMBER if str(column.name).startswith("to ") else ""] * len(column))
    caption = f"Gaps of the {model.short_title}"
    return html_table(f"gaps-{name}-{model.name}", caption, "task", cells, classes)


def largest_offers_html(
    offers: pd.DataFrame, task: str, lines: Sequence[Line], count: int, decimals: int
) -> Markup:
    """AUC of the offers of a task that have most positives; a column for each line of the task's figure."""
    shown = offers[offers[TASK] == task].sort_values(POSITIVES, ascending=False, kind="stable").head(count)
    shown = shown.set_index(VALUE)
    titles = {line.model: line.title for line in lines}
    cells = shown[list(titles)].map(format_wauc, decimals=decimals).rename(columns=titles)
    cells.insert(0, POSITIVES, shown[POSITIVES].map("{:,}".format))
    return html_table(f"offers-{task}", f"{task}: offers with most positives", task, cells, NUMBER)


def counts_html(
    name: str, caption: str, corner: str, counts: Mapping[str, Mapping[str, Any]], sortable: bool = True
) -> Markup:
    """Tabulate counts, shares and words: a row for each key of `counts`, a column for each key within."""
    values = pd.DataFrame([pd.Series(row, dtype=object) for row in counts.values()], index=list(counts))
    values = values.rename(columns=words)
    classes = values.map(lambda value: NUMBER if _is_number(value) else "")
    cells = values.map(lambda value: escape(_count(value)))
    return html_table(name, caption, corner, cells, classes, sortable=sortable)


def words(key: str) -> str:
    """`events_kept` as words."""
    return key.replace("_", " ")


def _small(half_width: float, decimals: int) -> str:
    text = format_half_width(half_width, decimals)
    return f" <small>{text}</small>" if text else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _count(value: object) -> str:
    """Write a count with separators, a share with four digits, a dash where there is none, words as such."""
    if isinstance(value, float):
        return "-" if np.isnan(value) else f"{value:.4f}"
    return f"{value:,}" if _is_number(value) else str(value)

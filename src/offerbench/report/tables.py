"""wAUC and its gaps as text, and as tables in Markdown."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from offerbench.core.columns import COMPARED_WITH, GAP, HALF_WIDTH, MODEL, OTHER, SEGMENT, TASK, WAUC
from offerbench.core.rows import CEILINGS, Row
from offerbench.evaluation.config import Evaluate
from offerbench.evaluation.results import SPECIALIST, is_certain, summary_table
from offerbench.report.config import Report
from offerbench.report.measures import (
    CEILING_NOTE,
    MEASURE_MEANINGS,
    MEASURE_TITLES,
    MeasureResults,
    names_not_ranked,
)
from offerbench.report.numbers import format_difference, format_half_width, format_wauc

SEGMENT_TITLES = {"all": "All offers", "popular": "Popular offers", "cold_start": "Cold start"}
AHEAD, LOST = "▲", "▼"
INTERVAL_NOTE = "± is half of the 95% interval: a bootstrap over the users."
MARK_NOTE = (
    f"{AHEAD} ahead, {LOST} lost: the 95% interval of the gap excludes 0. A gap without a mark may be chance."
)
NOT_RANKED = frozenset(CEILINGS)


def segment_meanings(evaluate: Evaluate) -> dict[str, str]:
    """Say which offers a segment holds."""
    positives = "positives"
    if isinstance(evaluate.popular_min_positives, float):
        positives = "of the positives of their task"
    popular, cold_start = map(_amount, (evaluate.popular_min_positives, evaluate.cold_start_min_positives))
    return {
        "all": "every offer of the vocabulary",
        "popular": f"offers with more than {popular} {positives}",
        "cold_start": f"offers with more than {cold_start} and at most {popular} {positives}",
    }


def _amount(amount: int | float) -> str:
    """Write a number as it is, a share in per cent."""
    return str(amount) if isinstance(amount, int) else f"{100 * amount:.6g}%"


def other_title(compared_with: str, others: "pd.Series[str] | None" = None) -> str:
    """Say in words what a gap is to: the specialist of a task, or the best row of another role.

    Parameters
    ----------
    compared_with : str
        The role.
    others : Series of str, optional
        What the best row is called in each task; it is named if that is the same in all.
    """
    if compared_with == SPECIALIST:
        return "the specialist"
    name = "" if others is None or others.nunique() != 1 else f", {others.iloc[0]}"
    return f"the best {compared_with}{name}"


def gap_marks(gaps: pd.DataFrame) -> pd.Series:
    """`AHEAD` or `LOST` where the interval of a gap excludes 0, else nothing; str, shape (gaps,)."""
    certain = is_certain(gaps)
    marks = np.select([certain & (gaps[GAP] > 0), certain & (gaps[GAP] < 0)], [AHEAD, LOST], "")
    return pd.Series(marks, gaps.index)


def mean_gaps(gaps: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Mean gap over the tasks of one segment, by model and what it is compared with."""
    means = summary_table(gaps).set_index(MODEL)
    pairs = gaps[[MODEL, COMPARED_WITH]].drop_duplicates().itertuples(index=False)
    return {(model, role): float(means[f"gap_to_{role}"][model]) for model, role in pairs}


def wide(table: pd.DataFrame, values: str, rows: str = MODEL, columns: str = TASK) -> pd.DataFrame:
    """Pivot a tidy table; rows and columns stay in their order of appearance."""
    pivoted = table.pivot(index=rows, columns=columns, values=values)
    return pivoted.reindex(index=table[rows].unique(), columns=table[columns].unique())


def named_others(gaps: pd.DataFrame) -> dict[str, "pd.Series[str]"]:
    """Name the best row of each role that gaps are to, by task; the task's own specialist needs no name.

    Parameters
    ----------
    gaps : DataFrame
        From `gap_table`, of one segment.

    Returns
    -------
    dict of Series
        By role; a task without offers in the segment is missing.
    """
    gaps = gaps[gaps[GAP].notna() & (gaps[COMPARED_WITH] != SPECIALIST)]
    return {
        str(role): of_role.drop_duplicates(TASK).set_index(TASK)[OTHER]
        for role, of_role in gaps.groupby(COMPARED_WITH, sort=False)
    }


def set_apart(values: pd.DataFrame, not_ranked: Collection[str]) -> pd.DataFrame:
    """Put the rows that are not ranked below the others."""
    is_ranked = ~values.index.isin(list(not_ranked))
    return pd.concat([values[is_ranked], values[~is_ranked]])


def best_cells(values: pd.DataFrame, not_ranked: Collection[str]) -> pd.DataFrame:
    """Whether a cell is the best of its column among the rows that are ranked; bool, shape of `values`."""
    ranked = values[~values.index.isin(list(not_ranked))]
    return ranked.eq(ranked.max()).reindex(values.index, fill_value=False)


def wauc_markdown(
    table: pd.DataFrame,
    titles: Mapping[str, str],
    decimals: int,
    not_ranked: Collection[str] = NOT_RANKED,
) -> str:
    """Tabulate one segment: a row for each model, a column for each task, the best of a column bold.

    Parameters
    ----------
    table : DataFrame
        task, model, wauc and, if they are known, half_width; of one segment.
    titles : mapping of str to str
        What a model is called; one that is missing is called by its name.
    decimals : int
        Digits of a wAUC.
    not_ranked : collection of str
        Models that are never the best: they come last, in italics.
    """
    values = set_apart(wide(table, WAUC), not_ranked)
    widths = set_apart(wide(table, HALF_WIDTH), not_ranked) if HALF_WIDTH in table else values * np.nan
    texts = (
        values.map(format_wauc, decimals=decimals) + " " + widths.map(format_half_width, decimals=decimals)
    )
    texts = texts.apply(lambda column: column.str.rstrip())
    texts = texts.mask(best_cells(values, not_ranked), "**" + texts + "**")
    lines = {name: [titles.get(name, name), *cells] for name, cells in _lines(texts)}
    italic = {name: [f"*{cell}*" for cell in lines[name]] for name in lines if name in not_ranked}
    return _markdown(["model \\ offers", *texts.columns], (lines | italic).values())


def gap_markdown(
    gaps: pd.DataFrame, titles: Mapping[str, str], decimals: int, with_mean: bool = False
) -> str:
    """Tabulate gaps of one segment: a row for each model and what it is compared with, a column a task.

    The best row of a role is named with the gaps to it, or in a row of its own if it is not the same for
    all tasks.

    Parameters
    ----------
    gaps : DataFrame
        From `gap_table`, of one segment.
    titles : mapping of str to str
        What a model is called; one that is missing is called by its name.
    decimals : int
        Digits of a gap.
    with_mean : bool
        Put the means over the tasks in a column before them.
    """
    texts = gaps[GAP].map(lambda gap: format_difference(gap, decimals)) + " "
    texts += gaps[HALF_WIDTH].map(lambda width: format_half_width(width, decimals)) + " " + gap_marks(gaps)
    pairs = pd.Series(list(zip(gaps[MODEL], gaps[COMPARED_WITH], strict=True)), gaps.index)
    table = wide(gaps.assign(pair=pairs, text=texts.str.strip()), "text", rows="pair")
    tasks = list(table.columns)
    if with_mean:
        means = mean_gaps(gaps)
        table.insert(0, "mean", [format_difference(means[pair], decimals) for pair in table.index])
    others = {
        role: names.map(lambda name: titles.get(name, name)) for role, names in named_others(gaps).items()
    }
    lines = [
        [f"{titles.get(model, model)} to {other_title(role, others.get(role))}", *cells]
        for (model, role), cells in _lines(table)
    ]
    for role, names in others.items():
        if names.nunique() > 1:
            lines.append(
                [f"best {role}", *([""] if with_mean else []), *names.reindex(tasks, fill_value="-")]
            )
    return _markdown(["gap \\ offers", *table.columns], lines)


def report_markdown(
    results: Sequence[MeasureResults], rows: Sequence[Row], evaluate: Evaluate, report: Report
) -> str:
    """All segments' tables by each measure, with what a measure counts and a segment holds.

    Parameters
    ----------
    results : sequence of MeasureResults
        By each measure.
    rows : sequence of Row
        What the models are called, and which are not ranked.
    evaluate : Evaluate
        Bounds of the segments, and whose users were measured.
    report : Report
        Digits of a wAUC.
    """
    parts = [f"# wAUC on the {evaluate.users} users\n", f"{INTERVAL_NOTE} {MARK_NOTE}\n", f"{CEILING_NOTE}\n"]
    for found in results:
        parts.append(f"## {MEASURE_TITLES[found.measure]}: {MEASURE_MEANINGS[found.measure]}\n")
        parts += segment_sections(_segment_tables(found, rows, report.table_decimals), evaluate, level=3)
    return "\n".join(parts)


def _segment_tables(results: MeasureResults, rows: Sequence[Row], decimals: int) -> dict[str, str]:
    titles = {row.name: row.title for row in rows}
    short = {row.name: row.short_title for row in rows}
    not_ranked, gaps = names_not_ranked(rows), dict(iter(results.gaps.groupby(SEGMENT)))
    return {
        str(segment): f"{wauc_markdown(table, titles, decimals, not_ranked)}\n\n"
        f"{gap_markdown(gaps[segment], short, decimals)}"
        for segment, table in results.wauc.groupby(SEGMENT, sort=False)
    }


def segment_sections(tables: Mapping[str, str], evaluate: Evaluate, level: int = 2) -> list[str]:
    """Put the tables of each segment under a heading, of a level, that says what it holds."""
    meanings = segment_meanings(evaluate)
    return [
        f"{'#' * level} {SEGMENT_TITLES[segment]}: {meanings[segment]}\n\n{table}\n"
        for segment, table in tables.items()
    ]


def segment_section(text: str, segment: str) -> str | None:
    """Take the tables of one segment out of a text made of `segment_sections`; None if it has none."""
    for section in text.split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        if heading.startswith(f"{SEGMENT_TITLES[segment]}: "):
            return body.strip()
    return None


def _lines(texts: pd.DataFrame) -> Iterator[tuple[Any, list[str]]]:
    """Yield what each row is of, and its cells."""
    return zip(texts.index, texts.to_numpy().tolist(), strict=True)


def _markdown(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    return tabulate(list(lines), header, tablefmt="pipe", disable_numparse=True)

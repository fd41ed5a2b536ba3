"""wAUC and its gaps as text, and as tables in Markdown."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from tabulate import tabulate

from offerbench.core.columns import COMPARED_WITH, GAP, HALF_WIDTH, MODEL, SEGMENT, TASK, WAUC
from offerbench.evaluation.config import Evaluate
from offerbench.evaluation.results import SPECIALIST, is_certain, summary_table
from offerbench.report.config import Report

SEGMENT_TITLES = {"all": "All offers", "popular": "Popular offers", "cold_start": "Cold start"}
AHEAD, BEHIND = "▲", "▼"
INTERVAL_NOTE = "± is half of the 95% interval: a bootstrap over the users."
MARK_NOTE = (
    f"{AHEAD} ahead, {BEHIND} behind: the 95% interval of the gap excludes 0. "
    "A gap without a mark may be chance."
)


def segment_meanings(evaluate: Evaluate) -> dict[str, str]:
    """Say which offers a segment holds."""
    popular, cold_start = evaluate.popular_min_positives, evaluate.cold_start_min_positives
    return {
        "all": "every offer of the vocabulary",
        "popular": f"offers with more than {popular} positives",
        "cold_start": f"offers with more than {cold_start} and at most {popular} positives",
    }


def other_title(compared_with: str) -> str:
    """Say in words what a gap is to: the one specialist of a task, or the best row of another role."""
    return "the specialist" if compared_with == SPECIALIST else f"the best {compared_with}"


def format_wauc(value: float | None, decimals: int) -> str:
    """`.762`, or a dash where a segment has no offer."""
    return "-" if value is None or np.isnan(value) else f"{value:.{decimals}f}".removeprefix("0")


def format_half_width(half_width: float | None, decimals: int) -> str:
    """`±.004`, or nothing where no interval is known."""
    return "" if half_width is None or np.isnan(half_width) else f"±{format_wauc(half_width, decimals)}"


def format_difference(difference: float, decimals: int) -> str:
    """`+.019`, always with its sign, or a dash where there is none."""
    text = f"{difference:+.{decimals}f}"
    return "-" if np.isnan(difference) else text[0] + text[1:].removeprefix("0")


def gap_marks(gaps: pd.DataFrame) -> pd.Series:
    """`AHEAD` or `BEHIND` where the interval of a gap excludes 0, else nothing; str, shape (gaps,)."""
    certain = is_certain(gaps)
    marks = np.select([certain & (gaps[GAP] > 0), certain & (gaps[GAP] < 0)], [AHEAD, BEHIND], "")
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


def wauc_markdown(table: pd.DataFrame, titles: Mapping[str, str], decimals: int) -> str:
    """Tabulate one segment: a row for each model, a column for each task, the best of a column bold.

    Parameters
    ----------
    table : DataFrame
        task, model, wauc and, if they are known, half_width; of one segment.
    titles : mapping of str to str
        What a model is called; one that is missing is called by its name.
    decimals : int
        Digits of a wAUC.
    """
    values = wide(table, WAUC)
    widths = wide(table, HALF_WIDTH) if HALF_WIDTH in table else values.mask(values.notna())
    texts = (
        values.map(format_wauc, decimals=decimals) + " " + widths.map(format_half_width, decimals=decimals)
    )
    texts = texts.apply(lambda column: column.str.rstrip())
    texts = texts.mask(values.eq(values.max()), "**" + texts + "**")
    return _markdown("model \\ offers", texts.rename(index=lambda name: titles.get(name, name)))


def gap_markdown(
    gaps: pd.DataFrame, titles: Mapping[str, str], decimals: int, with_mean: bool = False
) -> str:
    """Tabulate gaps of one segment: a row for each model and what it is compared with, a column a task.

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
    if with_mean:
        means = mean_gaps(gaps)
        table.insert(0, "mean", [format_difference(means[pair], decimals) for pair in table.index])
    table.index = pd.Index([f"{titles.get(name, name)} to {other_title(role)}" for name, role in table.index])
    return _markdown("gap \\ offers", table)


def report_markdown(
    wauc: pd.DataFrame, gaps: pd.DataFrame, titles: Mapping[str, str], evaluate: Evaluate, report: Report
) -> str:
    """All segments' tables, with what a segment holds.

    Parameters
    ----------
    wauc, gaps : DataFrame
        From `wauc_table` and `gap_table`.
    titles : mapping of str to str
        What a model is called; what follows a parenthesis is left out where gaps are.
    evaluate : Evaluate
        Bounds of the segments, and whose users were measured.
    report : Report
        Digits of a wAUC.
    """
    short = {name: title.partition(" (")[0] for name, title in titles.items()}
    decimals, gaps_of = report.table_decimals, dict(iter(gaps.groupby(SEGMENT)))
    tables = {
        str(segment): f"{wauc_markdown(table, titles, decimals)}\n\n"
        f"{gap_markdown(gaps_of[segment], short, decimals)}"
        for segment, table in wauc.groupby(SEGMENT, sort=False)
    }
    parts = [f"# wAUC on the {evaluate.users} users\n", f"{INTERVAL_NOTE} {MARK_NOTE}\n"]
    return "\n".join([*parts, *segment_sections(tables, evaluate)])


def segment_sections(tables: Mapping[str, str], evaluate: Evaluate) -> list[str]:
    """Put the tables of each segment under a heading that says what it holds."""
    meanings = segment_meanings(evaluate)
    return [
        f"## {SEGMENT_TITLES[segment]}: {meanings[segment]}\n\n{table}\n" for segment, table in tables.items()
    ]


def segment_section(text: str, segment: str) -> str | None:
    """Take the tables of one segment out of a text made of `segment_sections`; None if it has none."""
    for section in text.split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        if heading.startswith(f"{SEGMENT_TITLES[segment]}: "):
            return body.strip()
    return None


def _markdown(corner: str, texts: pd.DataFrame) -> str:
    rows = texts.reset_index().to_numpy().tolist()
    return tabulate(rows, [corner, *texts.columns], tablefmt="pipe", disable_numparse=True)

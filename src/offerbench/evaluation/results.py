"""Results as tidy tables: wAUC by segment, task and model, the gaps between models, and their means."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from offerbench.core.columns import (
    COMPARED_WITH,
    GAP,
    HALF_WIDTH,
    LABEL,
    MODEL,
    NEGATIVES,
    OTHER,
    POSITIVES,
    SEGMENT,
    TASK,
    WAUC,
)
from offerbench.core.rows import Role, Row
from offerbench.evaluation.bootstrap import half_width
from offerbench.evaluation.config import Evaluate
from offerbench.evaluation.evaluate import TaskResult
from offerbench.evaluation.wauc import SEGMENTS, segment_masks, wauc

DIGITS = 6
SPECIALIST, YARDSTICK, PEER = "specialist", "yardstick", "peer"
"""What a generalist is compared with in each cell: the task's specialist, the best untrained row, the best
of other people's methods."""


def wauc_table(results: Mapping[str, TaskResult], evaluate: Evaluate) -> pd.DataFrame:
    """Tabulate wAUC with half the width of its 95% interval.

    Parameters
    ----------
    results : mapping of TaskResult
        By task.
    evaluate : Evaluate
        Bounds of the segments.

    Returns
    -------
    DataFrame
        segment, task, model, wauc, half_width, rounded to the digits that are written; NaN where a
        segment has no offer.
    """
    rows = []
    for segment in SEGMENTS:
        for task, result in results.items():
            positives = result.offers[POSITIVES].to_numpy()
            mask = segment_masks(positives, evaluate)[segment]
            for model in result.offers.columns.drop([LABEL, POSITIVES, NEGATIVES]):
                value = wauc(result.offers[model].to_numpy()[mask], positives[mask])
                rows.append((segment, task, model, value, half_width(result.samples[segment][model])))
    return _rounded(pd.DataFrame(rows, columns=[SEGMENT, TASK, MODEL, WAUC, HALF_WIDTH]))


def gap_table(table: pd.DataFrame, results: Mapping[str, TaskResult], rows: Sequence[Row]) -> pd.DataFrame:
    """Tabulate what each generalist has more than the specialist, the best untrained row, the best peer.

    A gap has half the width of its own 95% interval, from samples of the users that both models were
    measured on.

    Parameters
    ----------
    table : DataFrame
        From `wauc_table`.
    results : mapping of TaskResult
        By task.
    rows : sequence of Row
        What each model is there for.

    Returns
    -------
    DataFrame
        segment, task, model, compared_with, other, gap, half_width: `other` is the model that the gap
        is to, and `compared_with` says why. NaN where a segment has no offer.
    """
    found = []
    for key, cells in table.groupby([SEGMENT, TASK], sort=False):
        segment, task = map(str, key)
        values, samples = cells.set_index(MODEL)[WAUC], results[task].samples[segment]
        for model in _names(rows, Role.GENERALIST):
            for compared_with, other in _others(rows, task, values):
                width = half_width(samples[model] - samples[other])
                gap = values[model] - values[other]
                found.append((segment, task, model, compared_with, other, gap, width))
    columns = [SEGMENT, TASK, MODEL, COMPARED_WITH, OTHER, GAP, HALF_WIDTH]
    return _rounded(pd.DataFrame(found, columns=columns))


def _others(rows: Sequence[Row], task: str, values: pd.Series) -> Iterator[tuple[str, str]]:
    """Yield what a generalist is compared with on a task, and the model that this is."""
    for row in rows:
        if row.role is Role.SPECIALIST and row.task == task:
            yield SPECIALIST, row.name
    for compared_with, role in ((YARDSTICK, Role.YARDSTICK), (PEER, Role.PEER)):
        if names := _names(rows, role):
            yield compared_with, str(values[names].fillna(-np.inf).idxmax())


def _names(rows: Sequence[Row], role: Role) -> list[str]:
    return [row.name for row in rows if row.role is role]


def is_certain(gaps: pd.DataFrame) -> pd.Series:
    """Whether each gap's 95% interval excludes 0; bool, shape (gaps,)."""
    return gaps[GAP].abs() > gaps[HALF_WIDTH]


def summary_table(gaps: pd.DataFrame) -> pd.DataFrame:
    """Mean gaps of each generalist in each segment, and the task with the lowest gap to its specialist.

    Parameters
    ----------
    gaps : DataFrame
        From `gap_table`.

    Returns
    -------
    DataFrame
        segment, model, gap_to_specialist, gap_to_yardstick, gap_to_peer, worst_task,
        worst_gap_to_specialist; a gap to what there is no row of has no column.
    """
    means = gaps.groupby([SEGMENT, MODEL, COMPARED_WITH], sort=False)[GAP].mean().unstack(COMPARED_WITH)
    to_specialist = gaps[(gaps[COMPARED_WITH] == SPECIALIST) & gaps[GAP].notna()]
    worst = to_specialist.loc[to_specialist.groupby([SEGMENT, MODEL])[GAP].idxmin()].set_index(
        [SEGMENT, MODEL]
    )
    table = pd.DataFrame(
        {
            **{f"gap_to_{name}": means[name] for name in means.columns},
            "worst_task": worst[TASK].reindex(means.index),
            "worst_gap_to_specialist": worst[GAP].reindex(means.index),
        }
    )
    return _rounded(table.reset_index())


def headline_table(table: pd.DataFrame, gaps: pd.DataFrame) -> pd.DataFrame:
    """Give what experiments are compared by: means over the tasks of all offers, of each generalist.

    Returns
    -------
    DataFrame
        model, wauc, to_specialist, to_yardstick, to_peer; what there is no row of has no column.
    """
    all_offers = SEGMENTS[0]
    of_models = table[table[SEGMENT] == all_offers].groupby(MODEL)[WAUC].mean()
    summary = summary_table(gaps)
    summary = summary[summary[SEGMENT] == all_offers]
    return _rounded(
        pd.DataFrame(
            {
                MODEL: summary[MODEL],
                WAUC: of_models.reindex(summary[MODEL]).to_numpy(),
                **{
                    f"to_{name}": summary[f"gap_to_{name}"]
                    for name in (SPECIALIST, YARDSTICK, PEER)
                    if f"gap_to_{name}" in summary
                },
            }
        )
    )


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Round all numbers to the digits that are written."""
    numbers = table.select_dtypes("number").columns
    return table.assign(**{name: table[name].astype(np.float64).round(DIGITS) for name in numbers})

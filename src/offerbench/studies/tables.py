"""A study's results as tables in Markdown, one for each segment."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from tabulate import tabulate

from offerbench.core.columns import HALF_WIDTH, MODEL, TASK, WAUC
from offerbench.core.rows import Role, mono_model, table_rows
from offerbench.evaluation.wauc import SEGMENTS
from offerbench.report.numbers import format_wauc
from offerbench.report.tables import wauc_markdown, wide
from offerbench.studies.config import MeanAndDeviation, SettingsAsRows, Study
from offerbench.studies.experiments import Experiment
from offerbench.studies.results import SETTING, StudyResults
from offerbench.studies.settings import value_at

MEAN = "mean"


def segment_markdown(
    study: Study, experiments: Sequence[Experiment], results: StudyResults, segment: str
) -> str:
    """Tabulate one segment in the way that the study says."""
    table, shown = results.of_segment(segment), study.tabulate
    decimals = experiments[0].parameters.report.table_decimals
    rows_of_results = table_rows(table[TASK].unique())
    if isinstance(shown, SettingsAsRows):
        titles = {row.name: row.short_title for row in rows_of_results}
        return _settings_markdown(shown, experiments, results, segment, titles, decimals)
    titles = {row.name: row.title for row in rows_of_results}
    if isinstance(shown, MeanAndDeviation):
        return wauc_markdown(mean_and_deviation(table), titles, decimals)
    tables = {
        str(setting): wauc_markdown(rows, titles, decimals)
        for setting, rows in table.groupby(SETTING, sort=False)
    }
    if len(study.settings) == 1:
        return "\n\n".join(tables.values())
    return "\n\n".join(f"### {setting}\n\n{text}" for setting, text in tables.items())


def mean_and_deviation(table: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation (of a sample) of each wAUC over the settings.

    Parameters
    ----------
    table : DataFrame
        setting, task, model, wauc of one segment; two settings at least, all with the same tasks and models.

    Returns
    -------
    DataFrame
        task, model, wauc (the mean), half_width (the deviation); NaN where a setting has no offer.
    """
    cells = table.pivot(index=[TASK, MODEL], columns=SETTING, values=WAUC)
    cells = cells.reindex(pd.MultiIndex.from_frame(table[[TASK, MODEL]].drop_duplicates()))
    moments = {WAUC: cells.mean(axis=1, skipna=False), HALF_WIDTH: cells.std(axis=1, skipna=False)}
    return pd.DataFrame(moments).reset_index()


def row_of_model(table: pd.DataFrame, model: str) -> pd.DataFrame:
    """Give the wAUC of a row of the results: shape (settings, tasks + 1), the mean over the tasks last.

    Parameters
    ----------
    table : DataFrame
        setting, task, model, wauc of one segment.
    model : str
        Name of the row; `specialist` is the specialist of each task.
    """
    name = table[TASK].map(mono_model) if model == Role.SPECIALIST else model
    values = wide(table[table[MODEL] == name], WAUC, rows=SETTING)
    return values.assign(**{MEAN: values.mean(axis=1)})  # over the tasks with offers in the segment


def _settings_markdown(
    shown: SettingsAsRows,
    experiments: Sequence[Experiment],
    results: StudyResults,
    segment: str,
    titles: Mapping[str, str],
    decimals: int,
) -> str:
    """Tabulate the settings, with what they are compared with below."""
    table = results.of_segment(segment)
    values = row_of_model(table, shown.model).reindex([one.setting for one in experiments])
    if shown.best_first:
        of_all = row_of_model(results.of_segment(SEGMENTS[0]), shown.model)[MEAN].reindex(values.index)
        values = values.loc[of_all.sort_values(ascending=False, kind="stable", na_position="last").index]
    texts = values.map(format_wauc, decimals=decimals)
    texts = texts.mask(values.eq(values.max()), "**" + texts + "**")
    contents = {one.setting: one.content for one in experiments}
    rows = []
    for setting, cells in texts.iterrows():
        row = [value_text(value_at(contents[str(setting)], key)) for key in shown.columns.values()]
        if shown.best_epoch:
            row.append(str(results.best_epochs.get(str(setting), "-")))
        rows.append([*row, *cells])
    width = len(shown.columns) + shown.best_epoch
    for model in shown.references:
        title = "specialist of the task" if model == Role.SPECIALIST else titles.get(model, model)
        for name, found in _distinct(row_of_model(table, model), title).items():
            rows.append([name, *[""] * (width - 1), *(format_wauc(value, decimals) for value in found)])
    head = [*shown.columns, *(["best epoch"] if shown.best_epoch else []), *values.columns]
    return tabulate(rows, head, tablefmt="pipe", disable_numparse=True)


def _distinct(values: pd.DataFrame, title: str) -> dict[str, list[float]]:
    """Give the rows of a reference: one if all settings agree, else one for each value, with its settings."""
    rows = {str(setting): list(cells) for setting, cells in values.iterrows()}
    alike: dict[str, list[str]] = {}
    for setting, row in rows.items():
        alike.setdefault(str(row), []).append(setting)  # as text, NaN equals NaN
    if len(alike) == 1:
        return {title: next(iter(rows.values()))}
    return {f"{title} ({', '.join(names)})": rows[names[0]] for names in alike.values()}


def value_text(value: Any) -> str:
    """Write the value of a key in a cell: yes and no for what is on or off, a section or null among them."""
    if value is None or isinstance(value, bool | Mapping):
        return "yes" if value else "no"
    return str(value)

"""The report of a study in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from offerbench.evaluation.wauc import SEGMENTS
from offerbench.report.campaign_tables import campaign_sections
from offerbench.report.tables import INTERVAL_NOTE, segment_sections
from offerbench.studies.config import MeanAndDeviation, SettingsAsRows, Study
from offerbench.studies.experiments import Experiment, settings_text
from offerbench.studies.results import StudyResults
from offerbench.studies.tables import segment_markdown

CAMPAIGNS = "Campaigns of the past"
NOTES = {
    "mean_and_deviation": "± is the standard deviation over the settings; the best mean of a column is bold.",
    "models_as_rows": f"{INTERVAL_NOTE} The best of a column is bold.",
    "settings_as_rows": "The best setting of a column is bold; the mean is over the tasks.",
}


def study_markdown(
    name: str,
    study: Study,
    experiments: Sequence[Experiment],
    results: StudyResults,
    base_differences: Mapping[str, tuple[str, str]],
) -> str:
    """Report what a study found.

    Parameters
    ----------
    name : str
        Of the study.
    study : Study
        The study.
    experiments : sequence of Experiment
        All of the study, in its order.
    results : StudyResults
        Of those that have finished.
    base_differences : mapping of str to (str, str)
        What the base has other than params.yaml, by key: the value there, and the base's.
    """
    evaluate = experiments[0].parameters.evaluate
    parts = [f"# {study.title}\n", f"{study.about.strip()}\n"]
    if base_differences:
        changes = [f"- `{key}`: {before} → {after}" for key, (before, after) in base_differences.items()]
        parts.append("\n".join([f"The base is {study.base}; against params.yaml it has:\n", *changes]) + "\n")
    if study.common:
        parts.append(f"Common to all settings: {settings_text(study.common)}.\n")
    if isinstance(study.tabulate, MeanAndDeviation):
        parts.append(_list_of_settings(study))
    if isinstance(study.tabulate, SettingsAsRows) and study.tabulate.references:
        parts.append("The rows below the settings are for comparison.\n")
    if missing := [one.setting for one in experiments if one.setting not in results.settings]:
        parts.append(f"Not run yet, and so without numbers: {', '.join(missing)}.\n")
    note = NOTES[study.tabulate.kind]
    parts.append(f"wAUC on the {evaluate.users} users. {note} Made by `offerbench study {name}`.\n")
    tables = {segment: segment_markdown(study, experiments, results, segment) for segment in SEGMENTS}
    parts += segment_sections(tables, evaluate)
    for setting, content in results.campaigns.items():
        parts += _campaigns(content, "" if len(study.settings) == 1 else f" of {setting}", experiments[0])
    return "\n".join(parts)


def _campaigns(content: Mapping[str, Any], whose: str, experiment: Experiment) -> list[str]:
    """Give the backtest's tables of all offers."""
    decimals = experiment.parameters.report.table_decimals
    return [f"## {CAMPAIGNS}{whose}\n", *campaign_sections(content, decimals)]


def _list_of_settings(study: Study) -> str:
    lines = [f"- {setting}: {settings_text(own) or 'the base'}" for setting, own in study.settings.items()]
    return "\n".join(["The settings:\n", *lines]) + "\n"

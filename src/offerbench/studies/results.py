"""Results of a study's experiments as one tidy table, and as the JSON of its report."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from offerbench.core import git
from offerbench.core.columns import HALF_WIDTH, SEGMENT, WAUC
from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import write_json
from offerbench.core.paths import CURVES_DIRECTORY, METRICS_DIRECTORY
from offerbench.evaluation.result_files import CELL, nested, tidy
from offerbench.studies.config import SettingsAsRows, Study
from offerbench.studies.experiments import Experiment

SETTING = "setting"
COUNTS = ("rows", "events_kept", "target_events", "users")
"""What of metrics/prepare.json says how large a data set is."""


@dataclass(frozen=True)
class StudyResults:
    """What the experiments of a study gave."""

    table: pd.DataFrame
    """setting, segment, task, model, wauc, half_width; NaN where a segment has no offer."""
    best_epochs: Mapping[str, int]
    """By setting, the epoch (from 1) with the highest validation AUC of the model that is shown; empty if
    the study does not ask for it."""
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By setting, how many rows, events and users its data set has; of experiments that counted them."""
    campaigns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By setting, what its backtest measured, as metrics/campaign.json has it; if the study runs it."""

    @property
    def settings(self) -> list[str]:
        """Names of the settings that have results."""
        return list(self.table[SETTING].unique())

    def of_segment(self, segment: str) -> pd.DataFrame:
        """Give the rows of a segment."""
        return self.table[self.table[SEGMENT] == segment]


def read_study_results(
    study: Study, experiments: Sequence[Experiment], revisions: Mapping[str, str]
) -> StudyResults:
    """Read the results of the experiments that have finished.

    Parameters
    ----------
    study : Study
        The study.
    experiments : sequence of Experiment
        All of the study.
    revisions : mapping of str to str
        Hashes of those that have finished, by name; one at least.

    Raises
    ------
    OfferbenchError
        If an experiment has no results of a stage that the study runs.
    """
    found = [one for one in experiments if one.name in revisions]
    tables = []
    for experiment in found:
        table = read_table(revisions[experiment.name])
        table.insert(0, SETTING, experiment.setting)
        tables.append(table)
    shown = study.tabulate
    epochs = {}
    if isinstance(shown, SettingsAsRows) and shown.best_epoch:
        epochs = {one.setting: best_epoch(revisions[one.name], shown.model) for one in found}
    data = {one.setting: counted for one in found if (counted := read_counts(revisions[one.name]))}
    campaigns = {}
    if study.backtest:  # else the file is that of the commit
        file = METRICS_DIRECTORY / "campaign.json"
        campaigns = {one.setting: json.loads(_read(revisions[one.name], file)) for one in found}
    return StudyResults(pd.concat(tables, ignore_index=True), epochs, data, campaigns)


def read_table(revision: str) -> pd.DataFrame:
    """Read wAUC and half widths of a revision: segment, task, model, wauc, half_width."""
    wauc, widths = (
        tidy(json.loads(_read(revision, METRICS_DIRECTORY / f"{name}.json")), CELL, value)
        for name, value in (("wauc", WAUC), ("half_widths", HALF_WIDTH))
    )
    merged = wauc.merge(widths, on=CELL, how="left", validate="one_to_one")
    return merged.astype({WAUC: np.float64, HALF_WIDTH: np.float64})


def read_counts(revision: str) -> dict[str, Any] | None:
    """Read how large the data set of a revision is; None if that was not kept."""
    content = git.read_committed(revision, METRICS_DIRECTORY / "prepare.json")
    if content is None:
        return None
    counts = json.loads(content)
    return {key: counts[key] for key in COUNTS if key in counts}


def best_epoch(revision: str, model: str) -> int:
    """Read from a training's log the epoch with the highest validation AUC, from 1 on."""
    file = CURVES_DIRECTORY / model / "plots/metrics/validation/auc.tsv"
    return int(pd.read_csv(io.BytesIO(_read(revision, file)), sep="\t")["auc"].to_numpy().argmax()) + 1


def _read(revision: str, file: Path) -> bytes:
    content = git.read_committed(revision, file)
    if content is None:
        raise OfferbenchError(f"{file}: not among the results of experiment {revision[:7]}.")
    return content


def write_study_results(
    file: Path, study: Study, experiments: Sequence[Experiment], results: StudyResults
) -> None:
    """Write all results as JSON: for each setting what it changes, wAUC and half widths."""
    content: dict[str, Any] = {"title": study.title, "base": study.base, "settings": {}}
    for experiment in experiments:
        table = results.table[results.table[SETTING] == experiment.setting]
        entry: dict[str, Any] = {"changes": dict(experiment.settings)}
        if experiment.setting in results.data:
            entry["data"] = dict(results.data[experiment.setting])
        if experiment.setting in results.campaigns:
            entry["campaigns"] = dict(results.campaigns[experiment.setting])
        if not table.empty:
            entry["wauc"] = nested(table, CELL, WAUC)
            entry["half_widths"] = nested(table, CELL, HALF_WIDTH)
        if experiment.setting in results.best_epochs:
            entry["best_epoch"] = results.best_epochs[experiment.setting]
        content["settings"][experiment.setting] = entry
    write_json(file, content)

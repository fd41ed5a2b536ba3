"""Results of the tasks, and the metrics made of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.evaluation.wauc import segment_masks, weighted_auc
from offerbench.params.evaluate import Evaluate
from offerbench.schema import FULL_MODEL, HISTORY_AFFINITY, SEGMENTS, mono_model

Wauc = dict[str, dict[str, dict[str, float | None]]]
DIGITS = 6
SIZE_COLUMNS = 3  # of TaskResult.columns, before those of the models


@dataclass(frozen=True)
class TaskResult:
    """AUC of each evaluated offer of a task."""

    columns: dict[str, npt.NDArray[Any]]
    """label, positives, negatives, and an AUC column for each model. Shape (offers,)."""
    counts: dict[str, int]
    """Offers evaluated and left out, pairs, collisions."""


def wauc_table(results: Mapping[str, TaskResult], evaluate: Evaluate) -> Wauc:
    """Tabulate wAUC by segment, task and model, rounded to the digits that are written."""
    table: Wauc = {segment: {} for segment in SEGMENTS}
    for task, result in results.items():
        positives = result.columns["positives"]
        models = list(result.columns)[SIZE_COLUMNS:]
        for segment, mask in segment_masks(positives, evaluate).items():
            values = {name: weighted_auc(result.columns[name][mask], positives[mask]) for name in models}
            table[segment][task] = {
                name: None if value is None else round(value, DIGITS) for name, value in values.items()
            }
    return table


def summarise(wauc: Wauc) -> dict[str, dict[str, float | str | None]]:
    """For each segment: mean gaps of the full model, and the task with the lowest gap to its specialist."""
    summary: dict[str, dict[str, float | str | None]] = {}
    for segment, tasks in wauc.items():
        to_specialist = _gaps(tasks, {task: mono_model(task) for task in tasks})
        to_affinity = _gaps(tasks, dict.fromkeys(tasks, HISTORY_AFFINITY))
        worst = min(to_specialist, key=to_specialist.__getitem__, default=None)
        summary[segment] = {
            "gap_to_specialist": _mean(to_specialist),
            "gap_to_affinity": _mean(to_affinity),
            "worst_task": worst,
            "worst_gap_to_specialist": None if worst is None else to_specialist[worst],
        }
    return summary


def _gaps(tasks: Mapping[str, Mapping[str, float | None]], rivals: Mapping[str, str]) -> dict[str, float]:
    gaps = {}
    for task, values in tasks.items():
        full, rival = values[FULL_MODEL], values[rivals[task]]
        if full is not None and rival is not None:
            gaps[task] = round(full - rival, DIGITS)
    return gaps


def _mean(gaps: Mapping[str, float]) -> float | None:
    return round(float(np.mean(list(gaps.values()))), DIGITS) if gaps else None

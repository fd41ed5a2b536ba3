"""Results of the tasks, and the metrics made of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.evaluation.bootstrap import Samples, half_width
from offerbench.evaluation.wauc import segment_masks, weighted_auc
from offerbench.params.evaluate import Evaluate
from offerbench.schema import HISTORY_AFFINITY, SEGMENTS, SINGLE_MODELS, mono_model

Wauc = dict[str, dict[str, dict[str, float | None]]]
"""By segment, task and model."""
WaucSamples = dict[str, dict[str, Samples]]
"""wAUC of bootstrap samples of the users, by segment and model; float64, shape (samples,)."""
Gap = dict[str, float]
Gaps = dict[str, dict[str, dict[str, dict[str, Gap | None]]]]
"""By segment, task, single model and rival."""
DIGITS = 6
SIZE_COLUMNS = 3  # of TaskResult.columns, before those of the models
RIVALS = ("specialist", "affinity")


@dataclass(frozen=True)
class TaskResult:
    """AUC of each evaluated offer of a task."""

    columns: dict[str, npt.NDArray[Any]]
    """label, positives, negatives, and an AUC column for each model. Shape (offers,)."""
    counts: dict[str, int]
    """Offers evaluated and left out, pairs, collisions."""


def _rounded(value: float | None) -> float | None:
    """Round to the digits that are written."""
    return None if value is None else round(value, DIGITS)


def wauc_table(results: Mapping[str, TaskResult], evaluate: Evaluate) -> Wauc:
    """Tabulate wAUC by segment, task and model, rounded to the digits that are written."""
    table: Wauc = {segment: {} for segment in SEGMENTS}
    for task, result in results.items():
        positives = result.columns["positives"]
        models = list(result.columns)[SIZE_COLUMNS:]
        for segment, mask in segment_masks(positives, evaluate).items():
            table[segment][task] = {
                name: _rounded(weighted_auc(result.columns[name][mask], positives[mask])) for name in models
            }
    return table


def interval_table(samples: Mapping[str, WaucSamples]) -> Wauc:
    """Tabulate half the width of each wAUC's 95% interval, by segment, task and model."""
    return {
        segment: {
            task: {name: _rounded(half_width(values)) for name, values in by[segment].items()}
            for task, by in samples.items()
        }
        for segment in SEGMENTS
    }


def _rival(rival: str, task: str) -> str:
    return mono_model(task) if rival == "specialist" else HISTORY_AFFINITY


def gap_table(samples: Mapping[str, WaucSamples], wauc: Wauc) -> Gaps:
    """Tabulate what each single model has more than the task's specialist and than affinity.

    A gap has half the width of its own 95% interval, from samples of the users that both models were
    measured on; None where there is no offer.
    """
    gaps: Gaps = {segment: {task: {} for task in tasks} for segment, tasks in wauc.items()}
    for segment, task, model in _single_cells(wauc):
        sampled, values = samples[task][segment], wauc[segment][task]
        for rival in RIVALS:
            name = _rival(rival, task)
            width = half_width(sampled[model] - sampled[name])
            value, other = values[model], values[name]
            gap = None
            if value is not None and other is not None and width is not None:
                gap = {"gap": round(value - other, DIGITS), "half_width": round(width, DIGITS)}
            gaps[segment][task].setdefault(model, {})[rival] = gap
    return gaps


def _single_cells(wauc: Wauc) -> Iterator[tuple[str, str, str]]:
    for segment, tasks in wauc.items():
        for task, values in tasks.items():
            for model in SINGLE_MODELS:
                if model in values:
                    yield segment, task, model


def is_certain(gap: Gap) -> bool:
    """Whether a gap's 95% interval excludes 0."""
    return abs(gap["gap"]) > gap["half_width"]


def summarise(gaps: Gaps) -> dict[str, dict[str, dict[str, float | str | None]]]:
    """For each segment and single model: mean gaps, and the task with the lowest gap to its specialist."""
    summary: dict[str, dict[str, dict[str, float | str | None]]] = {}
    for segment, tasks in gaps.items():
        summary[segment] = {}
        for model in next(iter(tasks.values()), {}):
            found = {
                rival: {task: gap["gap"] for task, by in tasks.items() if (gap := by[model][rival])}
                for rival in RIVALS
            }
            to_specialist = found["specialist"]
            worst = min(to_specialist, key=to_specialist.__getitem__, default=None)
            summary[segment][model] = {
                **{f"gap_to_{rival}": _mean(by_task) for rival, by_task in found.items()},
                "worst_task": worst,
                "worst_gap_to_specialist": None if worst is None else to_specialist[worst],
            }
    return summary


def headline(wauc: Wauc, gaps: Gaps) -> dict[str, dict[str, float | None]]:
    """Sum up what experiments are compared by: each single model's means over the tasks of all offers."""
    summary = summarise(gaps)["all"]
    found: dict[str, dict[str, float | None]] = {}
    for model, means in summary.items():
        values = {task: value for task, by in wauc["all"].items() if (value := by[model]) is not None}
        found[model] = {"wauc": _mean(values)}
        for rival in RIVALS:
            mean = means[f"gap_to_{rival}"]
            assert not isinstance(mean, str)
            found[model][f"to_{rival}"] = mean
    return found


def _mean(values: Mapping[str, float]) -> float | None:
    return round(float(np.mean(list(values.values()))), DIGITS) if values else None

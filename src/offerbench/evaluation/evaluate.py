"""Every model on every task: the whole of the stage `evaluate` but for its files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.batching.prepared import PreparedData
from offerbench.batching.sampling import Rows
from offerbench.evaluation.affinity import history_affinity
from offerbench.evaluation.auc import auc_by_offer
from offerbench.evaluation.offers import OfferTable
from offerbench.evaluation.pairs import TaskPairs, task_pairs
from offerbench.evaluation.scoring import offer_vectors, pair_scores, user_vectors
from offerbench.evaluation.wauc import segment_masks, weighted_auc
from offerbench.model.two_tower import TwoTower
from offerbench.params.evaluate import Evaluate
from offerbench.schema import FULL_MODEL, HISTORY_AFFINITY, LABEL, SEGMENTS, VIEW, mono_model

Wauc = dict[str, dict[str, dict[str, float | None]]]
DIGITS = 6


@dataclass(frozen=True)
class TaskResult:
    """AUC of each evaluated offer of a task."""

    columns: dict[str, npt.NDArray[Any]]
    """label, positives, negatives, and an AUC column for each model. Shape (offers,)."""
    counts: dict[str, int]
    """Offers evaluated and left out, pairs, collisions."""


def evaluate_models(
    models: Mapping[str, TwoTower],
    tables: Mapping[str, OfferTable],
    data: PreparedData,
    test_batches: Rows,
    minibatch: int,
    report: Callable[[str], None],
) -> dict[str, TaskResult]:
    """Score every model on every task's pairs of the test batches.

    Parameters
    ----------
    models : dict of TwoTower
        By name; history affinity is added as the last.
    tables : dict of OfferTable
        Offers of each task.
    data : PreparedData
        The data set.
    test_batches : int64, shape (batches, batch_size)
        Rows of target events.
    minibatch : int
        Number of negatives + 1.
    report : callable
        Called with one line for each step done.
    """
    rows = test_batches.reshape(-1)
    views, view_of_event = np.unique(data.events[VIEW][rows], return_inverse=True)
    views = views.astype(np.int64)
    users = {name: user_vectors(model, data, views) for name, model in models.items()}
    report(f"embedded {len(views):,} histories with {len(models)} models")
    results = {}
    for task, table in tables.items():
        offer_of_event = np.searchsorted(table.keys, data.events[task][rows]).astype(np.int32)
        pairs = task_pairs(view_of_event.astype(np.int32), offer_of_event, minibatch)
        scores: dict[str, npt.NDArray[Any]] = {
            name: pair_scores(users[name], offer_vectors(model, table), pairs.users, pairs.offers)
            for name, model in models.items()
        }
        pair_views = views[pairs.users]
        scores[HISTORY_AFFINITY] = history_affinity(
            data.events[task],
            data.history_start[pair_views],
            data.history_length[pair_views],
            table.keys[pairs.offers],
        )
        results[task] = _task_result(pairs, table, scores, data.first_label)
        report(f"{task}: {len(table.keys):,} offers, {len(pairs.offers):,} pairs")
    return results


def _task_result(
    pairs: TaskPairs, table: OfferTable, scores: Mapping[str, npt.NDArray[Any]], first_label: int
) -> TaskResult:
    offers = len(table.keys)
    by_model = {
        name: auc_by_offer(pairs.offers, pairs.is_positive, values, offers) for name, values in scores.items()
    }
    sizes = next(iter(by_model.values()))
    in_vocabulary = table.keys >= first_label
    kept = in_vocabulary & (sizes.negatives > 0)
    return TaskResult(
        columns={
            LABEL: table.keys[kept],
            "positives": sizes.positives[kept],
            "negatives": sizes.negatives[kept],
            **{name: result.auc[kept] for name, result in by_model.items()},
        },
        counts={
            "offers": offers,
            "offers_evaluated": int(kept.sum()),
            "offers_out_of_vocabulary": int((~in_vocabulary).sum()),
            "offers_without_negative": int((in_vocabulary & (sizes.negatives == 0)).sum()),
            "pairs": len(pairs.offers),
            "negatives_dropped_as_collisions": pairs.collisions,
        },
    )


def wauc_table(results: Mapping[str, TaskResult], evaluate: Evaluate) -> Wauc:
    """Tabulate wAUC by segment, task and model, rounded to the digits that are written."""
    table: Wauc = {segment: {} for segment in SEGMENTS}
    for task, result in results.items():
        positives = result.columns["positives"]
        models = list(result.columns)[3:]
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

"""Every model on every task: the whole of the stage `evaluate` but for its files."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.batching.prepared import PreparedData
from offerbench.batching.sampling import Rows, concatenated_ranges
from offerbench.evaluation.affinity import history_affinity
from offerbench.evaluation.auc import auc_by_offer
from offerbench.evaluation.offers import OfferTable
from offerbench.evaluation.pairs import TaskPairs, task_pairs
from offerbench.evaluation.results import TaskResult
from offerbench.evaluation.scoring import offer_vectors, pair_scores, user_vectors
from offerbench.model.two_tower import TwoTower
from offerbench.schema import HISTORY_AFFINITY, LABEL, VIEW, Split


def evaluate_models(
    models: Mapping[str, TwoTower],
    tables: Mapping[str, OfferTable],
    data: PreparedData,
    split: Split,
    batches: Rows,
    minibatch: int,
    report: Callable[[str], None],
) -> dict[str, TaskResult]:
    """Score every model on every task's pairs of the batches of a split.

    Parameters
    ----------
    models : dict of TwoTower
        By name; history affinity is added as the last.
    tables : dict of OfferTable
        Offers of each task.
    data : PreparedData
        The data set.
    split : Split
        The users that the batches are of.
    batches : int64, shape (batches, batch_size)
        Rows of target events.
    minibatch : int
        Number of negatives + 1; divides batch_size.
    report : callable
        Called with one line for each step done.
    """
    rows = batches.reshape(-1, minibatch)  # (minibatches, m)
    views, view_of_event = np.unique(data.events[VIEW][rows], return_inverse=True)
    views, view_of_event = views.astype(np.int64), view_of_event.reshape(rows.shape)
    # The user tower runs once a history; its vectors are laid out by event once a model.
    users = {name: user_vectors(model, data, views)[view_of_event] for name, model in models.items()}
    report(f"embedded {len(views):,} histories with {len(models)} models")
    results = {}
    for task, table in tables.items():
        offer_of_event = np.searchsorted(table.keys, data.events[task][rows]).astype(np.int32)
        pairs = task_pairs(offer_of_event)
        scores: dict[str, npt.NDArray[Any]] = {
            name: pair_scores(users[name], offer_vectors(model, table)[offer_of_event])[pairs.kept]
            for name, model in models.items()
        }
        scores[HISTORY_AFFINITY] = _affinity(data, split, task, views[view_of_event], table, pairs)
        results[task] = _task_result(pairs, table, scores, data.first_label)
        report(f"{task}: {len(table.keys):,} offers, {len(pairs.offers):,} pairs")
    return results


def _affinity(
    data: PreparedData,
    split: Split,
    task: str,
    view_of_event: Rows,
    table: OfferTable,
    pairs: TaskPairs,
) -> npt.NDArray[np.float64]:
    """History affinity of each kept pair; looks only at the events of the split's users."""
    rows = concatenated_ranges(*data.user_rows[split])  # ascending: users are in order
    views = np.broadcast_to(view_of_event[:, :, None], pairs.kept.shape)[pairs.kept]
    return history_affinity(
        data.events[task][rows],
        np.searchsorted(rows, data.history_start)[views],
        data.history_length[views],
        table.keys[pairs.offers],
    )


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

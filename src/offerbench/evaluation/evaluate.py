"""Every model on every task: the whole of the stage `evaluate` but for its files."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.batching.prepared import PreparedData
from offerbench.batching.sampling import Rows
from offerbench.evaluation.affinity import history_affinity
from offerbench.evaluation.auc import auc_by_offer
from offerbench.evaluation.bootstrap import PairSamples, draw_weights, sampled_wauc
from offerbench.evaluation.matches import Matches
from offerbench.evaluation.offers import OfferTable
from offerbench.evaluation.pairs import TaskPairs, task_pairs
from offerbench.evaluation.results import TaskResult, WaucSamples
from offerbench.evaluation.scoring import model_scores, offer_vectors, user_vectors
from offerbench.evaluation.wauc import segment_masks
from offerbench.model.ranking_model import RankingModel
from offerbench.params.evaluate import Evaluate
from offerbench.schema import HISTORY_AFFINITY, LABEL, USER, VIEW, Split


@dataclass(frozen=True)
class ScoredTask:
    """The pairs of a task with every model's scores."""

    table: OfferTable
    """The offers."""
    pairs: TaskPairs
    """What the models are measured on."""
    users: npt.NDArray[np.int32]
    """User of each kept pair, 0 to the number of users - 1. Shape (pairs,)."""
    scores: dict[str, npt.NDArray[Any]]
    """For each model, float32 or float64 of shape (pairs,)."""


def score_tasks(
    models: Mapping[str, RankingModel],
    tables: Mapping[str, OfferTable],
    data: PreparedData,
    split: Split,
    batches: Rows,
    minibatch: int,
    report: Callable[[str], None],
) -> Iterator[tuple[str, ScoredTask]]:
    """Score every model on every task's pairs of the batches of a split.

    Parameters
    ----------
    models : dict of RankingModel
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

    Yields
    ------
    str, ScoredTask
        One task after the other, so that the pairs of one are in memory at a time.
    """
    rows = batches.reshape(-1, minibatch)  # (minibatches, m)
    views, view_of_event = np.unique(data.events[VIEW][rows], return_inverse=True)
    views, view_of_event = views.astype(np.int64), view_of_event.reshape(rows.shape)
    users = {name: user_vectors(model, data, views) for name, model in models.items()}
    report(f"embedded {len(views):,} histories with {len(models)} models")
    user_of_event = np.unique(data.events[USER][rows], return_inverse=True)[1].reshape(rows.shape)
    for task, table in tables.items():
        offer_of_event = np.searchsorted(table.keys, data.events[task][rows]).astype(np.int32)
        pairs = task_pairs(offer_of_event)
        matches = Matches(data, split, rows, task)
        scores: dict[str, npt.NDArray[Any]] = {}
        for name, model in models.items():
            offers = offer_vectors(model, table)
            of_pairs = model_scores(model, users[name], view_of_event, offers, offer_of_event, matches)
            scores[name] = of_pairs[pairs.kept]
        scores[HISTORY_AFFINITY] = _affinity(data, matches, views[view_of_event], table, pairs)
        yield task, ScoredTask(table, pairs, pairs.of_users(user_of_event).astype(np.int32), scores)
        report(f"{task}: {len(table.keys):,} offers, {len(pairs.offers):,} pairs")


def measure_task(scored: ScoredTask, first_label: int) -> TaskResult:
    """AUC of a task's offers by every model; labels below `first_label` are left out."""
    offers, pairs = len(scored.table.keys), scored.pairs
    by_model = {
        name: auc_by_offer(pairs.offers, pairs.is_positive, values, offers)
        for name, values in scored.scores.items()
    }
    sizes = next(iter(by_model.values()))
    in_vocabulary = scored.table.keys >= first_label
    kept = in_vocabulary & (sizes.negatives > 0)
    return TaskResult(
        columns={
            LABEL: scored.table.keys[kept],
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


def sample_task(scored: ScoredTask, result: TaskResult, evaluate: Evaluate, threads: int) -> WaucSamples:
    """Take wAUC of bootstrap samples of the users, the same draws for every task and model.

    Parameters
    ----------
    scored, result : ScoredTask, TaskResult
        A task and the AUC of its offers; segments are those of all users.
    evaluate : Evaluate
        Parameters.
    threads : int
        Models that are sampled side by side.

    Returns
    -------
    dict of dict of float64, shape (samples,)
        By segment and model.
    """
    draws = np.random.default_rng(evaluate.bootstrap.seed)
    weights = draw_weights(int(scored.users.max(initial=-1)) + 1, evaluate.bootstrap.samples, draws)
    offers, pairs = len(scored.table.keys), scored.pairs
    samples = PairSamples(pairs.offers, pairs.is_positive, scored.users, weights, offers)
    masks = {}
    for segment, mask in segment_masks(result.columns["positives"], evaluate).items():
        masks[segment] = np.isin(scored.table.keys, result.columns[LABEL][mask])
    sizes = samples.sizes()
    with ThreadPoolExecutor(threads) as executor:  # NumPy's sorts and sums release Python's lock
        wins = executor.map(samples.wins, scored.scores.values())
        by_model = {
            name: sampled_wauc(*sizes, won, masks) for name, won in zip(scored.scores, wins, strict=True)
        }
    return {segment: {name: by[segment] for name, by in by_model.items()} for segment in masks}


def _affinity(
    data: PreparedData,
    matches: Matches,
    view_of_event: Rows,
    table: OfferTable,
    pairs: TaskPairs,
) -> npt.NDArray[np.float64]:
    """History affinity of each kept pair; looks only at the events of the split's users."""
    views = pairs.of_users(view_of_event)
    return history_affinity(
        matches.index,
        np.searchsorted(matches.rows_of_split, data.history_start)[views],
        data.history_length[views],
        table.keys[pairs.offers],
    )

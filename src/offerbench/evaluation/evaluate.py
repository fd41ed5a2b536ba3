"""Every scorer on every task: what the stage `evaluate` measures, but for its files."""

import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from offerbench.core.columns import LABEL, NEGATIVES, POSITIVES, USER, Split
from offerbench.core.ranges import Rows
from offerbench.evaluation.auc import auc_by_offer
from offerbench.evaluation.bootstrap import PairSamples, Samples, draw_weights, sampled_wauc
from offerbench.evaluation.config import Evaluate
from offerbench.evaluation.pairs import MeasuredPairs, measured_pairs
from offerbench.evaluation.wauc import segment_masks
from offerbench.features.offers import OfferTable
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.pairs import Contexts, TaskPairs
from offerbench.scorers.scorer import Scorer

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScoredTask:
    """The measured pairs of a task with the scores of every row."""

    offers: OfferTable
    """The offers."""
    pairs: MeasuredPairs
    """What the rows are measured on."""
    users: npt.NDArray[np.int32]
    """User of each kept pair, 0 to the number of users - 1. Shape (pairs,)."""
    scores: dict[str, npt.NDArray[Any]]
    """For each row, float32 or float64 of shape (pairs,)."""


@dataclass(frozen=True)
class TaskResult:
    """What was measured of a task."""

    offers: pd.DataFrame
    """One row for each evaluated offer: label, positives, negatives, and the AUC of each scorer."""
    samples: dict[str, dict[str, Samples]]
    """wAUC of bootstrap samples of the users, by segment and scorer; float64, shape (samples,)."""
    counts: dict[str, int]
    """Offers evaluated and left out, pairs, accidental hits."""


def score_tasks(
    scorers: Mapping[str, Scorer],
    tables: Mapping[str, OfferTable],
    data: PreparedData,
    split: Split,
    batches: Rows,
    neighbours: int,
) -> Iterator[tuple[str, ScoredTask]]:
    """Score the pairs of every task, of the batches of a split, by every scorer.

    Parameters
    ----------
    scorers : dict of Scorer
        By the name of the row.
    tables : dict of OfferTable
        Offers of each task.
    data : PreparedData
        The data set.
    split : Split
        The users that the batches are of.
    batches : int64, shape (batches, batch_size)
        Rows of target events.
    neighbours : int
        Events of a negatives group; divides batch_size.

    Yields
    ------
    str, ScoredTask
        One task after the other, so that the pairs of one are in memory at a time.
    """
    contexts = Contexts(data, split, batches.reshape(-1, neighbours))
    user_of_event = np.unique(data.events[USER][contexts.rows], return_inverse=True)[1]
    user_of_event = user_of_event.reshape(contexts.rows.shape).astype(np.int32)
    for task, table in tables.items():
        offer_of_event = np.searchsorted(table.keys, data.events[task][contexts.rows]).astype(np.int32)
        asked = TaskPairs(task, table, contexts, offer_of_event)
        measured = measured_pairs(offer_of_event)
        scores = {name: scorer.score(asked)[measured.kept] for name, scorer in scorers.items()}
        yield task, ScoredTask(table, measured, measured.of_users(user_of_event), scores)
        LOG.info("%s: %s offers, %s pairs", task, f"{len(table.keys):,}", f"{len(measured.offers):,}")


def measure_task(scored: ScoredTask, first_label: int, evaluate: Evaluate) -> TaskResult:
    """Measure the scores of a task; offers with a label below `first_label` are left out."""
    keys, pairs = scored.offers.keys, scored.pairs
    by_row = {
        name: auc_by_offer(pairs.offers, pairs.is_positive, values, len(keys))
        for name, values in scored.scores.items()
    }
    sizes = next(iter(by_row.values()))
    in_vocabulary = keys >= first_label
    kept = in_vocabulary & (sizes.negatives > 0)
    columns: dict[str, npt.NDArray[Any]] = {
        LABEL: keys,
        POSITIVES: sizes.positives,
        NEGATIVES: sizes.negatives,
    }
    columns |= {name: result.auc for name, result in by_row.items()}
    offers = pd.DataFrame(columns)[kept].reset_index(drop=True)
    return TaskResult(
        offers=offers,
        samples=_sample(scored, offers, evaluate),
        counts={
            "offers": len(keys),
            "offers_evaluated": int(kept.sum()),
            "offers_out_of_vocabulary": int((~in_vocabulary).sum()),
            "offers_without_negative": int((in_vocabulary & (sizes.negatives == 0)).sum()),
            "pairs": len(pairs.offers),
            "accidental_hits_left_out": pairs.accidental_hits,
        },
    )


def _sample(scored: ScoredTask, offers: pd.DataFrame, evaluate: Evaluate) -> dict[str, dict[str, Samples]]:
    """Take wAUC of bootstrap samples of the users, the same draws for every task and scorer.

    Segments are those of all users: an offer stays in its segment whatever is drawn.
    """
    draws = np.random.default_rng(evaluate.bootstrap.seed)
    weights = draw_weights(int(scored.users.max(initial=-1)) + 1, evaluate.bootstrap.samples, draws)
    pairs, keys = scored.pairs, scored.offers.keys
    samples = PairSamples(pairs.offers, pairs.is_positive, scored.users, weights, len(keys))
    masks = {
        segment: np.isin(keys, offers[LABEL][mask])
        for segment, mask in segment_masks(offers[POSITIVES].to_numpy(), evaluate).items()
    }
    sizes = samples.sizes()
    with ThreadPoolExecutor(evaluate.threads) as executor:  # NumPy's sorts and sums release Python's lock
        wins = executor.map(samples.wins, scored.scores.values())
        by_row = {
            name: sampled_wauc(*sizes, won, masks) for name, won in zip(scored.scores, wins, strict=True)
        }
    return {segment: {name: by[segment] for name, by in by_row.items()} for segment in masks}

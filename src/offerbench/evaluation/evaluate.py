"""Every scorer on every task: what the stage `evaluate` measures, but for its files."""

import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from offerbench.core.columns import LABEL, NEGATIVES, POSITIVES
from offerbench.evaluation.auc import OfferAuc, auc_by_offer
from offerbench.evaluation.bootstrap import PairSamples, Samples, draw_weights, sampled_wauc
from offerbench.evaluation.config import Evaluate
from offerbench.evaluation.negatives import NegativesGroups
from offerbench.evaluation.pairs import Hits, Measure, find_hits, measured_pairs, pair_facts
from offerbench.evaluation.wauc import segment_masks
from offerbench.features.offers import OfferTable
from offerbench.scorers.pairs import TaskPairs
from offerbench.scorers.scorer import Scorer

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScoredTask:
    """The pairs of a task with the scores of every row."""

    offers: OfferTable
    """The offers."""
    offer_of_event: npt.NDArray[np.int32]
    """Place in `offers` of the offers of each group. Shape (groups, j)."""
    is_positive: npt.NDArray[np.bool_]
    """Which user of a group bought which of its offers. Shape (i, j)."""
    hits: Hits
    """Negatives that a measure may leave out."""
    users: npt.NDArray[np.int32]
    """Users of each group, 0 to the number of users - 1. Shape (groups, i)."""
    facts: dict[str, int]
    """Counts of `pair_facts`."""
    scores: dict[str, npt.NDArray[Any]]
    """For each row, float32 or float64 of shape (groups, i, j)."""


@dataclass(frozen=True)
class TaskResult:
    """What was measured of a task."""

    offers: pd.DataFrame
    """One row for each evaluated offer: label, positives, negatives, and the AUC of each scorer."""
    samples: dict[str, dict[str, Samples]]
    """wAUC of bootstrap samples of the users, by segment and scorer; float64, shape (samples,)."""
    counts: dict[str, int]
    """Offers evaluated and left out, pairs, negatives that are positives in truth."""


def score_tasks(
    scorers: Mapping[str, Scorer],
    tables: Mapping[str, OfferTable],
    groups: NegativesGroups,
) -> Iterator[tuple[str, ScoredTask]]:
    """Score the pairs of every task by every scorer.

    Parameters
    ----------
    scorers : dict of Scorer
        By the name of the row.
    tables : dict of OfferTable
        Offers of each task.
    groups : NegativesGroups
        The users that are compared on each offer.

    Yields
    ------
    str, ScoredTask
        One task after the other, so that the pairs of one are in memory at a time.
    """
    contexts, is_positive = groups.contexts, groups.is_positive
    numbers = np.unique(contexts.users, return_inverse=True)[1]
    users = numbers.reshape(contexts.users.shape).astype(np.int32)
    for task, table in tables.items():
        labels = contexts.data.events[task][groups.offers]
        offer_of_event = np.searchsorted(table.keys, labels).astype(np.int32)
        pairs = TaskPairs(task, table, contexts, offer_of_event)
        scores = {name: scorer.score(pairs) for name, scorer in scorers.items()}
        hits, facts = find_hits(pairs, is_positive), pair_facts(pairs, is_positive)
        yield task, ScoredTask(table, offer_of_event, is_positive, hits, users, facts, scores)
        LOG.info("%s: %s offers", task, f"{len(table.keys):,}")


def measure_task(scored: ScoredTask, measure: Measure, first_label: int, evaluate: Evaluate) -> TaskResult:
    """Measure the scores of a task; offers with a label below `first_label` are left out."""
    pairs = measured_pairs(scored.offer_of_event, scored.hits.left_out(measure), scored.is_positive)
    scores = {name: values[pairs.kept] for name, values in scored.scores.items()}
    count = len(scored.offers.keys)
    by_row = {
        name: auc_by_offer(pairs.offers, pairs.is_positive, values, count) for name, values in scores.items()
    }
    users = pairs.of_users(scored.users)
    weights = bootstrap_weights(int(users.max(initial=-1)) + 1, evaluate)
    samples = PairSamples(pairs.offers, pairs.is_positive, users, weights, count)
    return task_result(
        scored.offers,
        by_row,
        lambda masks: _sample(samples, scores, masks, evaluate.threads),
        {"pairs": len(pairs.offers), **scored.hits.counts(), **scored.facts},
        first_label,
        evaluate,
    )


def task_result(
    table: OfferTable,
    by_row: Mapping[str, OfferAuc],
    sample: Callable[[dict[str, npt.NDArray[np.bool_]]], dict[str, dict[str, Samples]]],
    counts: Mapping[str, int],
    first_label: int,
    evaluate: Evaluate,
) -> TaskResult:
    """Put together what was measured of a task, wherever its pairs are.

    Parameters
    ----------
    table : OfferTable
        The offers of the task.
    by_row : mapping of OfferAuc
        For each row, AUC and size of all offers.
    sample : callable
        Gives wAUC of the bootstrap samples by segment and row, for the masks of the segments' offers.
    counts : mapping of int
        Counts of the pairs.
    first_label : int
        Offers with a label below this are left out.
    evaluate : Evaluate
        Parameters.
    """
    keys, sizes = table.keys, next(iter(by_row.values()))
    in_vocabulary = keys >= first_label
    kept = in_vocabulary & (sizes.negatives > 0)
    columns: dict[str, npt.NDArray[Any]] = {
        LABEL: keys,
        POSITIVES: sizes.positives,
        NEGATIVES: sizes.negatives,
    }
    columns |= {name: result.auc for name, result in by_row.items()}
    offers = pd.DataFrame(columns)[kept].reset_index(drop=True)
    masks = {
        segment: np.isin(keys, offers[LABEL][mask])
        for segment, mask in segment_masks(offers[POSITIVES].to_numpy(), evaluate).items()
    }
    return TaskResult(
        offers=offers,
        samples=sample(masks),
        counts={
            "offers": len(keys),
            "offers_evaluated": int(kept.sum()),
            "offers_out_of_vocabulary": int((~in_vocabulary).sum()),
            "offers_without_negative": int((in_vocabulary & (sizes.negatives == 0)).sum()),
            "offers_not_seen_in_training": int((table.base == 0).sum()),
            **counts,
        },
    )


def bootstrap_weights(users: int, evaluate: Evaluate) -> npt.NDArray[np.int32]:
    """Weights of the users in the bootstrap samples: the same draws for every task, measure and scorer.

    Returns
    -------
    int32, shape (users, samples)
    """
    generator = np.random.default_rng(evaluate.bootstrap.seed)
    return draw_weights(users, evaluate.bootstrap.samples, generator)


def _sample(
    samples: PairSamples,
    scores: Mapping[str, npt.NDArray[Any]],
    masks: dict[str, npt.NDArray[np.bool_]],
    threads: int,
) -> dict[str, dict[str, Samples]]:
    """Take wAUC of bootstrap samples of the users, by segment and scorer.

    Segments are those of all users: an offer stays in its segment whatever is drawn.
    """
    sizes = samples.sizes()
    with ThreadPoolExecutor(threads) as executor:  # NumPy's sorts and sums release Python's lock
        wins = executor.map(samples.wins, scores.values())
        by_row = {name: sampled_wauc(*sizes, won, masks) for name, won in zip(scores, wins, strict=True)}
    return {segment: {name: by[segment] for name, by in by_row.items()} for segment in masks}

"""group_test and evaluate, all models on all tasks: the published manner against ours."""

import time

import numpy as np
import pandas as pd

from benchmarks.measure import Comparison
from benchmarks.plain.evaluation import plain_offers, plain_task_auc
from benchmarks.plain.training import plain_group
from offerbench.core.columns import LABEL, POSITIVES, Split
from offerbench.core.ranges import Rows
from offerbench.core.rows import HISTORY_AFFINITY
from offerbench.evaluation.evaluate import measure_task, score_tasks
from offerbench.evaluation.negatives import group_neighbours
from offerbench.evaluation.pairs import Measure
from offerbench.features.offers import group_offers
from offerbench.model.ranker import Ranker
from offerbench.parameters import Parameters
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.history_affinity import HistoryAffinity
from offerbench.scorers.ranker import RankerScorer
from offerbench.scorers.scorer import Scorer

AUC_TOLERANCE = 1e-3  # of one offer: scores of float32 summed in another order may swap places


def compare_evaluations(
    parameters: Parameters, data: PreparedData, batches: Rows, models: dict[str, Ranker]
) -> Comparison:
    """Alternate both by task: a round is all models on one task, times are summed over the tasks.

    Ours scores history affinity too. Intervals are not compared, the plain twin has none: ours takes
    as few samples as it can.

    Parameters
    ----------
    parameters : Parameters
        Of offers, pairs and segments.
    data : PreparedData
        The data set.
    batches : int64, shape (batches, batch_size)
        Rows of test events.
    models : dict of Ranker
        Models of events and their own products, by name.
    """
    neighbours = parameters.evaluate.number_of_negatives + 1
    bootstrap = parameters.evaluate.bootstrap.model_copy(update={"samples": 2})
    evaluate = parameters.evaluate.model_copy(update={"bootstrap": bootstrap})
    most_frequent = parameters.group_test.values_per_feature
    rows = batches.reshape(-1)
    labels = {name: np.asarray(data.events[name][rows]) for name in data.offer_sizes}
    frame = pd.DataFrame(labels)
    group = plain_group(data, rows, [])
    seconds = {"plain": 0.0, "ours": 0.0}
    largest_gap = 0.0
    for task in parameters.tasks:
        start = time.perf_counter()
        offers = plain_offers(frame, task, most_frequent)
        plain = {
            name: plain_task_auc(model, task, offers, group, frame, batches.shape[1], neighbours)
            for name, model in models.items()
        }
        seconds["plain"] += time.perf_counter() - start
        start = time.perf_counter()
        scorers: dict[str, Scorer] = {name: RankerScorer(model) for name, model in models.items()}
        scorers[HISTORY_AFFINITY] = HistoryAffinity()
        table = {task: group_offers(labels, task, most_frequent)}
        scored = next(score_tasks(scorers, table, group_neighbours(data, Split.TEST, batches, neighbours)))[1]
        ours = measure_task(scored, Measure.PUBLISHED, data.first_label, evaluate).offers
        seconds["ours"] += time.perf_counter() - start
        weights = (ours[POSITIVES] / ours[POSITIVES].sum()).to_numpy()
        for name, result in plain.items():
            theirs = result["auc"].loc[ours[LABEL]].to_numpy()
            gap = float(np.sum(np.abs(theirs - ours[name].to_numpy()) * weights))
            largest_gap = max(largest_gap, gap)
        assert largest_gap < AUC_TOLERANCE, (task, largest_gap)
        print(f"evaluation, {task}: plain {seconds['plain']:.1f} s, ours {seconds['ours']:.2f} s so far")
    return Comparison(
        figure=f"group_test + evaluate, {len(models)} models x {len(parameters.tasks)} tasks",
        plain_seconds=seconds["plain"],
        ours_seconds=seconds["ours"],
        rounds=1,
        rows=len(rows),
        wanted_ratio=50,
        agreement=f"AUC of the offers within {largest_gap:.0e} on average, weighted by positives",
    )

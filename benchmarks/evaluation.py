"""group_test and evaluate, all models on all tasks: the published manner against ours."""

import time

import numpy as np
import pandas as pd
from offerbench.model.two_tower import TwoTower

from benchmarks.measure import Comparison
from benchmarks.plain.evaluation import plain_offers, plain_task_auc
from benchmarks.plain.training import plain_group
from offerbench.core.columns import LABEL, Split
from offerbench.core.ranges import Rows
from offerbench.evaluation.evaluate import measure_task, score_tasks
from offerbench.features.offers import group_offers
from offerbench.parameters import Parameters
from offerbench.preparation.prepared import PreparedData

AUC_TOLERANCE = 1e-3  # of one offer: scores of float32 summed in another order may swap places


def compare_evaluations(
    parameters: Parameters, data: PreparedData, batches: Rows, models: dict[str, TwoTower]
) -> Comparison:
    """Alternate both by task: a round is all models on one task, times are summed over the tasks."""
    minibatch = parameters.train.number_of_negatives + 1
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
            name: plain_task_auc(model, task, offers, group, frame, batches.shape[1], minibatch)
            for name, model in models.items()
        }
        seconds["plain"] += time.perf_counter() - start
        start = time.perf_counter()
        table = {task: group_offers(labels, task, most_frequent)}
        scored = next(score_tasks(models, table, data, Split.TEST, batches, minibatch, lambda _: None))[1]
        ours = measure_task(scored, data.first_label)
        seconds["ours"] += time.perf_counter() - start
        for name, result in plain.items():
            theirs = result["auc"].loc[ours.columns[LABEL]].to_numpy()
            weights = ours.columns["positives"] / ours.columns["positives"].sum()
            gap = float(np.sum(np.abs(theirs - ours.columns[name]) * weights))
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

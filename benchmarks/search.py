"""Choose the augmented model of Complete Journey on its validation users; test users are never read.

`python -m benchmarks.search --trials 12` trains a model for each trial that Optuna draws (the first
ones are given: the parts one by one), measures mean wAUC of the tasks on the validation batches'
offers and writes `reports/search.md`.
"""

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from offerbench.batching.batches import read_batches
from offerbench.batching.prepared import PreparedData, load_prepared
from offerbench.batching.sampling import Rows
from offerbench.evaluation.evaluate import measure_task, score_tasks
from offerbench.evaluation.offers import group_offers
from offerbench.evaluation.results import wauc_table
from offerbench.model.checkpoint import make_model
from offerbench.model.feed import AugmentedFeed
from offerbench.model.specification import AugmentedSpecification
from offerbench.model.training import train_model
from offerbench.params.loading import Parameters
from offerbench.params.train_augmented import TrainAugmented
from offerbench.schema import (
    AUGMENTED_MODEL,
    BATCHES_DIRECTORY,
    HISTORY_AFFINITY,
    PREPARED_DIRECTORY,
    SEGMENTS,
    Split,
)

TARGET = Path("reports/search.md")
TRIALS = Path("reports/search.json")


class Bench:
    """Trains and measures one set-up after the other on the same validation batches."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.data: PreparedData = load_prepared(PREPARED_DIRECTORY)
        file = BATCHES_DIRECTORY / "validation.arrow"
        self.batches: Rows = read_batches(file, parameters.rebatch.batch_size)
        events = {name: self.data.events[name][self.batches.reshape(-1)] for name in self.data.offer_sizes}
        most = parameters.group_test.values_per_feature
        self.tables = {task: group_offers(events, task, most) for task in parameters.tasks}

    def measure(self, augmented: TrainAugmented) -> dict[str, Any]:
        """Train with a set-up; give wAUC by segment and task, of the model and of affinity, and epochs."""
        model_parameters, train = augmented.overrides.applied(self.parameters.model, self.parameters.train)
        specification = AugmentedSpecification(
            user_features=self.data.user_sizes,
            offer_features=self.data.offer_sizes,
            model=model_parameters,
            parts=augmented.parts,
        )
        model = make_model(specification, np.random.default_rng(train.seed))
        minibatch = train.number_of_negatives + 1
        feed = AugmentedFeed(
            self.data, self.batches, self.parameters.rebatch, augmented, minibatch, train.seed
        )
        curves = train_model(model, feed, train, print)
        scored = score_tasks(
            {AUGMENTED_MODEL: model},
            self.tables,
            self.data,
            Split.VALIDATION,
            self.batches,
            minibatch,
            lambda _: None,
        )
        results = {task: measure_task(part, self.data.first_label) for task, part in scored}
        wauc = wauc_table(results, self.parameters.evaluate)
        best = int(np.argmax([epoch.validation_auc for epoch in curves]))
        return {
            "best_epoch": best + 1,
            "validation_auc": curves[best].validation_auc,
            "wauc": {
                name: {
                    segment: {task: wauc[segment][task][name] for task in self.tables} for segment in SEGMENTS
                }
                for name in (AUGMENTED_MODEL, HISTORY_AFFINITY)
            },
        }

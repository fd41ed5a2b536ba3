"""One training step of the augmented model against one of the full model, on Complete Journey."""

from collections.abc import Callable
from itertools import islice

import numpy as np

from benchmarks.measure import Comparison, alternate
from offerbench.batching.batches import batches_file, read_batches
from offerbench.core.columns import Split
from offerbench.model.config import TrainParameters
from offerbench.model.feed import Feed
from offerbench.model.ranker import Ranker
from offerbench.model.specification import specify
from offerbench.model.training import Curve, Trainer
from offerbench.parameters import Parameters
from offerbench.preparation.prepared import PreparedData

STEPS = 20


def compare_augmented_step(parameters: Parameters, data: PreparedData, rounds: int) -> Comparison:
    """Time steps of both models, each with the making of its batches and its metric."""
    full, augmented = (
        _steps(parameters, data, training) for training in (parameters.train_full, parameters.train_augmented)
    )
    full_seconds, augmented_seconds = alternate(full, augmented, rounds)
    return Comparison(
        figure="training step, augmented (ours) against full (plain)",
        plain_seconds=full_seconds / STEPS,
        ours_seconds=augmented_seconds / STEPS,
        rounds=rounds,
        rows=parameters.rebatch.batch_size,
        wanted_ratio=0.4,
        agreement="two models, not two ways to one result",
    )


def make_trainer(
    parameters: Parameters, data: PreparedData, training: TrainParameters
) -> tuple[Trainer, Feed]:
    """Make an untrained model of all features with what trains it."""
    rebatch, features = parameters.rebatch, list(data.offer_sizes)
    validation = read_batches(batches_file(Split.VALIDATION), rebatch.batch_size)
    feed = Feed(data, validation, rebatch, training, features)
    model = Ranker(specify(data, features, training), np.random.default_rng(training.seed))
    return Trainer(model, feed.signature, feed.validation_signature), feed


def _steps(parameters: Parameters, data: PreparedData, training: TrainParameters) -> Callable[[], None]:
    trainer, feed = make_trainer(parameters, data, training)

    def run() -> None:
        curve = Curve()
        for step, batch in enumerate(islice(feed.training(0), STEPS)):
            curve.add(*trainer.train_step(batch, step))

    return run

"""One training step of the augmented model against one of the full model, on Complete Journey."""

from collections.abc import Callable
from itertools import islice

import numpy as np
from offerbench.model.checkpoint import make_model
from offerbench.model.stage import VALIDATION_FILE, augmented_set_up, two_tower_set_up
from offerbench.model.train_config import Train

from benchmarks.measure import Comparison, alternate
from offerbench.batching.batches import read_batches
from offerbench.model.feed import Feed
from offerbench.model.specification import ModelSpecification
from offerbench.model.training import Curve, Trainer
from offerbench.parameters import Parameters
from offerbench.preparation.prepared import PreparedData

STEPS = 20


def compare_augmented_step(parameters: Parameters, data: PreparedData, rounds: int) -> Comparison:
    """Time steps of both models, each with the making of its batches and its metric."""
    validation = read_batches(VALIDATION_FILE, parameters.rebatch.batch_size)
    features = list(data.offer_sizes)
    full, full_feed = two_tower_set_up(data, validation, features, parameters.rebatch, parameters.model)
    specification, feed, train = augmented_set_up(
        data,
        validation,
        parameters.rebatch,
        parameters.model,
        parameters.train,
        parameters.train_augmented,
    )
    of_full = _steps(full, full_feed, parameters.train)
    full_seconds, augmented_seconds = alternate(of_full, _steps(specification, feed, train), rounds)
    return Comparison(
        figure="training step, augmented (ours) against full (plain)",
        plain_seconds=full_seconds / STEPS,
        ours_seconds=augmented_seconds / STEPS,
        rounds=rounds,
        rows=parameters.rebatch.batch_size,
        wanted_ratio=0.4,
        agreement="two models, not two ways to one result",
    )


def _steps(specification: ModelSpecification, feed: Feed, train: Train) -> Callable[[], None]:
    model = make_model(specification, np.random.default_rng(train.seed))
    trainer = Trainer(model, train, feed.signature, feed.validation_signature)

    def run() -> None:
        curve = Curve()
        for step, batch in enumerate(islice(feed.training(0), STEPS)):
            curve.add(*trainer.train_step(batch, step))

    return run

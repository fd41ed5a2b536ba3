"""One training step of the augmented model on Complete Journey: the study's manner against ours."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
import tensorflow as tf

from benchmarks.measure import Comparison
from benchmarks.plain.augmentation import (
    PlainAugmentedTrainer,
    PlainGrouping,
    draw_groupings,
    packed_keys,
)
from benchmarks.plain.matches import past_group
from benchmarks.plain.training import Inputs, plain_group
from benchmarks.training_step import STEPS, compare_gradients, step_seconds, untrained
from offerbench.batching.batches import draw_pass, drop_history
from offerbench.batching.grouped import BatchMaker
from offerbench.batching.grouping_keys import Key, draw_keys
from offerbench.core.columns import Split
from offerbench.core.ranges import Rows
from offerbench.model.config import TrainParameters
from offerbench.model.ranker import Ranker
from offerbench.model.tensors import BatchTensors, batch_signature, batch_tensors
from offerbench.model.training import Trainer
from offerbench.parameters import Parameters
from offerbench.preparation.prepared import PreparedData


def as_in_the_study(training: TrainParameters) -> TrainParameters:
    """Take out of the augmented model's training what the study's augmentation has not."""
    ranker = training.ranker.model_copy(update={"match_score": None})
    changes = {"ranker": ranker, "remove_accidental_hits": "none", "history_dropout": 0.0}
    return training.model_copy(update=changes)


def check_agreement(parameters: Parameters, data: PreparedData, training: TrainParameters) -> str:
    """Compare loss and gradients of both steps on the same weights, batch and groups, without dropout.

    The first grouping is left as it is, and both sides make its groups; the others are split and merged
    at random by ours, and their groups handed to both.

    Raises
    ------
    AssertionError
        If the first groups or the results differ.
    """
    features, change = list(data.offer_sizes), training.groupings
    assert change is not None
    model = untrained(data, training.model_copy(update={"history_dropout": 0.0}), features, dropout=0.0)
    rows = next(draw_pass(data, Split.TRAIN, parameters.rebatch))
    generator = np.random.default_rng(training.seed)
    always = change.model_copy(update={"coarser_and_finer_share": 1.0})
    keys = [
        Key(key.features, always if place else None)
        for place, key in enumerate(draw_keys(len(features), change, generator))
    ]
    grouped = BatchMaker(data, features, training.matching).make(rows, keys, generator)
    handed = [
        PlainGrouping(
            tf.constant(np.isin(np.arange(len(features)), key.features)),
            tf.constant(grouping.group_of_event),
        )
        for key, grouping in zip(keys, grouped.groupings, strict=True)
    ]
    labels = [tf.constant(data.events[name][rows]) for name in features]
    own = tf.unique(packed_keys(labels, list(data.offer_sizes.values()), handed[0].is_drawn))[1].numpy()
    ours = grouped.groupings[0].group_of_event
    assert len(set(zip(own, ours, strict=True))) == len(set(own)) == len(set(ours)), "the groups differ"
    plain_loss, plain = PlainAugmentedTrainer(model, lambda _: handed).gradients(
        _plain_group(data, model, rows)
    )
    return compare_gradients(plain_loss, plain, _trainer(data, model, len(rows)), batch_tensors(grouped))


def compare_augmentations(
    parameters: Parameters,
    data: PreparedData,
    training: TrainParameters,
    name: str,
    wanted_ratio: float,
    rounds: int,
) -> Comparison:
    """Time steps of both, each with the making of its batches and groups and its metric.

    Parameters
    ----------
    parameters : Parameters
        Of the batches.
    data : PreparedData
        The data set.
    training : TrainParameters
        Of a model of all features with groupings.
    name : str
        What is timed.
    wanted_ratio : float
        What the project promises.
    rounds : int
        Times that each is run.
    """
    assert training.groupings is not None
    model = untrained(data, training, list(data.offer_sizes))
    batches = list(islice(draw_pass(data, Split.TRAIN, parameters.rebatch), STEPS))
    plain = PlainAugmentedTrainer(model, draw_groupings(training.groupings, list(data.offer_sizes.values())))
    group = _plain_group(data, model, np.concatenate(batches))
    trainer = _trainer(data, model, parameters.rebatch.batch_size)
    maker = BatchMaker(data, list(data.offer_sizes), training.matching)
    seconds = step_seconds(plain, group, trainer, lambda: _made(data, maker, training, batches), rounds)
    return Comparison(
        f"training step, {name}",
        *seconds,
        rounds=rounds,
        rows=parameters.rebatch.batch_size,
        wanted_ratio=wanted_ratio,
        agreement=check_agreement(parameters, data, training),
    )


def _plain_group(data: PreparedData, model: Ranker, rows: Rows) -> Inputs:
    columns = plain_group(data, rows, list(data.offer_sizes))
    return columns | (past_group(data, rows, list(data.offer_sizes)) if model.match_score else {})


def _trainer(data: PreparedData, model: Ranker, events: int) -> Trainer:
    training = model.specification.training
    assert training.groupings is not None
    number = training.groupings.number
    signature = batch_signature(data, list(data.offer_sizes), events, training.matching, number)
    return Trainer(model, signature, signature)


def _made(
    data: PreparedData, maker: BatchMaker, training: TrainParameters, batches: Iterable[Rows]
) -> Iterator[BatchTensors]:
    """Make batches as a training does, of the same events and random changes in each round."""
    generator = np.random.default_rng(training.seed)
    for rows in batches:
        keys = draw_keys(len(data.offer_sizes), training.groupings, generator)
        grouped = maker.make(rows, keys, generator)
        batch = drop_history(grouped.batch, training.history_dropout, generator)
        yield batch_tensors(replace(grouped, batch=batch))

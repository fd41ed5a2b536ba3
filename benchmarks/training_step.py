"""One training step of the full model on Complete Journey: the published manner against ours."""

from itertools import islice

import numpy as np
import tensorflow as tf
from offerbench.model.two_tower import TwoTower

from benchmarks.measure import Comparison, alternate
from benchmarks.plain.training import PlainTrainer, plain_batch, plain_group
from offerbench.batching.batches import draw_pass, make_batch
from offerbench.batching.prefetch import prefetched
from offerbench.core.columns import Split
from offerbench.model.specification import ModelSpecification
from offerbench.model.tensors import batch_signature, batch_tensors
from offerbench.model.training import Curve, Trainer
from offerbench.parameters import Parameters
from offerbench.preparation.prepared import PreparedData

STEPS = 5
LOSS_TOLERANCE, GRADIENT_TOLERANCE = 1e-5, 1e-4


def _model(parameters: Parameters, data: PreparedData, features: list[str], dropout: float) -> TwoTower:
    specification = ModelSpecification(
        user_features=data.user_sizes,
        offer_features={name: data.offer_sizes[name] for name in features},
        model=parameters.model.model_copy(update={"dropout": dropout}),
    )
    return TwoTower(specification, np.random.default_rng(parameters.train.seed))


def check_agreement(parameters: Parameters, data: PreparedData, features: list[str]) -> str:
    """Compare loss and gradients of both steps on the same weights and batch, without dropout.

    Raises
    ------
    AssertionError
        If they differ by more than the tolerances.
    """
    model = _model(parameters, data, features, dropout=0.0)
    rows = next(draw_pass(data, Split.TRAIN, parameters.rebatch))
    plain_loss, plain = PlainTrainer(model, parameters.train).gradients(plain_group(data, rows, features))
    signature = batch_signature(data.user_sizes, features, parameters.rebatch.batch_size)
    trainer = Trainer(model, parameters.train, signature)
    wanted = {
        **model.user_tables,
        **{f"offer_{name}": table for name, table in model.offer_tables.items()},
        **{
            f"{tower.name}/kernel_{i}": kernel
            for tower in (model.user_tower, model.offer_tower)
            for i, kernel in enumerate(tower.kernels)
        },
    }
    with tf.GradientTape() as tape:
        loss, _ = trainer.loss(batch_tensors(make_batch(data, rows, features)), tf.constant(0))
    ours = dict(zip(wanted, tape.gradient(loss, list(wanted.values())), strict=True))
    loss_gap = abs(float(loss) - float(plain_loss))
    gradient_gap = max(
        float(np.max(np.abs(tf.convert_to_tensor(ours[name]).numpy() - tf.convert_to_tensor(g).numpy())))
        for name, g in plain.items()
    )
    assert loss_gap < LOSS_TOLERANCE and gradient_gap < GRADIENT_TOLERANCE, (loss_gap, gradient_gap)
    return f"loss within {loss_gap:.0e}, gradients within {gradient_gap:.0e}"


def compare_training_steps(
    parameters: Parameters,
    data: PreparedData,
    features: list[str],
    name: str,
    wanted_ratio: float,
    rounds: int,
) -> Comparison:
    """Time steps of both, each with the making of its batches and its metric."""
    model = _model(parameters, data, features, parameters.model.dropout)
    batches = list(islice(draw_pass(data, Split.TRAIN, parameters.rebatch), STEPS))
    plain = PlainTrainer(model, parameters.train)
    group = plain_group(data, np.concatenate(batches), features)
    events = np.split(np.arange(group[f"offer_{features[0]}"].nrows()), len(batches))
    signature = batch_signature(data.user_sizes, features, parameters.rebatch.batch_size)
    trainer = Trainer(model, parameters.train, signature)

    def plain_steps() -> None:
        for batch in events:
            plain.step(plain_batch(group, tf.constant(batch)))

    def our_steps() -> None:
        curve = Curve()
        for step, batch in enumerate(
            prefetched(batch_tensors(make_batch(data, r, features)) for r in batches)
        ):
            curve.add(*trainer.train_step(batch, step))

    plain_seconds, our_seconds = alternate(plain_steps, our_steps, rounds)
    return Comparison(
        figure=f"training step, {name}",
        plain_seconds=plain_seconds / STEPS,
        ours_seconds=our_seconds / STEPS,
        rounds=rounds,
        rows=parameters.rebatch.batch_size,
        wanted_ratio=wanted_ratio,
        agreement=check_agreement(parameters, data, features),
    )

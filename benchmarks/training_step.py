"""One training step of a model on Complete Journey: the published manner against ours."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.measure import Comparison, alternate
from benchmarks.plain.training import Inputs, PlainTrainer, plain_batch, plain_group
from offerbench.batching.batches import draw_pass
from offerbench.batching.grouped import BatchMaker
from offerbench.batching.prefetch import prefetched
from offerbench.core.columns import Split
from offerbench.core.ranges import Rows
from offerbench.model.config import TrainParameters
from offerbench.model.layers import Dropout
from offerbench.model.ranker import Ranker
from offerbench.model.specification import specify
from offerbench.model.tensors import BatchTensors, batch_signature, batch_tensors
from offerbench.model.training import Curve, Trainer
from offerbench.parameters import Parameters
from offerbench.preparation.prepared import PreparedData

STEPS = 5
LOSS_TOLERANCE, GRADIENT_TOLERANCE = 1e-5, 1e-4


def untrained(
    data: PreparedData, training: TrainParameters, features: Sequence[str], **changes: Any
) -> Ranker:
    """Make the ranker of a training, some of its ranker's keys changed."""
    ranker = training.ranker.model_copy(update=changes)
    specification = specify(data, features, training.model_copy(update={"ranker": ranker}))
    return Ranker(specification, np.random.default_rng(training.seed))


def _trainer(data: PreparedData, model: Ranker, events: int) -> Trainer:
    specification = model.specification
    matching = specification.training.matching
    signature = batch_signature(data, list(specification.offer_features), events, matching)
    return Trainer(model, signature, signature)


def _batches(data: PreparedData, model: Ranker, batches: Iterable[Rows]) -> Iterator[BatchTensors]:
    """Make batches whose events stay what they are."""
    specification = model.specification
    maker = BatchMaker(data, list(specification.offer_features), specification.training.matching)
    unused = np.random.default_rng(0)
    return (batch_tensors(maker.make(rows, [], unused)) for rows in batches)


def check_agreement(
    parameters: Parameters, data: PreparedData, training: TrainParameters, features: list[str]
) -> str:
    """Compare loss and gradients of both steps on the same weights and batch, without dropout.

    Raises
    ------
    AssertionError
        If they differ by more than the tolerances.
    """
    model = untrained(data, training, features, dropout=0.0)
    rows = next(draw_pass(data, Split.TRAIN, parameters.rebatch))
    plain_loss, plain = PlainTrainer(model).gradients(plain_group(data, rows, features))
    trainer = _trainer(data, model, len(rows))
    return compare_gradients(plain_loss, plain, trainer, next(_batches(data, model, [rows])))


def compare_gradients(
    plain_loss: tf.Tensor, plain: Mapping[str, tf.Tensor], trainer: Trainer, batch: BatchTensors
) -> str:
    """Compare a plain step's loss and gradients, by name, with ours of the same batch; without dropout.

    Raises
    ------
    AssertionError
        If they differ by more than the tolerances.
    """
    model = trainer.model
    wanted = {
        **model.user_tables,
        **{f"offer_{name}": table for name, table in model.offer_tables.items()},
        **{
            f"{tower.name}/kernel_{i}": kernel
            for tower in (model.interaction.users, model.interaction.offers)
            for i, kernel in enumerate(tower.kernels)
        },
    }
    if matches := model.match_score:
        parts = matches.kernel, matches.bias, matches.weights, matches.weights_of_offer
        wanted |= {variable.name.removesuffix(":0"): variable for variable in parts}
    with tf.GradientTape() as tape:
        loss, _ = trainer.loss(batch, Dropout(0.0, 0, tf.constant(0)))
    ours = dict(zip(wanted, tape.gradient(loss, list(wanted.values())), strict=True))
    assert ours.keys() == plain.keys(), ours.keys() ^ plain.keys()
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
    training: TrainParameters,
    features: list[str],
    name: str,
    wanted_ratio: float,
    rounds: int,
) -> Comparison:
    """Time steps of both, each with the making of its batches and its metric.

    Parameters
    ----------
    parameters : Parameters
        Of the batches.
    data : PreparedData
        The data set.
    training : TrainParameters
        Of a model of events and their own products.
    features : list of str
        Offer features that the model sees.
    name : str
        What is timed.
    wanted_ratio : float
        What the project promises.
    rounds : int
        Times that each is run.
    """
    model = untrained(data, training, features)
    batches = list(islice(draw_pass(data, Split.TRAIN, parameters.rebatch), STEPS))
    plain = PlainTrainer(model)
    group = plain_group(data, np.concatenate(batches), features)
    trainer = _trainer(data, model, parameters.rebatch.batch_size)
    seconds = step_seconds(plain, group, trainer, lambda: _batches(data, model, batches), rounds)
    return Comparison(
        f"training step, {name}",
        *seconds,
        rounds=rounds,
        rows=parameters.rebatch.batch_size,
        wanted_ratio=wanted_ratio,
        agreement=check_agreement(parameters, data, training, features),
    )


def step_seconds(
    plain: PlainTrainer,
    group: Inputs,
    trainer: Trainer,
    made: Callable[[], Iterator[BatchTensors]],
    rounds: int,
) -> tuple[float, float]:
    """Time `STEPS` steps of both, in turn; seconds of a step, of the plain twin's and of ours.

    Parameters
    ----------
    plain : PlainTrainer
        The twin.
    group : Inputs
        Columns of the events of all batches, one batch after the other.
    trainer : Trainer
        Ours.
    made : callable
        Makes the batches, every time anew.
    rounds : int
        Times that each is run.
    """
    rows = next(iter(group.values())).nrows()
    events = np.split(np.arange(rows), STEPS)

    def plain_steps() -> None:
        for batch in events:
            plain.step(plain_batch(group, tf.constant(batch)))

    def our_steps() -> None:
        curve = Curve()
        for step, batch in enumerate(prefetched(made())):
            curve.add(*trainer.train_step(batch, step))

    plain_seconds, our_seconds = alternate(plain_steps, our_steps, rounds)
    return plain_seconds / STEPS, our_seconds / STEPS

"""Training a ranker: reads from top to bottom."""

import logging
import math
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from offerbench.core.errors import OfferbenchError
from offerbench.model.checkpoints import Checkpoints
from offerbench.model.feed import Feed
from offerbench.model.layers import Dropout
from offerbench.model.negatives import Pairs, pair_loss
from offerbench.model.optimizer import make_optimizer
from offerbench.model.pair_auc import PairAuc
from offerbench.model.progress import Epoch, Progress, best_point, is_finished
from offerbench.model.ranker import Ranker
from offerbench.model.saved_model import DIVERGED
from offerbench.model.tensors import BatchTensors

LOG = logging.getLogger(__name__)
BEST = ("validation_auc", "epoch", "steps")


class Trainer:
    """One model, its optimizer and its compiled steps.

    Parameters
    ----------
    model : Ranker
        Trained in place.
    signature, validation_signature : BatchTensors of tf.TensorSpec
        Of the batches, as a feed names them.
    """

    def __init__(self, model: Ranker, signature: BatchTensors, validation_signature: BatchTensors) -> None:
        self.model = model
        self.parameters = model.specification.training
        self.optimizer = make_optimizer(self.parameters.optimizer)
        self.variables = model.trainable_variables
        # No step branches on a tensor, so nothing is there for AutoGraph to rewrite; that takes a second.
        step = tf.TensorSpec([], tf.int32)
        self.train_step = tf.function(self._train_step, [signature, step], autograph=False)
        self.validation_step = tf.function(self._validation_step, [validation_signature], autograph=False)

    def loss(self, batch: BatchTensors, drop: Dropout | None) -> tuple[tf.Tensor, Pairs]:
        """Loss of a batch with its L1 penalty (scalar), and its pairs; `drop` is that of a training step."""
        pairs = self.model.pairs(batch, self.parameters.neighbours, drop)
        absolute = [tf.reduce_sum(tf.abs(variable)) for variable in self.model.regularised()]
        return pair_loss(pairs) + self.parameters.ranker.l1 * tf.add_n(absolute), pairs

    def _train_step(self, batch: BatchTensors, step: tf.Tensor) -> tuple[tf.Tensor, Pairs]:
        drop = Dropout(self.parameters.ranker.dropout, self.parameters.seed, step)
        with tf.GradientTape() as tape:
            loss, pairs = self.loss(batch, drop)
        gradients = tape.gradient(loss, self.variables)
        # An embedding's L1 term makes its gradient dense; add the rows that were looked up to it.
        dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
        self.optimizer.apply_gradients(zip(dense, self.variables, strict=True))
        return loss, pairs

    def _validation_step(self, batch: BatchTensors) -> tuple[tf.Tensor, Pairs]:
        return self.loss(batch, None)


class Curve:
    """Mean loss of a pass, and AUC over its pairs: the mean of the groupings' AUC."""

    def __init__(self) -> None:
        self._losses: list[float] = []
        self._aucs: list[PairAuc] = []

    def add(self, loss: tf.Tensor, pairs: Pairs) -> None:
        """Take a batch's loss and pairs.

        Raises
        ------
        OfferbenchError
            If the loss is not finite.
        """
        self._losses.append(float(loss))
        if not math.isfinite(self._losses[-1]):
            raise OfferbenchError(
                f"batch {len(self._losses)} of an epoch has a loss of {float(loss)}: {DIVERGED}"
            )
        groupings = pairs.logits
        weights = [None] * len(groupings) if pairs.weights is None else pairs.weights
        while len(self._aucs) < len(groupings):
            self._aucs.append(PairAuc())
        for auc, logits, weight in zip(self._aucs, groupings, weights, strict=True):
            auc.add(logits, weight)

    def result(self) -> tuple[float, float]:
        """Loss and AUC so far, rounded to the 6 digits that are written."""
        auc = np.mean([auc.result() for auc in self._aucs])
        return round(float(np.mean(self._losses)), 6), round(float(auc), 6)


def train_model(
    model: Ranker,
    feed: Feed,
    checkpoints: Checkpoints | None = None,
    record: Callable[[Epoch], None] = lambda _: None,
) -> list[Epoch]:
    """Train a model in place and give its curves.

    With `early_stopping_patience` the weights of the epoch of highest validation AUC are restored. A training
    that diverges is refused, whatever its best epoch was: another machine could part with it elsewhere.

    Parameters
    ----------
    model : Ranker
        The model; its specification says how it is trained.
    feed : Feed
        Gives its batches.
    checkpoints : Checkpoints, optional
        Where an interrupted training goes on from, to the same bytes; written after each epoch.
    record : callable, optional
        Gets each epoch, those before an interruption too.
    """
    trainer = Trainer(model, feed.signature, feed.validation_signature)
    progress = Progress(model, trainer.optimizer)
    if checkpoints:
        checkpoints.restore(progress)
    for done in progress.curves:
        record(done)
    while not is_finished(progress.curves, trainer.parameters):
        training, validation, epoch = Curve(), Curve(), len(progress.curves)
        batches = feed.training(epoch)
        for batch in tqdm(batches, desc=f"epoch {epoch + 1}", unit=" batches", disable=None):
            training.add(*trainer.train_step(batch, progress.step))
            progress.step += 1
        for batch in feed.validation():
            validation.add(*trainer.validation_step(batch))
        steps = int(progress.step)
        progress.finish_epoch(Epoch(epoch + 1, steps, *training.result(), *validation.result()))
        LOG.info(" ".join(f"{name} {value}" for name, value in asdict(progress.curves[-1]).items()))
        record(progress.curves[-1])
        if checkpoints:
            checkpoints.write(progress)
    if trainer.parameters.early_stopping_patience is not None:
        progress.restore_best()
    best = best_point(progress.curves)
    LOG.info("highest validation AUC: %s in epoch %d, step %d", *map(best.get, BEST))
    if best["note"]:
        LOG.warning("%s", best["note"])
    return progress.curves

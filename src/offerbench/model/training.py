"""Training a model: reads from top to bottom."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from offerbench.model.feed import Feed
from offerbench.model.negatives import Pairs, pair_loss, pair_targets
from offerbench.model.optimizer import make_optimizer
from offerbench.model.progress import Epoch, Progress, is_finished
from offerbench.model.ranking_model import RankingModel
from offerbench.model.resume import Checkpoints
from offerbench.params.train import Train

AUC_THRESHOLDS = 200  # Keras's default: the curve's third digit is right


class Trainer:
    """One model, its optimizer and its compiled steps.

    Parameters
    ----------
    model : RankingModel
        Trained in place.
    train : Train
        Parameters.
    signature, validation_signature : nested tuples of tf.TensorSpec
        Of the batches, as a feed names them.
    """

    def __init__(
        self, model: RankingModel, train: Train, signature: Any, validation_signature: Any = None
    ) -> None:
        self.model = model
        self.minibatch = train.number_of_negatives + 1
        self.optimizer = make_optimizer(train)
        self.seed = train.seed
        self.signature = signature
        self.variables = model.trainable_variables
        self.train_step = tf.function(
            self._train_step, input_signature=[signature, tf.TensorSpec([], tf.int32)]
        )
        self.validation_step = tf.function(
            self._validation_step, input_signature=[validation_signature or signature]
        )

    def loss(self, batch: Any, step: tf.Tensor) -> tuple[tf.Tensor, Pairs]:
        """Loss of a training batch with its L1 penalty (scalar), and its pairs."""
        pairs = self.model.train_pairs(batch, self.seed, step, self.minibatch)
        return pair_loss(pairs) + self.penalty(), pairs

    def penalty(self) -> tf.Tensor:
        """L1 penalty; float32, scalar."""
        absolute = [tf.reduce_sum(tf.abs(variable)) for variable in self.model.regularised()]
        return self.model.specification.model.l1 * tf.add_n(absolute)

    def _train_step(self, batch: Any, step: tf.Tensor) -> tuple[tf.Tensor, Pairs]:
        with tf.GradientTape() as tape:
            loss, pairs = self.loss(batch, step)
        gradients = tape.gradient(loss, self.variables)
        # An embedding's L1 term makes its gradient dense; add the rows that were looked up to it.
        dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
        self.optimizer.apply_gradients(zip(dense, self.variables, strict=True))
        return loss, pairs

    def _validation_step(self, batch: Any) -> tuple[tf.Tensor, Pairs]:
        pairs = self.model.infer_pairs(batch, self.minibatch)
        return pair_loss(pairs) + self.penalty(), pairs


class Curve:
    """Mean loss of a pass, and AUC over its pairs: the mean of the views' AUC if there are several."""

    def __init__(self) -> None:
        self._losses: list[float] = []
        self._aucs: list[Any] = []

    def add(self, loss: tf.Tensor, pairs: Pairs) -> None:
        """Take a batch's loss and pairs."""
        self._losses.append(float(loss))
        views, weights = pairs.logits, pairs.weights  # (views, b, m, m)
        if weights is None:
            views, weights = views[None], [None]
        while len(self._aucs) < len(views):
            self._aucs.append(tf.keras.metrics.AUC(num_thresholds=AUC_THRESHOLDS, from_logits=True))
        for auc, logits, weight in zip(self._aucs, views, weights, strict=True):
            flat = None if weight is None else tf.reshape(weight, [-1])
            auc.update_state(tf.reshape(pair_targets(logits), [-1]), tf.reshape(logits, [-1]), flat)

    def result(self) -> tuple[float, float]:
        """Loss and AUC so far, rounded to the 6 digits that are written."""
        auc = np.mean([float(auc.result()) for auc in self._aucs])
        return round(float(np.mean(self._losses)), 6), round(float(auc), 6)


def train_model(
    model: RankingModel,
    feed: Feed,
    train: Train,
    report: Callable[[str], None],
    checkpoints: Checkpoints | None = None,
    log: Callable[[Epoch], None] = lambda _: None,
) -> list[Epoch]:
    """Train a model in place and give its curves.

    With `early_stopping_patience` the weights of the epoch of highest validation AUC are restored.

    Parameters
    ----------
    model : RankingModel
        The model.
    feed : Feed
        Gives its batches.
    train : Train
        Parameters.
    report : callable
        Called with one line for each epoch.
    checkpoints : Checkpoints, optional
        Where an interrupted training goes on from, to the same bytes; written after each epoch.
    log : callable, optional
        Called with each epoch, those before an interruption too.
    """
    trainer = Trainer(model, train, feed.signature, feed.validation_signature)
    progress = Progress(model, trainer.optimizer)
    if checkpoints:
        checkpoints.restore(progress)
    for done in progress.curves:
        log(done)
    while not is_finished(progress.curves, train):
        training, validation, epoch = Curve(), Curve(), len(progress.curves)
        batches = feed.training(epoch)
        for batch in tqdm(batches, desc=f"epoch {epoch + 1}", unit=" batches", disable=None):
            training.add(*trainer.train_step(batch, progress.step))
            progress.step += 1
        for batch in feed.validation():
            validation.add(*trainer.validation_step(batch))
        progress.finish_epoch(Epoch(epoch + 1, *training.result(), *validation.result()))
        log(progress.curves[-1])
        report(" ".join(f"{name} {value}" for name, value in asdict(progress.curves[-1]).items()))
        if checkpoints:
            checkpoints.write(progress)
    if train.early_stopping_patience is not None:
        progress.restore_best()
    return progress.curves

"""Training a two-tower model: reads from top to bottom."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from offerbench.batching.batches import Batch, draw_pass, make_batch
from offerbench.batching.prefetch import prefetched
from offerbench.batching.prepared import PreparedData
from offerbench.batching.sampling import Rows
from offerbench.model.negatives import pair_logits, pair_loss, pair_targets
from offerbench.model.optimizer import make_optimizer
from offerbench.model.progress import Epoch, Progress, is_finished
from offerbench.model.resume import Checkpoints
from offerbench.model.two_tower import BatchTensors, TwoTower
from offerbench.params.rebatch import Rebatch
from offerbench.params.train import Train
from offerbench.schema import Split

AUC_THRESHOLDS = 200  # Keras's default: the curve's third digit is right


def batch_tensors(batch: Batch) -> BatchTensors:
    """NumPy arrays of a batch in the form that the model takes."""
    return BatchTensors(
        values={name: bag.values for name, bag in batch.bags.items()},
        segments={name: bag.segments for name, bag in batch.bags.items()},
        view_of_event=batch.view_of_event,
        offer_values=batch.offer_values,
        offer_rows=batch.offer_rows,
    )


def batch_signature(model: TwoTower, batch_size: int) -> BatchTensors:
    """Shapes and dtypes of `BatchTensors`."""
    any_length, events = tf.TensorSpec([None], tf.int32), tf.TensorSpec([batch_size], tf.int32)
    users, offers = model.specification.user_features, model.specification.offer_features
    return BatchTensors(
        values=dict.fromkeys(users, any_length),
        segments=dict.fromkeys(users, any_length),
        view_of_event=events,
        offer_values=dict.fromkeys(offers, any_length),
        offer_rows=dict.fromkeys(offers, events),
    )


class Trainer:
    """One model, its optimizer and its compiled steps.

    Parameters
    ----------
    model : TwoTower
        Trained in place.
    train : Train
        Parameters.
    batch_size : int
        Events in a batch.
    """

    def __init__(self, model: TwoTower, train: Train, batch_size: int) -> None:
        self.model = model
        self.minibatch = train.number_of_negatives + 1
        self.optimizer = make_optimizer(train)
        self.seed = train.seed
        self.signature = batch_signature(model, batch_size)
        self.variables = model.trainable_variables
        self.train_step = tf.function(
            self._train_step, input_signature=[self.signature, tf.TensorSpec([], tf.int32)]
        )
        self.validation_step = tf.function(self._validation_step, input_signature=[self.signature])

    def loss(self, batch: BatchTensors, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Loss of a training batch with its L1 penalty (scalar), and its logits (b, m, m)."""
        seed = tf.stack([2 * self.seed, step * len(self.model.specification.model.tower_units)])
        users, offers = self.model.train_vectors(batch, seed)  # (B, units)
        logits = pair_logits(users, offers, self.minibatch)  # (B / m, m, m)
        return pair_loss(logits) + self.penalty(), logits

    def penalty(self) -> tf.Tensor:
        """L1 penalty; float32, scalar."""
        absolute = [tf.reduce_sum(tf.abs(variable)) for variable in self.model.regularised()]
        return self.model.specification.model.l1 * tf.add_n(absolute)

    def _train_step(self, batch: BatchTensors, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            loss, logits = self.loss(batch, step)
        gradients = tape.gradient(loss, self.variables)
        # An embedding's L1 term makes its gradient dense; add the rows that were looked up to it.
        dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
        self.optimizer.apply_gradients(zip(dense, self.variables, strict=True))
        return loss, logits

    def _validation_step(self, batch: BatchTensors) -> tuple[tf.Tensor, tf.Tensor]:
        users, offers = self.model.infer_vectors(batch)
        logits = pair_logits(users, offers, self.minibatch)
        return pair_loss(logits) + self.penalty(), logits


class Curve:
    """Mean loss and AUC over the pairs of a pass."""

    def __init__(self) -> None:
        self._losses: list[float] = []
        self._auc = tf.keras.metrics.AUC(num_thresholds=AUC_THRESHOLDS, from_logits=True)

    def add(self, loss: tf.Tensor, logits: tf.Tensor) -> None:
        """Take a batch's loss and logits."""
        self._losses.append(float(loss))
        self._auc.update_state(tf.reshape(pair_targets(logits), [-1]), tf.reshape(logits, [-1]))

    def result(self) -> tuple[float, float]:
        """Loss and AUC so far, rounded to the 6 digits that are written."""
        return round(float(np.mean(self._losses)), 6), round(float(self._auc.result()), 6)


def train_model(
    model: TwoTower,
    data: PreparedData,
    validation_batches: Rows,
    rebatch: Rebatch,
    train: Train,
    report: Callable[[str], None],
    checkpoints: Checkpoints | None = None,
) -> list[Epoch]:
    """Train a model in place and give its curves.

    With `early_stopping_patience` the weights of the epoch of highest validation AUC are restored.

    Parameters
    ----------
    model : TwoTower
        The model.
    data : PreparedData
        Its data.
    validation_batches : int64, shape (batches, batch_size)
        Rows of target events.
    rebatch, train : Rebatch, Train
        Parameters.
    report : callable
        Called with one line for each epoch.
    checkpoints : Checkpoints, optional
        Where an interrupted training goes on from, to the same bytes; written after each epoch.
    """
    trainer = Trainer(model, train, rebatch.batch_size)
    features = list(model.specification.offer_features)

    def tensors(batches: Iterable[Rows]) -> Iterator[BatchTensors]:
        return prefetched(batch_tensors(make_batch(data, rows, features)) for rows in batches)

    progress = Progress(model, trainer.optimizer)
    if checkpoints:
        checkpoints.restore(progress)
    while not is_finished(progress.curves, train):
        training, validation, epoch = Curve(), Curve(), len(progress.curves)
        batches = tensors(draw_pass(data, Split.TRAIN, rebatch, epoch))
        for batch in tqdm(batches, desc=f"epoch {epoch + 1}", unit=" batches", disable=None):
            training.add(*trainer.train_step(batch, progress.step))
            progress.step += 1
        for batch in tensors(validation_batches):
            validation.add(*trainer.validation_step(batch))
        progress.finish_epoch(Epoch(epoch + 1, *training.result(), *validation.result()))
        report(" ".join(f"{name} {value}" for name, value in asdict(progress.curves[-1]).items()))
        if checkpoints:
            checkpoints.write(progress)
    if train.early_stopping_patience is not None:
        progress.restore_best()
    return progress.curves

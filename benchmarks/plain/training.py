"""A training step in the manner of the published system.

Every step makes the bags distinct in the graph and multiplies them, as sparse matrices, with the
embedding tables; every event runs through both towers; Keras does the rest.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from offerbench.core.columns import HISTORY
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.model.optimizer import make_optimizer
from offerbench.model.ranker import Ranker
from offerbench.preparation.prepared import PreparedData

Inputs = dict[str, tf.RaggedTensor]


class Scored(NamedTuple):
    """Loss of a batch, and its pairs."""

    loss: tf.Tensor
    """With its penalties: float32, scalar."""
    targets: tf.Tensor
    """float32, shape (pairs, 1)."""
    logits: tf.Tensor
    """float32, shape (pairs, 1)."""
    weights: tf.Tensor | None = None
    """1 for a pair that counts, else 0: float32, shape (pairs, 1). None: every pair counts."""


def distinct_means(table: tf.Variable, bags: tf.RaggedTensor, dropout: float = 0.0) -> tf.Tensor:
    """Mean of the embeddings of each bag's distinct values, a random share of which is left out.

    Returns
    -------
    float32, shape (bags, dim)
    """
    labels = table.shape[0]
    rows = tf.repeat(tf.range(bags.nrows(), dtype=tf.int64), bags.row_lengths())
    distinct = tf.unique(rows * labels + tf.cast(bags.values, tf.int64))[0]
    if dropout:
        distinct = tf.boolean_mask(distinct, tf.random.uniform(tf.shape(distinct)) >= dropout)
    rows, columns = distinct // labels, distinct % labels
    weights = tf.RaggedTensor.from_value_rowids(tf.ones_like(rows, tf.float32), rows, bags.nrows())
    weights /= tf.reduce_sum(weights, axis=1, keepdims=True)
    shape = (bags.nrows(), labels)
    indicator = tf.SparseTensor(tf.stack([rows, columns], axis=1), weights.values, shape)
    return tf.sparse.sparse_dense_matmul(indicator, table)


class DistinctMean(tf.keras.layers.Layer):
    """Mean of the embeddings of the distinct values of ragged bags."""

    def __init__(self, labels: int, dim: int, l1: float, name: str) -> None:
        super().__init__(name=name)
        self.embeddings = self.add_weight(
            name="embeddings", shape=(labels, dim), regularizer=tf.keras.regularizers.L1(l1)
        )

    def call(self, bags: tf.RaggedTensor, dropout: float = 0.0) -> tf.Tensor:
        """Give float32, shape (events, dim)."""
        return distinct_means(self.embeddings, bags, dropout)


def keras_tower(name: str, units: list[int], dropout: float, momentum: float, l1: float) -> tf.keras.Model:
    """Batch normalisation, then dense, dropout, tanh for each layer."""
    layers: list[tf.keras.layers.Layer] = [tf.keras.layers.BatchNormalization(momentum=momentum)]
    for width in units:
        regularizer = tf.keras.regularizers.L1(l1)
        layers += [
            tf.keras.layers.Dense(width, kernel_regularizer=regularizer, bias_regularizer=regularizer),
            tf.keras.layers.Dropout(dropout),
            tf.keras.layers.Activation("tanh"),
        ]
    return tf.keras.Sequential(layers, name=name)


class PlainTrainer:
    """The published step with the weights of one of our models.

    Parameters
    ----------
    model : Ranker
        Gives features, parameters and first weights. Scored are events and their own products.
    """

    def __init__(self, model: Ranker) -> None:
        training, parameters = model.specification.training, model.specification.ranker
        tf.random.set_seed(training.seed)  # Keras draws dropout from global state
        self.neighbours = training.number_of_negatives + 1
        self.history_dropout = training.history_dropout
        tables = {**model.user_tables, **{f"offer_{k}": v for k, v in model.offer_tables.items()}}
        self.user_features = list(model.user_tables)
        self.offer_features = [f"offer_{name}" for name in model.offer_tables]
        layers = {
            table.ref(): DistinctMean(table.shape[0], table.shape[1], parameters.l1, name)
            for name, table in tables.items()
        }
        self.embeddings = {name: layers[table.ref()] for name, table in tables.items()}  # some may be shared
        self.towers = [
            keras_tower(
                name,
                list(parameters.units),
                parameters.dropout,
                parameters.batch_normalization_momentum,
                parameters.l1,
            )
            for name in ("user_tower", "offer_tower")
        ]
        for name, table in tables.items():
            self.embeddings[name].embeddings.assign(table)
        self.watched = {name: layer.embeddings for name, layer in self.embeddings.items()}
        for keras, ours in zip(self.towers, (model.interaction.users, model.interaction.offers), strict=True):
            keras.build((None, ours.kernels[0].shape[0]))
            dense = [layer for layer in keras.layers if isinstance(layer, tf.keras.layers.Dense)]
            for layer, kernel, bias in zip(dense, ours.kernels, ours.biases, strict=True):
                layer.kernel.assign(kernel)
                layer.bias.assign(bias)
            self.watched |= {f"{keras.name}/kernel_{i}": layer.kernel for i, layer in enumerate(dense)}
        self.layers = [*layers.values(), *self.towers]
        self.variables = [variable for layer in self.layers for variable in layer.trainable_variables]
        self.optimizer = make_optimizer(training.optimizer)
        self.metric = tf.keras.metrics.AUC(from_logits=True)
        self.loss_function = tf.keras.losses.BinaryCrossentropy(from_logits=True)
        self.step: Callable[[Inputs], tf.Tensor] = tf.function(self._step, reduce_retracing=True)

    def loss(self, inputs: Inputs) -> Scored:
        """Score all pairs of a batch."""
        sides = self.user_columns(inputs), self.offer_columns(inputs)
        users, offers = (
            self.by_group(tower(columns, training=True))
            for tower, columns in zip(self.towers, sides, strict=True)
        )
        logits = tf.reshape(tf.einsum("bid,bjd->bij", users, offers), (-1, 1))
        targets = self.targets(tf.shape(logits)[0])
        return Scored(self.loss_function(targets, logits) + self.penalty(), targets, logits)

    def user_columns(self, inputs: Inputs) -> tf.Tensor:
        """Means of each event's history, side by side; float32, shape (B, features * dim)."""
        means = [
            self.embeddings[name](inputs[name], dropout=self.history_dropout) for name in self.user_features
        ]
        return tf.concat(means, axis=1)

    def offer_columns(self, inputs: Inputs) -> tf.Tensor:
        """Embeddings of each event's own values, side by side; float32, shape (B, features * dim)."""
        return tf.concat([self.embeddings[name](inputs[name]) for name in self.offer_features], axis=1)

    def by_group(self, vectors: tf.Tensor) -> tf.Tensor:
        """Cut a batch into negatives groups; shape (B / m, m, width)."""
        return tf.reshape(vectors, (-1, self.neighbours, vectors.shape[-1]))

    def targets(self, pairs: tf.Tensor) -> tf.Tensor:
        """1 for a user with his own offer; float32, shape (pairs, 1)."""
        pair = tf.range(pairs)
        row, column = pair % self.neighbours, pair % self.neighbours**2 // self.neighbours
        return tf.reshape(tf.cast(row == column, tf.float32), (-1, 1))

    def penalty(self) -> tf.Tensor:
        """L1 of everything that is regularised; scalar."""
        return tf.add_n([penalty for layer in self.layers for penalty in layer.losses])

    def gradients(self, inputs: Inputs) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Loss, and the gradient of each embedding table by feature and of each kernel by tower."""
        with tf.GradientTape() as tape:
            loss = self.loss(inputs).loss
        return loss, dict(zip(self.watched, tape.gradient(loss, list(self.watched.values())), strict=True))

    def _step(self, inputs: Inputs) -> tf.Tensor:
        with tf.GradientTape() as tape:
            scored = self.loss(inputs)
        gradients = tape.gradient(scored.loss, self.variables)
        self.optimizer.apply_gradients(zip(gradients, self.variables, strict=True))
        self.metric.update_state(scored.targets, scored.logits, scored.weights)
        return scored.loss


def plain_group(data: PreparedData, rows: Rows, offer_features: Sequence[str]) -> Inputs:
    """Ragged columns of some events, as the published system keeps them in memory.

    Each event has a copy of its history, its values repeated as they were bought. For data whose
    histories are of the target event (Complete Journey).
    """
    histories = data.events[HISTORY][rows]
    start, length = data.history_start[histories], data.history_length[histories]
    past = concatenated_ranges(start, length)
    bags = {
        f"history_purchase_{name}": tf.RaggedTensor.from_row_lengths(data.events[name][past], length)
        for name in data.offer_sizes
    }
    one = np.ones(len(rows), np.int64)
    offers = {
        f"offer_{name}": tf.RaggedTensor.from_row_lengths(data.events[name][rows], one)
        for name in offer_features
    }
    return {**bags, **offers}


@tf.function(reduce_retracing=True)
def plain_batch(group: Inputs, events: tf.Tensor) -> Inputs:
    """Gather a batch out of a group, column by column."""
    return {name: tf.gather(column, events) for name, column in group.items()}

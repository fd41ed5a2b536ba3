"""A training step in the manner of the published system.

Every step makes the bags distinct in the graph and multiplies them, as sparse matrices, with the
embedding tables; every event runs through both towers; Keras does the rest.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from offerbench.core.columns import HISTORY
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.model.optimizer import make_optimizer
from offerbench.model.ranker import Ranker
from offerbench.preparation.prepared import PreparedData

Inputs = dict[str, tf.RaggedTensor]


def distinct_means(table: tf.Variable, bags: tf.RaggedTensor) -> tf.Tensor:
    """Mean of the embeddings of each bag's distinct values; float32, shape (bags, dim)."""
    labels = table.shape[0]
    rows = tf.repeat(tf.range(bags.nrows(), dtype=tf.int64), bags.row_lengths())
    distinct = tf.unique(rows * labels + tf.cast(bags.values, tf.int64))[0]
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

    def call(self, bags: tf.RaggedTensor) -> tf.Tensor:
        """Give float32, shape (events, dim)."""
        return distinct_means(self.embeddings, bags)


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
        Of events and their own products; gives features, parameters and first weights.
    """

    def __init__(self, model: Ranker) -> None:
        training, parameters = model.specification.training, model.specification.ranker
        tf.random.set_seed(training.seed)  # Keras draws dropout from global state
        self.neighbours = training.number_of_negatives + 1
        tables = {**model.user_tables, **{f"offer_{k}": v for k, v in model.offer_tables.items()}}
        self.user_features = list(model.user_tables)
        self.offer_features = [f"offer_{name}" for name in model.offer_tables]
        self.embeddings = {
            name: DistinctMean(table.shape[0], table.shape[1], parameters.l1, name)
            for name, table in tables.items()
        }
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
        for keras, ours, features in zip(
            self.towers,
            (model.interaction.users, model.interaction.offers),
            (self.user_features, self.offer_features),
            strict=True,
        ):
            keras.build((None, len(features) * parameters.embedding_dim))
            dense = [layer for layer in keras.layers if isinstance(layer, tf.keras.layers.Dense)]
            for layer, kernel, bias in zip(dense, ours.kernels, ours.biases, strict=True):
                layer.kernel.assign(kernel)
                layer.bias.assign(bias)
        self.layers = [*self.embeddings.values(), *self.towers]
        self.variables = [variable for layer in self.layers for variable in layer.trainable_variables]
        self.optimizer = make_optimizer(training.optimizer)
        self.metric = tf.keras.metrics.AUC(from_logits=True)
        self.loss_function = tf.keras.losses.BinaryCrossentropy(from_logits=True)
        self.step: Callable[[Inputs], tf.Tensor] = tf.function(self._step, reduce_retracing=True)

    def loss(self, inputs: Inputs) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Loss with its penalties, targets and logits of all pairs."""
        vectors = [
            tower(
                tf.concat([self.embeddings[name](inputs[name]) for name in features], axis=1), training=True
            )
            for tower, features in zip(self.towers, (self.user_features, self.offer_features), strict=True)
        ]
        users, offers = (tf.reshape(v, (-1, self.neighbours, v.shape[-1])) for v in vectors)
        logits = tf.reshape(tf.einsum("bid,bjd->bij", users, offers), (-1, 1))
        pair = tf.range(tf.shape(logits)[0])
        row, column = pair % self.neighbours, pair % self.neighbours**2 // self.neighbours
        targets = tf.reshape(tf.cast(row == column, tf.float32), (-1, 1))
        penalties = [penalty for layer in self.layers for penalty in layer.losses]
        return self.loss_function(targets, logits) + tf.add_n(penalties), targets, logits

    def gradients(self, inputs: Inputs) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Loss, and the gradient of each embedding table by feature and of each kernel by tower."""
        with tf.GradientTape() as tape:
            loss, _, _ = self.loss(inputs)
        wanted = {name: layer.embeddings for name, layer in self.embeddings.items()}
        for tower in self.towers:
            dense = [layer for layer in tower.layers if isinstance(layer, tf.keras.layers.Dense)]
            wanted |= {f"{tower.name}/kernel_{i}": layer.kernel for i, layer in enumerate(dense)}
        return loss, dict(zip(wanted, tape.gradient(loss, list(wanted.values())), strict=True))

    def _step(self, inputs: Inputs) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss, targets, logits = self.loss(inputs)
        gradients = tape.gradient(loss, self.variables)
        self.optimizer.apply_gradients(zip(gradients, self.variables, strict=True))
        self.metric.update_state(targets, logits)
        return loss


def plain_group(data: PreparedData, rows: Rows, offer_features: list[str]) -> Inputs:
    """Ragged columns of some events, as the published system keeps them in memory.

    A history stands there for each event, its values repeated as they were bought. For data whose
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

"""One tower: batch normalisation, then dense, dropout, tanh for each layer."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

EPSILON = 1e-3  # of Keras's BatchNormalization


class Block(NamedTuple):
    """Embeddings of one feature: each distinct row once, and the row of each event."""

    rows: tf.Tensor
    """float32, shape (n, dim)."""
    row_of_event: tf.Tensor
    """int32, shape (B,), below n."""


class Tower(tf.Module):
    """Turns the embeddings of some features into one vector.

    Rows that are the same (a history seen by many events, a brand of many offers) come once, with
    the row of each event. Normalisation is affine and the first layer is linear, so that both are
    applied to each feature's distinct rows and the results are added up for each event: what the
    plain computation on concatenated, repeated rows gives, at a fraction of its work. Dropout
    comes after that sum and differs from event to event.

    Parameters
    ----------
    name : str
        Prefix of the variables.
    features : int
        Number of features.
    dim : int
        Length of a feature's embedding.
    units : sequence of int
        Units of the dense layers.
    dropout : float
        Share of outputs set to zero in training.
    momentum : float
        Share of the old moving moments kept at each step.
    generator : numpy.random.Generator
        Source of the first kernels (Glorot uniform, as in Keras).
    """

    def __init__(
        self,
        name: str,
        features: int,
        dim: int,
        units: list[int],
        dropout: float,
        momentum: float,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(name=name)
        self.features = features
        self.dropout = dropout
        self.momentum = momentum
        inputs = features * dim
        self.scale = tf.Variable(tf.ones(inputs), name=f"{name}/scale")
        self.offset = tf.Variable(tf.zeros(inputs), name=f"{name}/offset")
        self.moving_mean = tf.Variable(tf.zeros(inputs), trainable=False, name=f"{name}/moving_mean")
        self.moving_variance = tf.Variable(tf.ones(inputs), trainable=False, name=f"{name}/moving_variance")
        self.kernels, self.biases = [], []
        for layer, (fan_in, fan_out) in enumerate(zip([inputs, *units], units, strict=False)):
            limit = np.sqrt(6 / (fan_in + fan_out))
            kernel = generator.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32)
            self.kernels.append(tf.Variable(kernel, name=f"{name}/kernel_{layer}"))
            self.biases.append(tf.Variable(tf.zeros(fan_out), name=f"{name}/bias_{layer}"))

    def infer(self, rows: list[tf.Tensor]) -> tf.Tensor:
        """Vectors for evaluation, by the moving moments, without dropout.

        Parameters
        ----------
        rows : list of float32, shape (n, dim)
            For each feature, one row for each vector wanted.

        Returns
        -------
        float32, shape (n, units of the last layer)
        """
        projections, constant = self._first_layer(rows, self.moving_mean, self.moving_variance)
        vectors = tf.tanh(tf.add_n(projections) + constant)  # (n, units)
        for kernel, bias in zip(self.kernels[1:], self.biases[1:], strict=True):
            vectors = tf.tanh(vectors @ kernel + bias)
        return vectors

    def train(self, blocks: list[Block], seed: tf.Tensor) -> tf.Tensor:
        """Vectors for a training step; moves the moving moments.

        Parameters
        ----------
        blocks : list of Block
            For each feature. Features of the same `row_of_event` share it as one object.
        seed : int32, shape (2,)
            Seed of this step's dropout.

        Returns
        -------
        float32, shape (B, units of the last layer)
        """
        moments = [weighted_moments(block) for block in blocks]
        mean = tf.concat([mean for mean, _ in moments], axis=0)  # (inputs,)
        variance = tf.concat([variance for _, variance in moments], axis=0)
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1 - self.momentum))
        projections, constant = self._first_layer([block.rows for block in blocks], mean, variance)
        vectors = sum_for_events(projections, [block.row_of_event for block in blocks]) + constant
        for layer in range(len(self.kernels)):
            if layer:
                vectors = vectors @ self.kernels[layer] + self.biases[layer]
            if self.dropout:
                layer_seed = tf.stack([seed[0], seed[1] + layer])
                vectors = tf.nn.experimental.stateless_dropout(vectors, self.dropout, layer_seed)
            vectors = tf.tanh(vectors)  # (B, units)
        return vectors

    def _first_layer(
        self, rows: list[tf.Tensor], mean: tf.Tensor, variance: tf.Tensor
    ) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Normalisation and first dense layer, as a projection of each feature and a constant.

        ((x - mean) * factor + offset) @ kernel + bias = x @ (factor * kernel) + constant.

        Returns
        -------
        projections : list of float32, shape (n, units)
            For each feature; their sum over the features, plus the constant, is the layer's output.
        constant : float32, shape (units,)
        """
        factor = self.scale * tf.math.rsqrt(variance + EPSILON)  # (inputs,)
        kernel = self.kernels[0]
        constant = tf.linalg.matvec(kernel, self.offset - mean * factor, transpose_a=True) + self.biases[0]
        parts = tf.split(kernel * factor[:, None], self.features)  # (dim, units) for each feature
        return [x @ part for x, part in zip(rows, parts, strict=True)], constant


def sum_for_events(projections: list[tf.Tensor], row_of_event: list[tf.Tensor]) -> tf.Tensor:
    """Sum over the features of each event's projection.

    Parameters
    ----------
    projections : list of float32, shape (n, units)
        For each feature.
    row_of_event : list of int32, shape (B,)
        For each feature.

    Returns
    -------
    float32, shape (B, units)
    """
    if all(rows is row_of_event[0] for rows in row_of_event):
        return tf.gather(tf.add_n(projections), row_of_event[0])  # one gather for all features
    gathered = [tf.gather(x, rows) for x, rows in zip(projections, row_of_event, strict=True)]
    return tf.add_n(gathered)


def weighted_moments(block: Block) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance over events whose rows are given once each; float32, shape (dim,) each."""
    events = tf.size(block.row_of_event)
    count = tf.math.bincount(block.row_of_event, minlength=tf.shape(block.rows)[0], dtype=tf.float32)  # (n,)
    share = (count / tf.cast(events, tf.float32))[None, :]  # (1, n)
    mean = share @ block.rows  # (1, dim)
    # The mean's own gradient through the variance is zero: the deviations from it add up to zero.
    variance = share @ tf.math.squared_difference(block.rows, tf.stop_gradient(mean))
    return mean[0], variance[0]

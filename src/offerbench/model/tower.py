"""One tower: batch normalisation, then dense, dropout, tanh for each layer."""

import numpy as np
import tensorflow as tf

EPSILON = 1e-3  # of Keras's BatchNormalization


class Tower(tf.Module):
    """Turns concatenated feature embeddings into one vector.

    Rows that are the same (a history seen by many events, an offer bought by many users) come
    once, with the index of each event's row: everything before the first dropout is computed
    once for them. The result is that of the plain computation on repeated rows.

    Parameters
    ----------
    name : str
        Prefix of the variables.
    inputs : int
        Length of an input row.
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
        inputs: int,
        units: list[int],
        dropout: float,
        momentum: float,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(name=name)
        self.dropout = dropout
        self.momentum = momentum
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

    def infer(self, rows: tf.Tensor) -> tf.Tensor:
        """Vectors for evaluation, by the moving moments, without dropout.

        Parameters
        ----------
        rows : float32, shape (n, inputs)

        Returns
        -------
        float32, shape (n, units of the last layer)
        """
        vectors = self._normalise(rows, self.moving_mean, self.moving_variance)  # (n, inputs)
        for kernel, bias in zip(self.kernels, self.biases, strict=True):
            vectors = tf.tanh(vectors @ kernel + bias)
        return vectors

    def train(self, rows: tf.Tensor, row_of_event: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Vectors for a training step; moves the moving moments.

        Parameters
        ----------
        rows : float32, shape (n, inputs)
            Distinct rows.
        row_of_event : int32, shape (B,)
            Row of each event.
        seed : int32, shape (2,)
            Seed of this step's dropout.

        Returns
        -------
        float32, shape (B, units of the last layer)
        """
        mean, variance = weighted_moments(rows, row_of_event)  # (inputs,)
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1 - self.momentum))
        vectors = self._normalise(rows, mean, variance)  # (n, inputs)
        for layer, (kernel, bias) in enumerate(zip(self.kernels, self.biases, strict=True)):
            vectors = vectors @ kernel + bias
            if layer == 0:
                vectors = tf.gather(vectors, row_of_event)  # (n, units) -> (B, units)
            if self.dropout:
                vectors = tf.nn.experimental.stateless_dropout(
                    vectors, self.dropout, tf.stack([seed[0], seed[1] + layer])
                )
            vectors = tf.tanh(vectors)
        return vectors

    def _normalise(self, rows: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor) -> tf.Tensor:
        factor = self.scale * tf.math.rsqrt(variance + EPSILON)
        return rows * factor + (self.offset - mean * factor)


def weighted_moments(rows: tf.Tensor, row_of_event: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance over events whose rows are given once each.

    Parameters
    ----------
    rows : float32, shape (n, inputs)
        Distinct rows.
    row_of_event : int32, shape (B,)
        Row of each event.

    Returns
    -------
    mean, variance : float32, shape (inputs,)
    """
    events = tf.size(row_of_event)
    count = tf.math.bincount(row_of_event, minlength=tf.shape(rows)[0], dtype=tf.float32)  # (n,)
    share = (count / tf.cast(events, tf.float32))[None, :]  # (1, n)
    mean = share @ rows  # (1, inputs)
    variance = share @ tf.math.squared_difference(rows, tf.stop_gradient(mean))
    return mean[0], variance[0]

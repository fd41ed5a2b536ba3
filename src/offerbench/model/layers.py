"""Layers of a ranker: dense, normalisations, k winners, dropout with a seed of its own."""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from offerbench.model.replicas import Replica

EPSILON = 1e-3  # of Keras's BatchNormalization and LayerNormalization
SEEDS_OF_A_STEP = 1_000  # more than the calls of any step


class Dropout:
    """Dropout of one training step: every call draws from a seed of its own.

    Parameters
    ----------
    rate : float
        Share of entries set to zero; the others are scaled up.
    seed : int
        Seed of the training.
    step : int32, scalar
        Number of the step.
    """

    def __init__(self, rate: float, seed: int, step: tf.Tensor) -> None:
        self._rate = rate
        self._seed = seed
        self._next = step * SEEDS_OF_A_STEP

    def __call__(self, values: tf.Tensor, replica: Replica | None = None) -> tf.Tensor:
        """Set entries to zero; same shape. The rows may be those of a replica's share."""
        seed = tf.stack([tf.constant(self._seed), self._next])
        self._next += 1
        if not self._rate:
            return values
        if replica is not None:
            return replica.dropout(values, self._rate, seed)
        return tf.nn.experimental.stateless_dropout(values, self._rate, seed)


def dropped(values: tf.Tensor, drop: Dropout | None, replica: Replica | None = None) -> tf.Tensor:
    """Set entries to zero in a training step; leave values as they are where there is no `drop`."""
    return values if drop is None else drop(values, replica)


def glorot(generator: np.random.Generator, *shape: int) -> npt.NDArray[np.float32]:
    """Uniform first weights of a kernel whose last axis is its output (as in Keras); float32."""
    fan_out = shape[-1]
    limit = np.sqrt(6 / (int(np.prod(shape[:-1])) + fan_out))
    return generator.uniform(-limit, limit, shape).astype(np.float32)


class Dense(tf.Module):
    """Kernel and bias."""

    def __init__(self, name: str, inputs: int, units: int, generator: np.random.Generator) -> None:
        super().__init__(name=name.replace("/", "_"))
        self.kernel = tf.Variable(glorot(generator, inputs, units), name=f"{name}/kernel")
        self.bias = tf.Variable(tf.zeros(units), name=f"{name}/bias")

    def __call__(self, values: tf.Tensor) -> tf.Tensor:
        """Map (n, inputs) to (n, units)."""
        return values @ self.kernel + self.bias


class BatchNormalization(tf.Module):
    """Normalises the last axis by moments over all other axes, with a learned scale and offset."""

    def __init__(self, name: str, units: int, momentum: float) -> None:
        super().__init__(name=name.replace("/", "_"))
        self.momentum = momentum
        self.scale = tf.Variable(tf.ones(units), name=f"{name}/scale")
        self.offset = tf.Variable(tf.zeros(units), name=f"{name}/offset")
        self.moving_mean = tf.Variable(tf.zeros(units), trainable=False, name=f"{name}/moving_mean")
        self.moving_variance = tf.Variable(tf.ones(units), trainable=False, name=f"{name}/moving_variance")

    def __call__(self, values: tf.Tensor, training: bool, replica: Replica | None = None) -> tf.Tensor:
        """Normalise (..., units); in training by the batch's moments, which move the moving ones.

        The values may be those of a replica's share: moments are those of all shares.
        """
        if not training:
            return self._apply(values, self.moving_mean, self.moving_variance)
        axes = list(range(len(values.shape) - 1))
        if replica is None:
            mean, variance = tf.nn.moments(values, axes)
        else:
            mean = replica.total(tf.reduce_mean(values, axes) / replica.share.replicas)
            squares = tf.math.squared_difference(values, tf.stop_gradient(mean))
            variance = replica.total(tf.reduce_mean(squares, axes) / replica.share.replicas)
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1 - self.momentum))
        return self._apply(values, mean, variance)

    def _apply(self, values: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor) -> tf.Tensor:
        return (values - mean) * (self.scale * tf.math.rsqrt(variance + EPSILON)) + self.offset


class LayerNormalization(tf.Module):
    """Normalises each row's last axis, with a learned scale and offset."""

    def __init__(self, name: str, units: int) -> None:
        super().__init__(name=name.replace("/", "_"))
        self.scale = tf.Variable(tf.ones(units), name=f"{name}/scale")
        self.offset = tf.Variable(tf.zeros(units), name=f"{name}/offset")

    def __call__(self, values: tf.Tensor) -> tf.Tensor:
        """Normalise (..., units)."""
        mean, variance = tf.nn.moments(values, axes=[-1], keepdims=True)
        return (values - mean) * tf.math.rsqrt(variance + EPSILON) * self.scale + self.offset


def k_winners(values: tf.Tensor, k: int) -> tf.Tensor:
    """Keep the k entries of largest absolute value of each row, set the others to zero.

    Xiao, Zhong and Zheng, "Enhancing adversarial defense by k-winners-take-all", 2019. Entries as
    large as the k-th are kept too.

    Parameters
    ----------
    values : float32, shape (n, units)
        Rows.
    k : int
        Winners of a row.
    """
    size = tf.abs(values)
    least = tf.math.top_k(size, k).values[:, -1:]  # (n, 1)
    return tf.where(size >= least, values, tf.zeros_like(values))

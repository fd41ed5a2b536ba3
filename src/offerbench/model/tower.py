"""One tower: batch normalisation, then dense, dropout, tanh for each layer."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from offerbench.model.layers import EPSILON, Dropout, dropped, glorot
from offerbench.model.replicas import Replica


class Block(NamedTuple):
    """Some columns of a tower's input: each distinct row once, and the row of each event."""

    rows: tf.Tensor
    """float32, shape (n, width)."""
    row_of_event: tf.Tensor | None = None
    """int32, shape (B,), below n. None: every row is an event's own."""


class Tower(tf.Module):
    """Turns the features of a side into one vector.

    Rows that are the same (a history seen by many events, a brand of many offers) come once, with
    the row of each event. Normalisation is affine and the first layer is linear, so that both are
    applied to each block's distinct rows and the results are added up for each event: what the
    plain computation on concatenated, repeated rows gives, at a fraction of its work. Dropout
    comes after that sum and differs from event to event.

    Parameters
    ----------
    name : str
        Prefix of the variables.
    inputs : int
        Columns of all blocks together.
    units : sequence of int
        Units of the dense layers.
    momentum : float
        Share of the old moving moments kept at each step.
    generator : numpy.random.Generator
        Source of the first kernels (Glorot uniform, as in Keras).
    """

    def __init__(
        self, name: str, inputs: int, units: Sequence[int], momentum: float, generator: np.random.Generator
    ) -> None:
        super().__init__(name=name)
        self.momentum = momentum
        self.width = units[-1]
        self.scale = tf.Variable(tf.ones(inputs), name=f"{name}/scale")
        self.offset = tf.Variable(tf.zeros(inputs), name=f"{name}/offset")
        self.moving_mean = tf.Variable(tf.zeros(inputs), trainable=False, name=f"{name}/moving_mean")
        self.moving_variance = tf.Variable(tf.ones(inputs), trainable=False, name=f"{name}/moving_variance")
        self.kernels, self.biases = [], []
        for layer, shape in enumerate(zip([inputs, *units], units, strict=False)):
            self.kernels.append(tf.Variable(glorot(generator, *shape), name=f"{name}/kernel_{layer}"))
            self.biases.append(tf.Variable(tf.zeros(shape[1]), name=f"{name}/bias_{layer}"))

    def __call__(
        self, blocks: Sequence[Block], drop: Dropout | None = None, replica: Replica | None = None
    ) -> tf.Tensor:
        """Vector of each event.

        Parameters
        ----------
        blocks : sequence of Block
            Side by side, their columns are the input. Blocks of the same `row_of_event` share it as
            one object.
        drop : Dropout, optional
            Of a training step, which normalises by the batch's moments and moves the moving ones.
            None: the moving moments, no dropout.
        replica : Replica, optional
            Whose share the events are; the batch's moments are those of all shares. None: they are the
            whole batch.

        Returns
        -------
        float32, shape (B, units of the last layer)
        """
        mean, variance = self.moving_mean, self.moving_variance
        if drop is not None:
            mean, variance = batch_moments(blocks, replica)
            for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving * self.momentum + value * (1 - self.momentum))
        projections, constant = self._first_layer([block.rows for block in blocks], mean, variance)
        vectors = sum_for_events(projections, [block.row_of_event for block in blocks]) + constant
        vectors = tf.tanh(dropped(vectors, drop, replica))  # (B, units)
        for kernel, bias in zip(self.kernels[1:], self.biases[1:], strict=True):
            vectors = tf.tanh(dropped(vectors @ kernel + bias, drop, replica))
        return vectors

    def _first_layer(
        self, rows: list[tf.Tensor], mean: tf.Tensor, variance: tf.Tensor
    ) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Normalisation and first dense layer, as a projection of each block and a constant.

        ((x - mean) * factor + offset) @ kernel + bias = x @ (factor * kernel) + constant.

        Returns
        -------
        projections : list of float32, shape (n, units)
            For each block; their sum over the blocks, plus the constant, is the layer's output.
        constant : float32, shape (units,)
        """
        factor = self.scale * tf.math.rsqrt(variance + EPSILON)  # (inputs,)
        kernel = self.kernels[0]
        constant = tf.linalg.matvec(kernel, self.offset - mean * factor, transpose_a=True) + self.biases[0]
        parts = tf.split(kernel * factor[:, None], [block.shape[-1] for block in rows])  # (width, units) each
        return [x @ part for x, part in zip(rows, parts, strict=True)], constant


def sum_for_events(projections: list[tf.Tensor], row_of_event: list[tf.Tensor | None]) -> tf.Tensor:
    """Sum over the blocks of each event's projection.

    Parameters
    ----------
    projections : list of float32, shape (n, units)
        For each block.
    row_of_event : list of int32, shape (B,), or None
        For each block.

    Returns
    -------
    float32, shape (B, units)
    """
    if all(rows is row_of_event[0] for rows in row_of_event):  # one look-up for all blocks
        return of_events(tf.add_n(projections), row_of_event[0])
    return tf.add_n([of_events(x, rows) for x, rows in zip(projections, row_of_event, strict=True)])


def of_events(rows: tf.Tensor, row_of_event: tf.Tensor | None) -> tf.Tensor:
    """Look up each event's row; the rows themselves where every row is an event's own."""
    return rows if row_of_event is None else tf.gather(rows, row_of_event)


def batch_moments(blocks: Sequence[Block], replica: Replica | None) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance of the columns of all blocks over a batch; float32, shape (inputs,) each.

    Where the events are those of a replica's share, two sums over all shares take each all columns.
    """
    if replica is None:
        mean, variance = (
            tf.concat(moments, axis=0) for moments in zip(*map(weighted_moments, blocks), strict=True)
        )
        return mean, variance
    weights = [share_of_rows(block) / replica.share.replicas for block in blocks]
    means = [weight @ block.rows for weight, block in zip(weights, blocks, strict=True)]
    mean = replica.total(tf.concat(means, axis=1))  # (1, inputs)
    centres = tf.split(tf.stop_gradient(mean), [block.rows.shape[-1] for block in blocks], axis=1)
    variances = [
        weight @ tf.math.squared_difference(block.rows, centre)
        for weight, block, centre in zip(weights, blocks, centres, strict=True)
    ]
    return mean[0], replica.total(tf.concat(variances, axis=1))[0]


def share_of_rows(block: Block) -> tf.Tensor:
    """Share of the events that have each distinct row; float32, shape (1, n)."""
    events = tf.cast(tf.size(block.row_of_event), tf.float32)
    count = tf.math.bincount(block.row_of_event, minlength=tf.shape(block.rows)[0], dtype=tf.float32)  # (n,)
    return (count / events)[None, :]


def weighted_moments(block: Block) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance over events whose rows are given once each; float32, shape (width,) each."""
    share = share_of_rows(block)
    mean = share @ block.rows  # (1, width)
    # The mean's own gradient through the variance is zero: the deviations from it add up to zero.
    variance = share @ tf.math.squared_difference(block.rows, tf.stop_gradient(mean))
    return mean[0], variance[0]

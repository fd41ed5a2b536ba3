"""Pairs of a batch: each minibatch of neighbours gives every user every other's offer."""

from typing import NamedTuple

import tensorflow as tf


class Pairs(NamedTuple):
    """Scored pairs of a batch: of its minibatches, or of those of several views."""

    logits: tf.Tensor
    """float32, shape (b, m, m), or (views, b, m, m)."""
    weights: tf.Tensor | None
    """1 for a pair that counts, else 0: float32, the shape of `logits`. None: every pair counts."""


def pair_logits(users: tf.Tensor, offers: tf.Tensor, minibatch: int) -> tf.Tensor:
    """Score all pairs inside each minibatch of neighbours.

    Parameters
    ----------
    users, offers : float32, shape (B, units)
        Vectors of the events of a batch; `minibatch` divides B.
    minibatch : int
        Number of negatives + 1.

    Returns
    -------
    float32, shape (B / minibatch, minibatch, minibatch)
        Entry (b, i, j): user of event i with the offer of event j; positive where i = j.
    """
    units = users.shape[-1]
    return tf.matmul(
        tf.reshape(users, (-1, minibatch, units)),
        tf.reshape(offers, (-1, minibatch, units)),
        transpose_b=True,
    )


def pair_targets(logits: tf.Tensor) -> tf.Tensor:
    """1 on the diagonal of each minibatch, 0 elsewhere; shape and dtype of `logits`."""
    return tf.broadcast_to(tf.eye(logits.shape[-1], dtype=logits.dtype), tf.shape(logits))


def pair_loss(pairs: Pairs) -> tf.Tensor:
    """Binary cross-entropy from logits, averaged over the pairs of each view and the views; scalar."""
    logits, weights = pairs
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=pair_targets(logits), logits=logits)
    if weights is None:
        return tf.reduce_mean(losses)
    pairs_of_view = [1, 2, 3]
    means = tf.reduce_sum(losses * weights, pairs_of_view) / tf.reduce_sum(weights, pairs_of_view)  # (views,)
    return tf.reduce_mean(means)

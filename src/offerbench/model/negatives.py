"""Pairs of a batch: each minibatch of neighbours gives every user every other's offer."""

import tensorflow as tf


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


def pair_loss(logits: tf.Tensor) -> tf.Tensor:
    """Binary cross-entropy from logits, averaged over the pairs; float32, scalar."""
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=pair_targets(logits), logits=logits)
    return tf.reduce_mean(losses)

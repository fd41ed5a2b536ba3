"""Pairs of a batch: in a negatives group of neighbours, every user has every other's offer."""

from typing import NamedTuple

import tensorflow as tf

from offerbench.model.replicas import Replica


class Pairs(NamedTuple):
    """Scored pairs of the negatives groups of a batch, through each of its groupings."""

    logits: tf.Tensor
    """float32, shape (groupings, b, m, m)."""
    weights: tf.Tensor | None
    """1 for a pair that counts, else 0: float32, the shape of `logits`. None: every pair counts."""


def pair_targets(logits: tf.Tensor) -> tf.Tensor:
    """1 on the diagonal of each negatives group, 0 elsewhere; shape and dtype of `logits`."""
    return tf.broadcast_to(tf.eye(logits.shape[-1], dtype=logits.dtype), tf.shape(logits))


def pair_loss(pairs: Pairs, replica: Replica | None = None) -> tf.Tensor:
    """Binary cross-entropy from logits, averaged over each grouping's pairs, then the groupings; scalar.

    Of a replica's pairs it is their part of that: the parts of all replicas add up to the average.
    """
    logits, weights = pairs
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=pair_targets(logits), logits=logits)
    if weights is None:
        mean = tf.reduce_mean(losses)
        return mean if replica is None else mean / replica.share.replicas
    of_grouping = [1, 2, 3]
    counted = tf.reduce_sum(weights, of_grouping)  # (groupings,)
    if replica is not None:
        counted = replica.total(counted)
    return tf.reduce_mean(tf.reduce_sum(losses * weights, of_grouping) / counted)

"""Match counts in the graph: every event of a past is compared with the keys of every offer."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from benchmarks.plain.training import Inputs
from offerbench.core.columns import DAY, USER
from offerbench.core.ranges import Rows, concatenated_ranges
from offerbench.features.match_counts import Past
from offerbench.model.ranker import Ranker
from offerbench.preparation.prepared import PreparedData


class OfferKeys(NamedTuple):
    """Keys of the offers of a batch of B events."""

    own: tf.Tensor
    """Key of each event: int64, shape (B,)."""
    of_offer: tf.Tensor
    """Every key of each event's offer, filled up with -1: int64, shape (B, most keys of an offer)."""
    share: tf.Tensor
    """Share of the batch's events that have a key of each event's offer: float32, shape (B,)."""


def offer_keys(keys: tf.Tensor, group_of_event: tf.Tensor) -> OfferKeys:
    """List the keys of each event's offer.

    Parameters
    ----------
    keys : int64, shape (B,)
        Key of each event.
    group_of_event : int32, shape (B,)
        Its offer.
    """
    distinct, number, events = tf.unique_with_counts(keys)
    count = tf.size(distinct, tf.int64)
    both = tf.cast(group_of_event, tf.int64) * count + tf.cast(number, tf.int64)
    pairs = tf.sort(tf.unique(both)[0])  # those of a group are next to each other
    group, key = pairs // count, pairs % count
    of_group = tf.RaggedTensor.from_value_rowids(tf.gather(distinct, key), group)
    matching = tf.math.segment_sum(tf.gather(events, key), group)
    share = tf.cast(matching, tf.float32) / tf.cast(tf.size(keys), tf.float32)
    return OfferKeys(
        own=keys,
        of_offer=tf.gather(of_group.to_tensor(-1), group_of_event),
        share=tf.gather(share, group_of_event),
    )


def is_accidental_hit(keys: OfferKeys, neighbours: int) -> tf.Tensor:
    """Whether a negative's offer has the key of the user's own event; bool, shape (B / m, m, m)."""
    of_offer = tf.reshape(keys.of_offer, (-1, 1, neighbours, tf.shape(keys.of_offer)[1]))
    has_key = tf.reduce_any(tf.reshape(keys.own, (-1, neighbours, 1, 1)) == of_offer, axis=-1)
    return has_key & ~tf.eye(neighbours, dtype=tf.bool)


def match_counts(
    past: tf.RaggedTensor, of_offer: tf.Tensor, neighbours: int, windows: Sequence[int | None]
) -> tf.Tensor:
    """Count the events of each past that have a key of each offer that its user is asked about.

    Parameters
    ----------
    past : int64, shape (B, (past events))
        Keys of each user's past, oldest first.
    of_offer : int64, shape (B, keys)
        As in `OfferKeys`.
    neighbours : int
        Events m of a negatives group.
    windows : sequence of int or None
        Newest events that are looked at; None: all.

    Returns
    -------
    float32, shape (B / m, m, m, windows)
    """
    event = past.value_rowids()
    newer = tf.gather(past.row_splits[1:], event) - tf.range(tf.size(event, tf.int64))  # 1: the newest
    by_group = tf.reshape(of_offer, (-1, neighbours, tf.shape(of_offer)[1]))
    counts = []
    for place in range(neighbours):
        keys = tf.gather(by_group[:, place], event // neighbours)  # (past events, keys)
        is_match = tf.reduce_any(past.values[:, None] == keys, axis=1)
        for window in windows:
            seen = is_match if window is None else is_match & (newer <= window)
            counts.append(tf.reduce_sum(past.with_values(tf.cast(seen, tf.float32)), axis=1))
    return tf.reshape(tf.stack(counts, axis=1), (-1, neighbours, neighbours, len(windows)))


class PlainMatchScore(tf.keras.layers.Layer):
    """What the matches of the past add to a pair's score.

    Parameters
    ----------
    model : Ranker
        With matches; gives parameters and first weights.
    """

    def __init__(self, model: Ranker) -> None:
        super().__init__(name="match_score")
        ours, shape = model.match_score, model.specification.ranker
        assert ours is not None
        self.windows, self.prior = ours.parameters.windows, ours.parameters.prior_events
        self.normalization = tf.keras.layers.BatchNormalization(momentum=shape.batch_normalization_momentum)
        l1 = tf.keras.regularizers.L1(shape.l1)
        units = ours.parameters.hidden_units
        self.hidden = tf.keras.layers.Dense(units, "tanh", kernel_regularizer=l1, bias_regularizer=l1)
        self.weights_of_offer = tf.keras.layers.Dense(ours.weights.shape[0])
        for layer, inputs in (
            (self.normalization, ours.kernel.shape[0]),
            (self.hidden, ours.kernel.shape[0]),
            (self.weights_of_offer, ours.weights_of_offer.shape[0]),
        ):
            layer.build((None, inputs))
        self.hidden.set_weights([ours.kernel.numpy(), ours.bias.numpy()])
        self.weights_of_offer.set_weights([ours.weights_of_offer.numpy(), ours.weights.numpy()])

    def call(self, past: tf.RaggedTensor, keys: OfferKeys, offers: tf.Tensor, neighbours: int) -> tf.Tensor:
        """Score the pairs of each negatives group.

        Parameters
        ----------
        past, neighbours
            As in `match_counts`.
        keys : OfferKeys
            Of the batch.
        offers : float32, shape (B, width)
            Vector of each event's offer.

        Returns
        -------
        float32, shape (B / m, m, m)
        """
        windows = len(self.windows)
        counts = match_counts(past, keys.of_offer, neighbours, self.windows)  # (B / m, m, m, windows)
        past_lengths = tf.cast(past.row_lengths(), tf.float32)
        lengths = tf.stack([tf.minimum(past_lengths, window or np.inf) for window in self.windows], axis=-1)
        lengths = tf.reshape(lengths, (-1, neighbours, 1, windows))
        base = tf.clip_by_value(tf.reshape(keys.share, (-1, 1, neighbours, 1)), 1e-6, 1 - 1e-6)
        odds = (counts + self.prior * base) / (lengths - counts + self.prior * (1 - base))
        odds = tf.reshape(tf.math.log(odds / (base / (1 - base))), (-1, windows))
        shares = tf.reshape(counts / tf.maximum(lengths, 1), (-1, windows))
        functions = self.normalization(tf.concat([shares, odds], axis=1), training=True)
        of_pair = tf.concat([self.hidden(functions), odds, tf.ones_like(odds[:, :1])], axis=1)
        by_pair = tf.reshape(of_pair, (-1, neighbours, neighbours, of_pair.shape[1]))
        weights = tf.reshape(self.weights_of_offer(offers), (-1, 1, neighbours, of_pair.shape[1]))
        return tf.reduce_sum(by_pair * weights, axis=-1)


def past_group(data: PreparedData, rows: Rows, offer_features: Sequence[str]) -> Inputs:
    """Ragged columns of the whole past of some events, each with a copy of its own, oldest first."""
    start, length = Past(data.events[USER], data.events[DAY]).windows(rows, None)
    past = concatenated_ranges(start, length)
    return {
        f"past_offer_{name}": tf.RaggedTensor.from_row_lengths(data.events[name][past], length)
        for name in offer_features
    }

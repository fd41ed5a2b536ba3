"""What models take: the arrays of a batch, their shapes and dtypes."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from offerbench.batching.augmented import AugmentedBatch
from offerbench.batching.batches import Batch
from offerbench.batching.prepared import PreparedData


class BatchTensors(NamedTuple):
    """A training batch of B events that see V distinct histories."""

    values: dict[str, tf.Tensor]
    """For each user feature, labels of all bags: int32, shape (values,)."""
    segments: dict[str, tf.Tensor]
    """For each user feature, the history of each value: int32, shape (values,), ascending."""
    weights: dict[str, tf.Tensor]
    """For each user feature with weights, that of each value: float32, shape (values,)."""
    view_of_event: tf.Tensor
    """int32, shape (B,), below V."""
    offer_values: dict[str, tf.Tensor]
    """For each offer feature, its distinct labels in the batch: int32, shape (n,)."""
    offer_rows: dict[str, tf.Tensor]
    """For each offer feature, which of them each event has: int32, shape (B,), below n."""


class ViewTensors(NamedTuple):
    """One view of a batch of B events, in minibatches of m."""

    group_of_event: tf.Tensor
    """Offer of each event: int32, shape (B,)."""
    by_group: tf.Tensor
    """Events, those of an offer after those of the one before: int32, shape (B,)."""
    weights: tf.Tensor
    """0 for pairs that don't count: float32, shape (B / m, m, m)."""
    counts: tf.Tensor
    """Matches of each pair, by window: int32, shape (B / m, m, m, windows)."""
    base: tf.Tensor
    """Share of all events that match each event's offer: float32, shape (B,)."""


class AugmentedTensors(NamedTuple):
    """A batch and its views."""

    batch: BatchTensors
    lengths: tf.Tensor
    """Events of each event's past, by window: int32, shape (B, windows)."""
    views: list[ViewTensors]


def batch_tensors(batch: Batch) -> BatchTensors:
    """NumPy arrays of a batch in the form that the two-tower model takes."""
    return BatchTensors(
        values={name: bag.values for name, bag in batch.bags.items()},
        segments={name: bag.segments for name, bag in batch.bags.items()},
        weights={name: bag.weights for name, bag in batch.bags.items() if bag.weights is not None},
        view_of_event=batch.view_of_event,
        offer_values=batch.offer_values,
        offer_rows=batch.offer_rows,
    )


def batch_signature(
    user_features: Iterable[str],
    offer_features: Iterable[str],
    size: int,
    weighted_features: Iterable[str] = (),
) -> BatchTensors:
    """Shapes and dtypes of `BatchTensors` of `size` events; some user features may have weights."""
    any_length, events = tf.TensorSpec([None], tf.int32), tf.TensorSpec([size], tf.int32)
    users, offers = list(user_features), list(offer_features)
    return BatchTensors(
        values=dict.fromkeys(users, any_length),
        segments=dict.fromkeys(users, any_length),
        weights=dict.fromkeys(weighted_features, tf.TensorSpec([None], tf.float32)),
        view_of_event=events,
        offer_values=dict.fromkeys(offers, any_length),
        offer_rows=dict.fromkeys(offers, events),
    )


def augmented_tensors(augmented: AugmentedBatch) -> AugmentedTensors:
    """NumPy arrays of an augmented batch in the form that the augmented model takes."""
    return AugmentedTensors(
        batch=batch_tensors(augmented.batch),
        lengths=augmented.lengths,
        views=[
            ViewTensors(
                group_of_event=view.group_of_event,
                by_group=np.argsort(view.group_of_event, kind="stable").astype(np.int32),
                weights=view.weights,
                counts=view.counts,
                base=view.base,
            )
            for view in augmented.views
        ],
    )


def augmented_signature(
    data: PreparedData, size: int, minibatch: int, windows: int, views: int
) -> AugmentedTensors:
    """Shapes and dtypes of `AugmentedTensors` of `size` events."""
    pairs = [size // minibatch, minibatch, minibatch]
    view = ViewTensors(
        group_of_event=tf.TensorSpec([size], tf.int32),
        by_group=tf.TensorSpec([size], tf.int32),
        weights=tf.TensorSpec(pairs, tf.float32),
        counts=tf.TensorSpec([*pairs, windows], tf.int32),
        base=tf.TensorSpec([size], tf.float32),
    )
    return AugmentedTensors(
        batch=batch_signature(data.user_sizes, data.offer_sizes, size, data.weighted_features),
        lengths=tf.TensorSpec([size, windows], tf.int32),
        views=[view] * views,
    )

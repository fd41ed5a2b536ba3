"""What a ranker takes: the arrays of a batch, their shapes and dtypes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from offerbench.batching.grouped import GroupedBatch
from offerbench.batching.shares import Share
from offerbench.core.order import order_by_labels
from offerbench.features.config import MatchingParameters
from offerbench.preparation.prepared import PreparedData


class GroupingTensors(NamedTuple):
    """One grouping of a batch of B events, in negatives groups of m."""

    group_of_event: tf.Tensor
    """Offer of each event: int32, shape (B,)."""
    by_group: tf.Tensor
    """Events, those of an offer after those of the one before: int32, shape (B,)."""
    weights: tf.Tensor
    """0 for pairs that don't count: float32, shape (B / m, m, m)."""
    counts: tf.Tensor
    """Matches of each pair, by kind: float32, shape (B / m, m, m, kinds)."""
    base: tf.Tensor
    """Share of all events that match each event's offer, by kind: float32, shape (B, kinds)."""


class BatchTensors(NamedTuple):
    """A batch of B events that see V distinct histories."""

    values: dict[str, tf.Tensor]
    """For each user feature, labels of all bags: int32, shape (values,)."""
    segments: dict[str, tf.Tensor]
    """For each user feature, the history of each value: int32, shape (values,), ascending."""
    weights: dict[str, tf.Tensor]
    """For each user feature with weights, that of each value: float32, shape (values,)."""
    history_of_event: tf.Tensor
    """int32, shape (B,), below V."""
    offer_values: dict[str, tf.Tensor]
    """For each offer feature, its distinct labels in the batch: int32, shape (n,)."""
    offer_rows: dict[str, tf.Tensor]
    """For each offer feature, which of them each event has: int32, shape (B,), below n."""
    past_lengths: tf.Tensor
    """Events of each event's past that a kind of match looks at: float32, shape (B, kinds)."""
    groupings: list[GroupingTensors]
    """None at all: an event's offer is its own product, all pairs count, no match is counted."""
    labels: dict[str, tf.Tensor]
    """For each user feature of a share, the labels that its values are places in: int32, shape (labels,).
    Empty for a whole batch, whose values are labels. Of a share, only `values`, `segments`, `weights` and
    `history_of_event` are its own; all else is of the whole batch."""


def batch_tensors(grouped: GroupedBatch) -> BatchTensors:
    """NumPy arrays of a batch with its groupings."""
    batch = grouped.batch
    return BatchTensors(
        values={name: bag.values for name, bag in batch.bags.items()},
        segments={name: bag.segments for name, bag in batch.bags.items()},
        weights={name: bag.weights for name, bag in batch.bags.items() if bag.weights is not None},
        history_of_event=batch.history_of_event,
        offer_values=batch.offer_values,
        offer_rows=batch.offer_rows,
        past_lengths=grouped.past_lengths,
        groupings=[
            GroupingTensors(
                group_of_event=grouping.group_of_event,
                by_group=order_by_labels(grouping.group_of_event).astype(np.int32),
                weights=grouping.weights,
                counts=grouping.counts,
                base=grouping.base,
            )
            for grouping in grouped.groupings
        ],
        labels={name: bag.labels for name, bag in batch.bags.items() if bag.labels is not None},
    )


def batch_signature(
    data: PreparedData,
    offer_features: Sequence[str],
    size: int,
    matching: MatchingParameters,
    groupings: int = 0,
    share: Share | None = None,
) -> BatchTensors:
    """Shapes and dtypes of the tensors of a batch of `size` events.

    Parameters
    ----------
    data : PreparedData
        The data set.
    offer_features : sequence of str
        Those that the model sees.
    size : int
        Events B of a batch.
    matching : MatchingParameters
        Events of a negatives group, kinds of match.
    groupings : int
        How many groupings a batch has; without one, nothing is matched.
    share : Share, optional
        What is taken of it.
    """
    any_length, events = tf.TensorSpec([None], tf.int32), tf.TensorSpec([size], tf.int32)
    pairs = [size // matching.neighbours, matching.neighbours, matching.neighbours]
    kinds = kinds_of_match(matching, len(offer_features)) if groupings else 0
    grouping = GroupingTensors(
        group_of_event=events,
        by_group=events,
        weights=tf.TensorSpec(pairs, tf.float32),
        counts=tf.TensorSpec([*pairs, kinds], tf.float32),
        base=tf.TensorSpec([size, kinds], tf.float32),
    )
    return BatchTensors(
        values=dict.fromkeys(data.user_sizes, any_length),
        segments=dict.fromkeys(data.user_sizes, any_length),
        weights=dict.fromkeys(data.weighted_features, tf.TensorSpec([None], tf.float32)),
        history_of_event=events if share is None else tf.TensorSpec([size // share.replicas], tf.int32),
        offer_values=dict.fromkeys(offer_features, any_length),
        offer_rows=dict.fromkeys(offer_features, events),
        past_lengths=tf.TensorSpec([size, kinds], tf.float32),
        groupings=[grouping] * groupings,
        labels={} if share is None else dict.fromkeys(data.user_sizes, any_length),
    )


def kinds_of_match(matching: MatchingParameters, offer_features: int) -> int:
    """Count the kinds of match: each window, and each offer feature if attributes are matched."""
    return len(matching.windows) + (offer_features if matching.attribute_values else 0)

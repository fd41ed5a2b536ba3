"""Batches in the form that a model takes, made in a thread beside its steps."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from offerbench.batching.augmented import Augmentation, AugmentedBatch, draw_keys, drop_history, single_keys
from offerbench.batching.batches import Batch, draw_pass, make_batch
from offerbench.batching.prefetch import prefetched
from offerbench.batching.prepared import PreparedData
from offerbench.batching.sampling import Rows
from offerbench.model.augmented import AugmentedTensors, ViewTensors
from offerbench.model.two_tower import BatchTensors
from offerbench.params.rebatch import Rebatch
from offerbench.params.train_augmented import TrainAugmented
from offerbench.schema import Split


class Feed(Protocol):
    """Gives a training its batches."""

    signature: Any
    """Shapes and dtypes of a training batch."""
    validation_signature: Any
    """Those of a validation batch."""

    def training(self, epoch: int) -> Iterator[Any]:
        """Give the batches of an epoch, counted from 0: they depend on nothing else."""

    def validation(self) -> Iterator[Any]:
        """Give the validation batches, the same each time."""


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


class EventFeed:
    """Batches of events, each with its own offer: what the two-tower models are trained on.

    Parameters
    ----------
    data : PreparedData
        The data set.
    validation_batches : int64, shape (batches, batch_size)
        Rows of target events.
    rebatch : Rebatch
        Parameters.
    offer_features : list of str
        Those that the model sees.
    """

    def __init__(
        self, data: PreparedData, validation_batches: Rows, rebatch: Rebatch, offer_features: list[str]
    ) -> None:
        self._data = data
        self._validation_batches = validation_batches
        self._rebatch = rebatch
        self._offer_features = offer_features
        self.signature = batch_signature(
            data.user_sizes, offer_features, rebatch.batch_size, data.weighted_features
        )
        self.validation_signature = self.signature

    def training(self, epoch: int) -> Iterator[BatchTensors]:
        """Give the batches of an epoch."""
        return self._tensors(draw_pass(self._data, Split.TRAIN, self._rebatch, epoch))

    def validation(self) -> Iterator[BatchTensors]:
        """Give the validation batches."""
        return self._tensors(self._validation_batches)

    def _tensors(self, batches: Iterable[Rows]) -> Iterator[BatchTensors]:
        made = (make_batch(self._data, rows, self._offer_features) for rows in batches)
        return prefetched(batch_tensors(batch) for batch in made)


class AugmentedFeed:
    """Batches seen through random groupings; validation batches through each feature alone.

    Parameters
    ----------
    data, validation_batches, rebatch
        As for `EventFeed`.
    parameters : TrainAugmented
        Groupings, and the windows of matches.
    minibatch : int
        Number of negatives + 1.
    seed : int
        Seed of the groupings, with the epoch.
    """

    def __init__(
        self,
        data: PreparedData,
        validation_batches: Rows,
        rebatch: Rebatch,
        parameters: TrainAugmented,
        minibatch: int,
        seed: int,
    ) -> None:
        self._data = data
        self._validation_batches = validation_batches
        self._rebatch = rebatch
        self._grouping = parameters.grouping
        self._history_dropout = parameters.history_dropout
        self._seed = seed
        windows = parameters.parts.matching.windows if parameters.parts.matching else []
        self._augmentation = Augmentation(data, minibatch, windows)
        views = max(parameters.grouping.number, 1)
        size = rebatch.batch_size, minibatch, len(windows)
        self.signature = augmented_signature(data, *size, views)
        self.validation_signature = augmented_signature(data, *size, len(data.offer_sizes))

    def training(self, epoch: int) -> Iterator[AugmentedTensors]:
        """Give the batches of an epoch."""
        generator = np.random.default_rng([self._seed, epoch])
        features = len(self._data.offer_sizes)
        batches = (
            self._augmentation.make(rows, draw_keys(features, self._grouping, generator), generator)
            for rows in draw_pass(self._data, Split.TRAIN, self._rebatch, epoch)
        )
        thinned = (drop_history(batch, self._history_dropout, generator) for batch in batches)
        return prefetched(augmented_tensors(batch) for batch in thinned)

    def validation(self) -> Iterator[AugmentedTensors]:
        """Give the validation batches."""
        keys = single_keys(len(self._data.offer_sizes))
        unused = np.random.default_rng(self._seed)  # single keys are not changed at random
        return prefetched(
            augmented_tensors(self._augmentation.make(rows, keys, unused))
            for rows in self._validation_batches
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

"""Batches in the form that a model takes, made in a thread beside its steps."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np

from offerbench.batching.augmented import Augmentation, draw_keys, drop_history, single_keys
from offerbench.batching.batches import draw_pass, make_batch
from offerbench.batching.prefetch import prefetched
from offerbench.batching.prepared import PreparedData
from offerbench.batching.sampling import Rows
from offerbench.model.tensors import (
    AugmentedTensors,
    BatchTensors,
    augmented_signature,
    augmented_tensors,
    batch_signature,
    batch_tensors,
)
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

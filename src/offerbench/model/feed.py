"""Batches in the form that a ranker takes, made in a thread beside its steps."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from offerbench.batching.batches import draw_pass, drop_history
from offerbench.batching.config import Rebatch
from offerbench.batching.grouped import BatchMaker, GroupedBatch, draw_keys, single_keys
from offerbench.batching.prefetch import prefetched
from offerbench.core.columns import Split
from offerbench.core.ranges import Rows
from offerbench.model.config import TrainParameters
from offerbench.model.tensors import BatchTensors, batch_signature, batch_tensors
from offerbench.preparation.prepared import PreparedData


class Feed:
    """Gives a training its batches.

    A ranker that sees events as events of groups, counts matches or leaves accidental hits out is
    validated on the offers of the tasks: through a grouping by each feature alone. Another one is
    validated on events with their own products.

    Parameters
    ----------
    data : PreparedData
        The data set.
    validation_batches : int64, shape (batches, batch_size)
        Rows of target events.
    rebatch, training : Rebatch, TrainParameters
        Parameters.
    offer_features : sequence of str
        Those that the model sees.
    """

    def __init__(
        self,
        data: PreparedData,
        validation_batches: Rows,
        rebatch: Rebatch,
        training: TrainParameters,
        offer_features: Sequence[str],
    ) -> None:
        self._data = data
        self._validation_batches = validation_batches
        self._rebatch = rebatch
        self._training = training
        matching = training.matching
        self._maker = BatchMaker(data, offer_features, matching)
        self._features = len(offer_features)
        if training.sees_events_only:
            groupings, self._validation_keys = 0, []
        else:
            groupings = training.groupings.number if training.groupings else 1
            self._validation_keys = single_keys(self._features)
        self.signature, self.validation_signature = (
            batch_signature(data, offer_features, rebatch.batch_size, matching, number)
            for number in (groupings, len(self._validation_keys))
        )

    def training(self, epoch: int) -> Iterator[BatchTensors]:
        """Give the batches of an epoch, counted from 0: they depend on (seed, epoch) and nothing else."""
        generator = np.random.default_rng([self._training.seed, epoch])
        rows = draw_pass(self._data, Split.TRAIN, self._rebatch, epoch)
        return prefetched(batch_tensors(self._training_batch(each, generator)) for each in rows)

    def validation(self) -> Iterator[BatchTensors]:
        """Give the validation batches, the same each time."""
        unused = np.random.default_rng(self._training.seed)  # these keys are not changed at random
        return prefetched(
            batch_tensors(self._maker.make(rows, self._validation_keys, unused))
            for rows in self._validation_batches
        )

    def _training_batch(self, rows: Rows, generator: np.random.Generator) -> GroupedBatch:
        training = self._training
        keys = []
        if not training.sees_events_only:
            keys = draw_keys(self._features, training.groupings, generator)
        grouped = self._maker.make(rows, keys, generator)
        return replace(grouped, batch=drop_history(grouped.batch, training.history_dropout, generator))

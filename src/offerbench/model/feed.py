"""Batches in the form that a ranker takes, made in a thread beside its steps."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from offerbench.batching.batches import draw_pass, drop_history
from offerbench.batching.config import Rebatch
from offerbench.batching.grouped import BatchMaker, GroupedBatch
from offerbench.batching.grouping_keys import draw_keys, single_keys
from offerbench.batching.prefetch import prefetched
from offerbench.batching.shares import Share
from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError
from offerbench.core.ranges import Rows
from offerbench.model.config import TrainParameters
from offerbench.model.tensors import BatchTensors, batch_signature, batch_tensors
from offerbench.preparation.prepared import PreparedData


def passes_per_epoch(data: PreparedData, rebatch: Rebatch, min_steps: int) -> int:
    """Count the passes over the train users that make so many steps, by the batches of the first pass.

    The number of batches differs a little from pass to pass where users are taken in several groups. No more
    of the first pass is drawn than `min_steps` batches.

    Raises
    ------
    OfferbenchError
        If the train users have too few events for a batch.
    """
    batches = sum(1 for _ in islice(draw_pass(data, Split.TRAIN, rebatch), min_steps))
    if not batches:
        raise OfferbenchError(
            f"rebatch.batch_size: {rebatch.batch_size} events are more than a group of train users has. "
            "Lower it, or raise rebatch.users_per_group, in params.yaml."
        )
    return math.ceil(min_steps / batches)


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
    share : Share, optional
        What a replica takes of each batch; None: all of it.

    Attributes
    ----------
    passes : int
        Passes over the train users that make an epoch.

    Raises
    ------
    OfferbenchError
        If the train users have too few events for a batch.
    """

    def __init__(
        self,
        data: PreparedData,
        validation_batches: Rows,
        rebatch: Rebatch,
        training: TrainParameters,
        offer_features: Sequence[str],
        share: Share | None = None,
    ) -> None:
        self._data = data
        self._validation_batches = validation_batches
        self._rebatch = rebatch
        self._training = training
        self._share = share
        matching = training.matching
        self._maker = BatchMaker(data, offer_features, matching)
        self._features = len(offer_features)
        self.passes = passes_per_epoch(data, rebatch, training.min_steps_per_epoch)
        if training.sees_events_only:
            groupings, self._validation_keys = 0, []
        else:
            groupings = training.groupings.number if training.groupings else 1
            self._validation_keys = single_keys(self._features)
        self.signature, self.validation_signature = (
            batch_signature(data, offer_features, rebatch.batch_size, matching, number, share)
            for number in (groupings, len(self._validation_keys))
        )

    def training(self, epoch: int) -> Iterator[BatchTensors]:
        """Give the batches of an epoch, counted from 0: they depend on its passes and the seeds."""
        passes = range(epoch * self.passes, (epoch + 1) * self.passes)
        return prefetched(batch for number in passes for batch in self._training_pass(number))

    def _training_pass(self, number: int) -> Iterator[BatchTensors]:
        """Make the batches of a pass, which depend on (seed, number) and nothing else."""
        generator = np.random.default_rng([self._training.seed, number])
        for rows in draw_pass(self._data, Split.TRAIN, self._rebatch, number):
            yield self._tensors(self._training_batch(rows, generator))

    def validation(self) -> Iterator[BatchTensors]:
        """Give the validation batches, the same each time."""
        unused = np.random.default_rng(self._training.seed)  # these keys are not changed at random
        return prefetched(
            self._tensors(self._maker.make(rows, self._validation_keys, unused))
            for rows in self._validation_batches
        )

    def _training_batch(self, rows: Rows, generator: np.random.Generator) -> GroupedBatch:
        training = self._training
        keys = []
        if not training.sees_events_only:
            keys = draw_keys(self._features, training.groupings, generator)
        grouped = self._maker.make(rows, keys, generator)
        return replace(grouped, batch=drop_history(grouped.batch, training.history_dropout, generator))

    def _tensors(self, grouped: GroupedBatch) -> BatchTensors:
        if self._share is not None:
            own = self._share.take(grouped.batch, self._data.user_sizes)
            grouped = replace(grouped, batch=own)
        return batch_tensors(grouped)

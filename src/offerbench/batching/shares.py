"""The share of a batch that one of several replicas of a training takes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.batching.batches import Bag, Batch, Labels


@dataclass(frozen=True)
class Share:
    """Every `replicas`-th negatives group of a batch, as a whole.

    A batch is sorted by day, and early days have short histories: by turns, all replicas get both.
    """

    replicas: int
    """How many there are."""
    index: int
    """Which of them takes this share, from 0."""
    groups: int
    """Negatives groups of a share; the same for all."""

    def own(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Rows of the groups of this share.

        Parameters
        ----------
        values : shape (replicas * groups * n, ...)
            Of a whole batch, n rows a group: its events, or one row.

        Returns
        -------
        shape (groups * n, ...)
        """
        rows = len(values) // (self.groups * self.replicas)
        by_group = values.reshape(self.groups, self.replicas, rows, *values.shape[1:])
        return by_group[:, self.index].reshape(self.groups * rows, *values.shape[1:])

    def take(self, batch: Batch, sizes: Mapping[str, int]) -> Batch:
        """Leave only the histories that events of this share see. Offers stay those of the whole batch.

        The labels of a bag become places among the distinct ones of the whole batch, which all replicas
        look up: then gradients of the same rows are added up, and nothing else of a table is sent.

        Parameters
        ----------
        batch : Batch
            The whole one.
        sizes : mapping to int
            Number of labels of each user feature.
        """
        histories, history_of_event = np.unique(self.own(batch.history_of_event), return_inverse=True)
        number = np.full(int(batch.history_of_event.max()) + 1, -1, np.int32)
        number[histories] = np.arange(len(histories), dtype=np.int32)
        return replace(
            batch,
            bags={name: _own_bag(bag, number, sizes[name]) for name, bag in batch.bags.items()},
            history_of_event=history_of_event.astype(np.int32),
        )


def _own_bag(bag: Bag, number: Labels, size: int) -> Bag:
    """Leave the bags of some histories; `number`: their new numbers, -1 for the others."""
    is_seen = np.zeros(size, bool)
    is_seen[bag.values] = True
    place = np.cumsum(is_seen, dtype=np.int32) - 1
    history = number[bag.segments]
    kept = np.flatnonzero(history >= 0)
    return Bag(
        values=place[bag.values[kept]],
        segments=history[kept],
        weights=None if bag.weights is None else bag.weights[kept],
        labels=np.flatnonzero(is_seen).astype(np.int32),
    )

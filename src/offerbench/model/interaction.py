"""What an interaction is: how the two sides of a pair are encoded, and what they score together."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from offerbench.model.layers import Dropout
from offerbench.model.replicas import Replica
from offerbench.model.tower import Block

Vectors = npt.NDArray[np.float32]


class Interaction(Protocol):
    """Encodes users and offers, and scores every user with every offer of a negatives group."""

    width: int
    """Entries of an offer's vector."""

    def users(
        self, blocks: Sequence[Block], drop: Dropout | None = None, replica: Replica | None = None
    ) -> tf.Tensor:
        """Vectors of users from the blocks of their features; float32, shape (n, ...).

        They may be those of a replica's share; offers are always those of a whole batch.
        """

    def offers(self, blocks: Sequence[Block], drop: Dropout | None = None) -> tf.Tensor:
        """Vectors of offers from the blocks of their features; float32, shape (n, ...)."""

    def logits(
        self,
        users: tf.Tensor,
        offers: tf.Tensor,
        neighbours: int,
        drop: Dropout | None,
        replica: Replica | None = None,
    ) -> Any:
        """Scores of all pairs inside each negatives group, for training.

        Parameters
        ----------
        users, offers : float32, shape (B, ...)
            Vectors of the events of a batch; `neighbours` divides B.
        neighbours : int
            Events m of a negatives group.
        drop : Dropout, optional
            Of a training step.
        replica : Replica, optional
            Whose share the events are; None: they are a whole batch.

        Returns
        -------
        float32, shape (B / m, m, m)
            Entry (b, i, j): user of event i with the offer of event j; positive where i = j.
        """

    def scores(self, users: Vectors, offers: Vectors) -> Vectors:
        """Scores for evaluation: equal pairs get equal bits wherever they stand, so that ties stay ties.

        Parameters
        ----------
        users : float32, shape (groups, i, ...)
            Vectors of the users of each group.
        offers : float32, shape (groups, j, ...)
            Vectors of its offers.

        Returns
        -------
        float32, shape (groups, i, j)
        """

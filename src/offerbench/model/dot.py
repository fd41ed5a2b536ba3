"""Two towers and a dot product."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from offerbench.model.interaction import Vectors
from offerbench.model.layers import Dropout
from offerbench.model.replicas import Replica
from offerbench.model.tower import Tower


class Dot(tf.Module):
    """A tower for each side; a pair scores the dot product of its vectors.

    Parameters
    ----------
    user_inputs, offer_inputs : int
        Columns of each side's features.
    units : sequence of int
        Layers of each tower.
    momentum : float
        Of the towers' batch normalisation.
    generator : numpy.random.Generator
        Source of the first weights.
    """

    def __init__(
        self,
        user_inputs: int,
        offer_inputs: int,
        units: Sequence[int],
        momentum: float,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(name="dot")
        self.users = Tower("user_tower", user_inputs, units, momentum, generator)
        self.offers = Tower("offer_tower", offer_inputs, units, momentum, generator)
        self.width = units[-1]

    def logits(
        self,
        users: tf.Tensor,
        offers: tf.Tensor,
        neighbours: int,
        drop: Dropout | None = None,
        replica: Replica | None = None,
    ) -> tf.Tensor:
        """Scores of all pairs inside each negatives group; see `Interaction`."""
        by_user, by_offer = (tf.reshape(side, (-1, neighbours, self.width)) for side in (users, offers))
        return tf.matmul(by_user, by_offer, transpose_b=True)

    def scores(self, users: Vectors, offers: Vectors) -> Vectors:
        """Scores for evaluation; see `Interaction`."""
        # A matrix product sums in an order that depends on the entry's place: equal pairs would get
        # scores that differ in their last bit, and ties, which count half, would be broken.
        scores: Vectors = np.einsum("biu,bju->bij", users, offers)
        return scores

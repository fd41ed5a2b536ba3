"""Products of all pairs of a user's and an offer's features, and a network on top."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from offerbench.model.interaction import Vectors
from offerbench.model.layers import BatchNormalization, Dense, Dropout, dropped
from offerbench.model.replicas import Replica
from offerbench.model.tower import Block, of_events

GROUPS_AT_A_TIME = 2_000
SCORE_DECIMALS = 5


class Bilinear(tf.Module):
    """A product for each pair of a user feature and an offer feature; a network scores the products.

    Parameters
    ----------
    user_features, offer_features, dim : int
        Features of each side, and the length of each.
    units : sequence of int
        Layers of the network before its output.
    momentum : float
        Of its batch normalisation.
    generator : numpy.random.Generator
        Source of the first weights.
    """

    def __init__(
        self,
        user_features: int,
        offer_features: int,
        dim: int,
        units: Sequence[int],
        momentum: float,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(name="bilinear_score")
        self.shape = (user_features, offer_features, dim, dim)
        self.width = offer_features * dim
        kernel = generator.normal(0, 0.05, self.shape).astype(np.float32)
        self.kernel = tf.Variable(kernel, name="bilinear_score/kernel")
        pairs = user_features * offer_features
        self.normalization = BatchNormalization("bilinear_score/normalization", pairs, momentum)
        self.network = [
            Dense(f"bilinear_score/dense_{layer}", inputs, outputs, generator)
            for layer, (inputs, outputs) in enumerate(zip([pairs, *units], [*units, 1], strict=True))
        ]

    def users(
        self, blocks: Sequence[Block], drop: Dropout | None = None, replica: Replica | None = None
    ) -> tf.Tensor:
        """Features of each event's user as they are; float32, shape (B, features, dim)."""
        columns = [of_events(block.rows, block.row_of_event) for block in blocks]
        dim = self.shape[-1]
        return tf.reshape(tf.concat(columns, axis=1), (-1, sum(c.shape[1] for c in columns) // dim, dim))

    offers = users

    def logits(
        self,
        users: tf.Tensor,
        offers: tf.Tensor,
        neighbours: int,
        drop: Dropout | None = None,
        replica: Replica | None = None,
    ) -> tf.Tensor:
        """Scores of all pairs inside each negatives group; see `Interaction`."""
        by_user, by_offer = (tf.reshape(side, (-1, neighbours, *side.shape[1:])) for side in (users, offers))
        return self._network(by_user, by_offer, drop, replica)

    def scores(self, users: Vectors, offers: Vectors) -> Vectors:
        """Scores for evaluation, rounded; see `Interaction`."""
        parts = []
        for start in range(0, len(users), GROUPS_AT_A_TIME):
            part = slice(start, start + GROUPS_AT_A_TIME)
            parts.append(self._network(users[part], offers[part], None).numpy())
        # Rounded, since a network's matrix products give equal pairs unequal last bits (see `Dot.scores`).
        scores: Vectors = np.concatenate(parts).round(SCORE_DECIMALS)
        return scores

    def _network(
        self, users: tf.Tensor, offers: tf.Tensor, drop: Dropout | None, replica: Replica | None = None
    ) -> tf.Tensor:
        """Score users (b, i, user_features, dim) with offers (b, j, offer_features, dim); (b, i, j)."""
        turned = tf.einsum("bjod,uord->bjuor", offers, dropped(self.kernel, drop))  # (b, j, U, O, dim)
        values = tf.einsum("biur,bjuor->bijuo", users, turned)
        values = tf.reshape(values, (-1, self.shape[0] * self.shape[1]))  # (pairs, U O)
        # A bias before the normalisation would be taken out again.
        values = self.normalization(values, training=drop is not None, replica=replica)
        for layer in self.network[:-1]:
            values = tf.tanh(dropped(layer(values), drop, replica))
        return tf.reshape(self.network[-1](values), (-1, users.shape[1], offers.shape[1]))

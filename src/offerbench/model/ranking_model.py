"""What every model can do, whatever it is made of."""

from typing import Any, Protocol

import tensorflow as tf

from offerbench.model.negatives import Pairs
from offerbench.model.specification import ModelSpecification


class RankingModel(Protocol):
    """A model that scores pairs of a user's history and an offer."""

    specification: ModelSpecification
    """Enough to build it again."""

    @property
    def variables(self) -> tuple[tf.Variable, ...]:
        """All variables, trainable or not."""

    @property
    def trainable_variables(self) -> tuple[tf.Variable, ...]:
        """Those that training moves."""

    def train_pairs(self, batch: Any, seed: int, step: tf.Tensor, minibatch: int) -> Pairs:
        """Score the pairs of a training batch, with dropout."""

    def infer_pairs(self, batch: Any, minibatch: int) -> Pairs:
        """Score the pairs of a batch without dropout."""

    def infer_users(
        self,
        values: dict[str, tf.Tensor],
        segments: dict[str, tf.Tensor],
        weights: dict[str, tf.Tensor],
        views: tf.Tensor,
    ) -> tf.Tensor:
        """Vectors of histories; float32, shape (views, ...)."""

    def infer_offers(
        self,
        values: dict[str, tf.Tensor],
        segments: dict[str, tf.Tensor],
        weights: dict[str, tf.Tensor],
        offers: tf.Tensor,
    ) -> tf.Tensor:
        """Vectors of offers that are distributions over values; float32, shape (offers, ...)."""

    def regularised(self) -> list[tf.Variable]:
        """Variables under L1."""

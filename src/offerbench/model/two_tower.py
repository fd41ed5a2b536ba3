"""The two-tower model: a vector for a history, a vector for an offer, their dot product."""

import numpy as np
import tensorflow as tf

from offerbench.model.embedding import bag_means, model_tables, weighted_bag_mean
from offerbench.model.negatives import Pairs, pair_logits
from offerbench.model.specification import ModelSpecification
from offerbench.model.tensors import BatchTensors
from offerbench.model.tower import Block, Tower


class TwoTower(tf.Module):
    """Embedding tables of every user feature and offer feature, and the two towers.

    Parameters
    ----------
    specification : ModelSpecification
        Features and shape.
    generator : numpy.random.Generator
        Source of the first weights.
    """

    def __init__(self, specification: ModelSpecification, generator: np.random.Generator) -> None:
        super().__init__(name="two_tower")
        self.specification = specification
        parameters = specification.model
        dim = parameters.embedding_dim
        self.user_tables, self.offer_tables = model_tables(specification, generator)
        self.user_tower, self.offer_tower = (
            Tower(
                name,
                len(tables),
                dim,
                parameters.tower_units,
                parameters.dropout,
                parameters.batch_normalization_momentum,
                generator,
            )
            for name, tables in (("user_tower", self.user_tables), ("offer_tower", self.offer_tables))
        )

    def embed_offer_values(self, batch: BatchTensors) -> list[tf.Tensor]:
        """Embeddings of the distinct labels of each offer feature; float32, shape (n, dim) each."""
        return [tf.gather(table, batch.offer_values[name]) for name, table in self.offer_tables.items()]

    def train_pairs(self, batch: BatchTensors, seed: int, step: tf.Tensor, minibatch: int) -> Pairs:
        """Score the pairs of a training batch; moves the moving moments.

        Parameters
        ----------
        batch : BatchTensors
            The batch.
        seed : int
            Seed of the training's dropout.
        step : int32, scalar
            Number of the step.
        minibatch : int
            Number of negatives + 1.
        """
        seeds = tf.stack([2 * seed, step * len(self.specification.model.tower_units)])
        return Pairs(pair_logits(*self.train_vectors(batch, seeds), minibatch), None)

    def infer_pairs(self, batch: BatchTensors, minibatch: int) -> Pairs:
        """As `train_pairs`, without dropout and by the moving moments."""
        return Pairs(pair_logits(*self.infer_vectors(batch), minibatch), None)

    def train_vectors(self, batch: BatchTensors, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """User and offer vector of each event of a training batch; float32, shape (B, units) each."""
        views = tf.reduce_max(batch.view_of_event) + 1
        histories = bag_means(self.user_tables, batch.values, batch.segments, batch.weights, views)
        users = self.user_tower.train([Block(rows, batch.view_of_event) for rows in histories], seed)
        offer_rows = [batch.offer_rows[name] for name in self.offer_tables]
        blocks = [Block(*pair) for pair in zip(self.embed_offer_values(batch), offer_rows, strict=True)]
        return users, self.offer_tower.train(blocks, tf.stack([seed[0] + 1, seed[1]]))

    def infer_vectors(self, batch: BatchTensors) -> tuple[tf.Tensor, tf.Tensor]:
        """As `train_vectors`, without dropout and by the moving moments."""
        views = tf.reduce_max(batch.view_of_event) + 1
        users = self.infer_users(batch.values, batch.segments, batch.weights, views)  # (V, units)
        offer_rows = [batch.offer_rows[name] for name in self.offer_tables]
        values = zip(self.embed_offer_values(batch), offer_rows, strict=True)
        offers = self.offer_tower.infer([tf.gather(rows, of_event) for rows, of_event in values])
        return tf.gather(users, batch.view_of_event), offers

    def infer_users(
        self,
        values: dict[str, tf.Tensor],
        segments: dict[str, tf.Tensor],
        weights: dict[str, tf.Tensor],
        views: tf.Tensor,
    ) -> tf.Tensor:
        """Vector of each of `views` histories; float32, shape (views, units)."""
        return self.user_tower.infer(bag_means(self.user_tables, values, segments, weights, views))

    def infer_offers(
        self,
        values: dict[str, tf.Tensor],
        segments: dict[str, tf.Tensor],
        weights: dict[str, tf.Tensor],
        offers: tf.Tensor,
    ) -> tf.Tensor:
        """Vector of each offer that is a distribution over the values of its features.

        Parameters
        ----------
        values, segments : dict of int32, shape (values,)
            For each offer feature, labels and the offer of each, ascending.
        weights : dict of float32, shape (values,)
            Sum to 1 in each offer.
        offers : int32, scalar
            Number of offers.

        Returns
        -------
        float32, shape (offers, units)
        """
        embedded = [
            weighted_bag_mean(table, values[name], segments[name], weights[name], offers)
            for name, table in self.offer_tables.items()
        ]
        return self.offer_tower.infer(embedded)

    def regularised(self) -> list[tf.Variable]:
        """Variables under L1: embeddings, kernels and biases."""
        towers = (self.user_tower, self.offer_tower)
        dense = [variable for tower in towers for variable in (*tower.kernels, *tower.biases)]
        shared = self.specification.shared_tables
        own = [table for name, table in self.user_tables.items() if name not in shared]
        return [*own, *self.offer_tables.values(), *dense]

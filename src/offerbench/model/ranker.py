"""The ranker: scores pairs of a user's history and an offer, by the parts that its parameters name."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from offerbench.model.bilinear import Bilinear
from offerbench.model.compression import OfferCompression, UserCompression
from offerbench.model.dot import Dot
from offerbench.model.embedding import bag_means, ranker_tables, weighted_bag_mean
from offerbench.model.interaction import Interaction
from offerbench.model.layers import Dropout
from offerbench.model.match_score import MatchScore
from offerbench.model.negatives import Pairs
from offerbench.model.replicas import Replica
from offerbench.model.segment_mean import segment_mean
from offerbench.model.specification import Specification
from offerbench.model.tensors import BatchTensors, GroupingTensors
from offerbench.model.tower import Block

Tensors = dict[str, tf.Tensor]


class Ranker(tf.Module):
    """Embedding tables, an interaction of users and offers, and the parts that are wanted.

    Parameters
    ----------
    specification : Specification
        Features, shape and parts.
    generator : numpy.random.Generator
        Source of the first weights.
    """

    def __init__(self, specification: Specification, generator: np.random.Generator) -> None:
        super().__init__(name="ranker")
        self.specification = specification
        shape = specification.ranker
        dim, momentum = shape.embedding_dim, shape.batch_normalization_momentum
        self.user_tables, self.offer_tables = ranker_tables(specification, generator)
        users, offers = len(self.user_tables), len(self.offer_tables)
        moments = 2 if shape.variance else 1
        self.user_compression, self.offer_compression = None, None
        if compression := shape.compression:
            self.user_compression = UserCompression(
                users, compression.user_meta_features, dim, momentum, generator
            )
            self.offer_compression = OfferCompression(
                offers, compression.offer_meta_features, dim, moments, compression.mask, generator
            )
            users, offers, moments = compression.user_meta_features, compression.offer_meta_features, 1
        self.interaction: Interaction
        if shape.interaction == "dot":
            inputs = users * dim, moments * offers * dim
            self.interaction = Dot(*inputs, shape.units, momentum, generator)
        else:
            self.interaction = Bilinear(users, offers, dim, shape.units, momentum, generator)
        self.match_score = None
        if matches := shape.match_score:
            features = len(specification.offer_features)
            self.match_score = MatchScore(matches, features, self.interaction.width, momentum, generator)

    def pairs(
        self,
        batch: BatchTensors,
        neighbours: int,
        drop: Dropout | None = None,
        replica: Replica | None = None,
    ) -> Pairs:
        """Score the pairs of a batch, through each of its groupings.

        Parameters
        ----------
        batch : BatchTensors
            The batch.
        neighbours : int
            Events of a negatives group.
        drop : Dropout, optional
            Of a training step, which moves the moving moments. None: evaluation.
        replica : Replica, optional
            Whose share of a batch this is: users are its own, offers those of the whole batch, and the pairs
            its own again. None: it is a whole batch.
        """
        own: Callable[[tf.Tensor], tf.Tensor] = (lambda whole: whole) if replica is None else replica.own
        histories = tf.reduce_max(batch.history_of_event) + 1
        tables = self.user_tables | {
            name: tf.gather(self.user_tables[name], labels) for name, labels in batch.labels.items()
        }
        means = bag_means(tables, batch.values, batch.segments, batch.weights, histories)
        rows = self._user_rows(means, drop)
        users = self.interaction.users(
            [Block(block, batch.history_of_event) for block in rows], drop, replica
        )
        if not batch.groupings:
            offers = own(self.interaction.offers(self._own_offers(batch), drop))
            return Pairs(self.interaction.logits(users, offers, neighbours, drop, replica)[None], None)
        events = self._events(batch)
        logits = []
        for grouping in batch.groupings:
            offer_rows = self._offer_rows(*self._grouped(events, grouping), drop)
            offers = own(self.interaction.offers([Block(offer_rows, grouping.group_of_event)], drop))
            scores = self.interaction.logits(users, offers, neighbours, drop, replica)
            if self.match_score is not None:
                scores += self.match_score.logits(
                    own(grouping.counts),
                    own(batch.past_lengths),
                    own(grouping.base),
                    offers,
                    training=drop is not None,
                    replica=replica,
                )
            logits.append(scores)
        return Pairs(tf.stack(logits), tf.stack([own(grouping.weights) for grouping in batch.groupings]))

    def infer_users(
        self, values: Tensors, segments: Tensors, weights: Tensors, histories: tf.Tensor
    ) -> tf.Tensor:
        """Vector of each of some histories.

        Parameters
        ----------
        values, segments : dict of int32, shape (values,)
            For each user feature, labels and the history of each, ascending.
        weights : dict of float32, shape (values,)
            For each user feature with weights, that of each value.
        histories : int32, scalar
            Number of histories.

        Returns
        -------
        float32, shape (histories, units) or (histories, features, dim)
        """
        rows = self._user_rows(bag_means(self.user_tables, values, segments, weights, histories), None)
        return self.interaction.users([Block(block) for block in rows])

    def infer_offers(
        self, values: Tensors, segments: Tensors, weights: Tensors, offers: tf.Tensor
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
        float32, shape (offers, units) or (offers, features, dim)
        """
        return self.interaction.offers(
            [Block(self._offer_rows(*self._moments(values, segments, weights, offers)))]
        )

    def regularised(self) -> list[tf.Variable]:
        """Variables under L1: embeddings, kernels and biases."""
        return [
            variable
            for variable in self.trainable_variables
            if "_embedding/" in variable.name
            or variable.name.rpartition("/")[2].startswith(("kernel", "bias"))
        ]

    def _own_offers(self, batch: BatchTensors) -> list[Block]:
        """Embeddings of the distinct labels of each offer feature, with the label of each event."""
        return [
            Block(tf.gather(table, batch.offer_values[name]), batch.offer_rows[name])
            for name, table in self.offer_tables.items()
        ]

    def _events(self, batch: BatchTensors) -> list[tf.Tensor]:
        """Embeddings of each event's values, side by side, and, for the variance, their squares.

        Returns
        -------
        list of float32, shape (B, features * dim)
        """
        columns = [tf.gather(*block) for block in self._own_offers(batch)]
        # Squares before they are side by side: the other way round, gradients are added up in another order.
        squares = [[tf.square(column) for column in columns]] if self.specification.ranker.variance else []
        return [tf.concat(power, axis=1) for power in (columns, *squares)]

    def _grouped(
        self, events: list[tf.Tensor], grouping: GroupingTensors
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Mean and, if it is a part, variance over each group; float32, shape (groups, features * dim)."""
        segments = tf.gather(grouping.group_of_event, grouping.by_group)  # (B,), ascending
        mean, *squares = [segment_mean(power, grouping.by_group, segments) for power in events]
        return mean, squares[0] - tf.square(mean) if squares else None

    def _moments(
        self, values: Tensors, segments: Tensors, weights: Tensors, offers: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Mean and, if it is a part, variance over each distribution; see `infer_offers`."""

        def means(power: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
            of_features = [
                weighted_bag_mean(power(table), values[name], segments[name], weights[name], offers)
                for name, table in self.offer_tables.items()
            ]
            return tf.concat(of_features, axis=1)

        mean = means(tf.identity)
        return mean, means(tf.square) - tf.square(mean) if self.specification.ranker.variance else None

    def _user_rows(self, means: list[tf.Tensor], drop: Dropout | None) -> list[tf.Tensor]:
        """Histories as they go into the interaction: side by side, all features' columns."""
        if self.user_compression is None:
            return means
        compressed = self.user_compression(tf.stack(means, axis=1), drop)
        return [tf.reshape(compressed, (-1, compressed.shape[1] * compressed.shape[2]))]

    def _offer_rows(
        self, means: tf.Tensor, variances: tf.Tensor | None, drop: Dropout | None = None
    ) -> tf.Tensor:
        """Offers as they go into the interaction; float32, shape (offers, columns)."""
        moments = means if variances is None else tf.concat([means, variances], axis=1)
        if self.offer_compression is None:
            return moments
        dim = self.specification.ranker.embedding_dim
        by_feature = tf.reshape(means, (-1, means.shape[1] // dim, dim))
        compressed = self.offer_compression(by_feature, moments, drop)
        return tf.reshape(compressed, (-1, compressed.shape[1] * dim))

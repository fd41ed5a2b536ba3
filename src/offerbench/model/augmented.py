"""The augmented model: users and groups of events, richer parts, matches as an input to the score."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from offerbench.model.compression import OfferCompression, UserCompression
from offerbench.model.embedding import bag_means, model_tables, weighted_bag_mean
from offerbench.model.interaction import BilinearScore, MatchScore
from offerbench.model.layers import Drop, Dropout, no_dropout
from offerbench.model.negatives import Pairs, pair_logits
from offerbench.model.specification import AugmentedSpecification
from offerbench.model.tensors import AugmentedTensors, BatchTensors, ViewTensors
from offerbench.model.tower import Block, Tower


class AugmentedModel(tf.Module):
    """Embedding tables, a side for users and one for offers, and a score of their pairs.

    Parameters
    ----------
    specification : AugmentedSpecification
        Features, shape and parts.
    generator : numpy.random.Generator
        Source of the first weights.
    """

    def __init__(self, specification: AugmentedSpecification, generator: np.random.Generator) -> None:
        super().__init__(name="augmented")
        self.specification = specification
        shape, parts = specification.model, specification.parts
        dim, momentum = shape.embedding_dim, shape.batch_normalization_momentum
        self.user_tables, self.offer_tables = model_tables(specification, generator)
        users, offers = len(self.user_tables), len(self.offer_tables)
        moments = 2 if parts.variance else 1
        self.user_compression, self.offer_compression = None, None
        if parts.user_meta_features:
            self.user_compression = UserCompression(users, parts.user_meta_features, dim, momentum, generator)
            users = parts.user_meta_features
        if parts.offer_meta_features:
            self.offer_compression = OfferCompression(
                offers, parts.offer_meta_features, dim, moments, parts.mask, generator
            )
            offers = parts.offer_meta_features
        elif parts.interaction == "dot":
            offers *= moments
        self.bilinear = None
        if parts.interaction == "dot":
            towers = (shape.tower_units, shape.dropout, momentum, generator)
            blocks, width = (1, users * dim) if self.user_compression else (users, dim)
            self.user_tower = Tower("user_tower", blocks, width, *towers)
            self.offer_tower = Tower("offer_tower", 1, offers * dim, *towers)
            units = shape.tower_units[-1]
        else:
            self.bilinear = BilinearScore(users, offers, dim, parts.network_units, momentum, generator)
            units = offers * dim
        self.match_score = None
        if parts.matching:
            matching = parts.matching
            self.match_score = MatchScore(matching.windows, matching.hidden_units, units, momentum, generator)
        self._dim = dim

    def train_pairs(self, tensors: AugmentedTensors, seed: int, step: tf.Tensor, minibatch: int) -> Pairs:
        """Score the pairs of every view of a training batch; moves the moving moments.

        Parameters
        ----------
        tensors : AugmentedTensors
            The batch and its views.
        seed : int
            Seed of the training's dropout.
        step : int32, scalar
            Number of the step.
        minibatch : int
            Number of negatives + 1.
        """
        drop = Dropout(self.specification.model.dropout, seed, step)
        batch = tensors.batch
        views = tf.reduce_max(batch.view_of_event) + 1
        histories = self._user_rows(
            bag_means(self.user_tables, batch.values, batch.segments, batch.weights, views), drop, True
        )
        if self.bilinear is None:
            blocks = [Block(rows, batch.view_of_event) for rows in histories]
            users = self.user_tower.train(blocks, drop.seed(len(self.user_tower.kernels)))
        else:
            users = tf.gather(self._by_feature(tf.concat(histories, axis=1)), batch.view_of_event)
        events = self._events(batch)
        scores = []
        for view in tensors.views:
            means, variances = self._grouped(events, view)
            rows = self._offer_rows(means, variances, drop)
            if self.bilinear is None:
                block = Block(rows, view.group_of_event)
                offers = self.offer_tower.train([block], drop.seed(len(self.offer_tower.kernels)))
            else:
                offers = tf.gather(self._by_feature(rows), view.group_of_event)
            scores.append(self._scores(users, offers, view, tensors.lengths, minibatch, drop))
        return Pairs(tf.stack(scores), tf.stack([view.weights for view in tensors.views]))

    def infer_pairs(self, tensors: AugmentedTensors, minibatch: int) -> Pairs:
        """As `train_pairs`, without dropout and by the moving moments."""
        batch = tensors.batch
        views = tf.reduce_max(batch.view_of_event) + 1
        users = self.infer_users(batch.values, batch.segments, batch.weights, views)
        users = tf.gather(users, batch.view_of_event)
        events = self._events(batch)
        scores = []
        for view in tensors.views:
            offers = self._infer_offers(*self._grouped(events, view))
            of_event = tf.gather(offers, view.group_of_event)
            scores.append(self._scores(users, of_event, view, tensors.lengths, minibatch, None))
        return Pairs(tf.stack(scores), tf.stack([view.weights for view in tensors.views]))

    def infer_users(
        self,
        values: dict[str, tf.Tensor],
        segments: dict[str, tf.Tensor],
        weights: dict[str, tf.Tensor],
        views: tf.Tensor,
    ) -> tf.Tensor:
        """Vectors of each of `views` histories; float32, (views, units) or (views, features, dim)."""
        rows = self._user_rows(
            bag_means(self.user_tables, values, segments, weights, views), no_dropout, False
        )
        if self.bilinear is None:
            return self.user_tower.infer(rows)
        return self._by_feature(tf.concat(rows, axis=1))

    def infer_offers(
        self,
        values: dict[str, tf.Tensor],
        segments: dict[str, tf.Tensor],
        weights: dict[str, tf.Tensor],
        offers: tf.Tensor,
    ) -> tf.Tensor:
        """Vectors of each offer that is a distribution over the values of its features.

        Parameters are those of `TwoTower.infer_offers`.

        Returns
        -------
        float32, shape (offers, units) or (offers, features, dim)
        """

        def means(power: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
            of_features = [
                weighted_bag_mean(power(table), values[name], segments[name], weights[name], offers)
                for name, table in self.offer_tables.items()
            ]
            return tf.concat(of_features, axis=1)

        mean = means(tf.identity)
        variance = means(tf.square) - tf.square(mean) if self.specification.parts.variance else None
        return self._infer_offers(mean, variance)

    def regularised(self) -> list[tf.Variable]:
        """Variables under L1: embeddings, kernels and biases."""
        return [
            variable
            for variable in self.trainable_variables
            if "_embedding/" in variable.name
            or variable.name.rpartition("/")[2].startswith(("kernel", "bias"))
        ]

    def _events(self, batch: BatchTensors) -> tf.Tensor:
        """Embeddings of each event's values, side by side, then, if variance is a part, their squares.

        Returns
        -------
        float32, shape (B, features * dim) or (B, 2 * features * dim)
        """
        columns = [
            tf.gather(tf.gather(table, batch.offer_values[name]), batch.offer_rows[name])
            for name, table in self.offer_tables.items()
        ]
        squares = [tf.square(column) for column in columns] if self.specification.parts.variance else []
        return tf.concat([*columns, *squares], axis=1)

    def _grouped(self, events: tf.Tensor, view: ViewTensors) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Mean and, if it is a part, variance over each group; float32, shape (groups, features * dim)."""
        segments = tf.gather(view.group_of_event, view.by_group)  # (B,), ascending
        means = tf.sparse.segment_mean(events, view.by_group, segments)
        if not self.specification.parts.variance:
            return means, None
        mean, square = tf.split(means, 2, axis=1)
        return mean, square - tf.square(mean)

    def _user_rows(self, rows: list[tf.Tensor], drop: Drop, training: bool) -> list[tf.Tensor]:
        """Histories as they go into the interaction, compressed if that is a part.

        Returns
        -------
        list of float32
            Side by side, their columns are those of all features.
        """
        if self.user_compression is None:
            return rows
        compressed = self.user_compression(tf.stack(rows, axis=1), drop, training)
        return [tf.reshape(compressed, (-1, compressed.shape[1] * self._dim))]

    def _offer_rows(self, means: tf.Tensor, variances: tf.Tensor | None, drop: Drop) -> tf.Tensor:
        """Offers as they go into the interaction; float32, shape (offers, features * dim)."""
        moments = means if variances is None else tf.concat([means, variances], axis=1)
        if self.offer_compression is None:
            return moments if self.bilinear is None else means
        compressed = self.offer_compression(self._by_feature(means), moments, drop)
        return tf.reshape(compressed, (-1, compressed.shape[1] * self._dim))

    def _by_feature(self, rows: tf.Tensor) -> tf.Tensor:
        """(n, features * dim) as (n, features, dim)."""
        return tf.reshape(rows, (-1, rows.shape[1] // self._dim, self._dim))

    def _infer_offers(self, means: tf.Tensor, variances: tf.Tensor | None) -> tf.Tensor:
        rows = self._offer_rows(means, variances, no_dropout)
        return self.offer_tower.infer([rows]) if self.bilinear is None else self._by_feature(rows)

    def _scores(
        self,
        users: tf.Tensor,
        offers: tf.Tensor,
        view: ViewTensors,
        lengths: tf.Tensor,
        minibatch: int,
        drop: Dropout | None,
    ) -> tf.Tensor:
        """Scores of a view's pairs; float32, shape (B / m, m, m)."""
        training = drop is not None
        if self.bilinear is None:
            scores = pair_logits(users, offers, minibatch)
        else:
            by_user, by_offer = (
                tf.reshape(side, (-1, minibatch, *side.shape[1:])) for side in (users, offers)
            )
            scores = self.bilinear(by_user, by_offer, drop or no_dropout, training)
        if self.match_score is None:
            return scores
        windows = view.counts.shape[-1]
        of_user = tf.reshape(lengths, (-1, minibatch, 1, windows))
        functions = self.match_score.of_pairs(
            view.counts,
            tf.broadcast_to(of_user, tf.shape(view.counts)),
            tf.reshape(view.base, (-1, 1, minibatch)),
            training,
        )
        weights = self.match_score.of_offers(tf.reshape(offers, (tf.shape(offers)[0], -1)))
        weights = tf.reshape(weights, (-1, 1, minibatch, weights.shape[-1]))
        return scores + tf.reduce_sum(functions * weights, axis=-1)

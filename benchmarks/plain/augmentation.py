"""A training step in the manner of the published system's study: group-by augmentation in the graph.

The key of each event is made of features drawn at random, and `tf.unique` groups the events by it; an
offer is mean and variance of its events' embeddings; every event runs through both towers, its offer once
for each grouping. What our default has besides (match counts, hits left out, histories thinned out) is
done as plainly where the model has it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from benchmarks.plain.matches import PlainMatchScore, is_accidental_hit, offer_keys
from benchmarks.plain.training import Inputs, PlainTrainer, Scored
from offerbench.features.config import GroupingParameters
from offerbench.features.keys import MAX_KEYS
from offerbench.model.ranker import Ranker


class PlainGrouping(NamedTuple):
    """A batch of B events as events of offers."""

    is_drawn: tf.Tensor
    """Whether the key has each offer feature: bool, shape (features,)."""
    group_of_event: tf.Tensor
    """Offer of each event, 0 .. offers - 1: int32, shape (B,)."""


Draw = Callable[[Sequence[tf.Tensor]], list[PlainGrouping]]
"""Makes the groupings of a batch out of its events' labels, int32 of shape (B,) for each offer feature."""


def packed_keys(labels: Sequence[tf.Tensor], sizes: Sequence[int], is_drawn: tf.Tensor) -> tf.Tensor:
    """Give each combination of the drawn features' labels a number; int64, shape of a feature's labels.

    Raises
    ------
    ValueError
        If there are more combinations than are told apart.
    """
    if np.prod(sizes, dtype=object) > MAX_KEYS:
        raise ValueError(f"{sizes} labels: too many combinations for the plain twin")
    keys = tf.zeros_like(labels[0], tf.int64)
    for place, (column, size) in enumerate(zip(labels, sizes, strict=True)):
        keys = tf.where(is_drawn[place], keys * size + tf.cast(column, tf.int64), keys)
    return keys


def draw_groupings(parameters: GroupingParameters, sizes: Sequence[int]) -> Draw:
    """Give what draws the groupings of a batch; `sizes` are the numbers of labels of the features."""

    def draw(labels: Sequence[tf.Tensor]) -> list[PlainGrouping]:
        return [draw_grouping(parameters, sizes, labels) for _ in range(parameters.number)]

    return draw


def draw_grouping(
    parameters: GroupingParameters, sizes: Sequence[int], labels: Sequence[tf.Tensor]
) -> PlainGrouping:
    """Draw features and group events by them; now and then split and merge the groups."""
    is_drawn = draw_features(len(labels), parameters.mean_features)
    groups = tf.unique(packed_keys(labels, sizes, is_drawn))[1]
    changed = tf.cond(
        tf.random.uniform([]) < parameters.coarser_and_finer_share,
        lambda: merged(split(groups, parameters), parameters.mean_further_groups),
        lambda: groups,
    )
    return PlainGrouping(is_drawn, changed)


def draw_features(features: int, mean: float) -> tf.Tensor:
    """Draw each feature with the same chance, again until there is one; bool, shape (features,)."""
    return tf.while_loop(
        lambda drawn: tf.logical_not(tf.reduce_any(drawn)),
        lambda _: [tf.random.uniform([features]) < mean / features],
        [tf.zeros(features, tf.bool)],
    )[0]


def split(groups: tf.Tensor, parameters: GroupingParameters) -> tf.Tensor:
    """Cut large groups at random; int32, shape (B,)."""
    sizes = tf.math.bincount(groups)
    place = parameters.small_group_percentile / 100 * tf.cast(tf.size(sizes) - 1, tf.float32)
    small = tf.sort(sizes)[tf.cast(tf.round(place), tf.int32)] + parameters.min_group
    parts = tf.gather(tf.minimum(sizes // small + 1, parameters.max_subgroups), groups)
    part = tf.cast(tf.random.uniform(tf.shape(groups)) * tf.cast(parts, tf.float32), tf.int32)
    return tf.unique(groups * (parameters.max_subgroups + 1) + part)[1]


def merged(groups: tf.Tensor, mean_further_groups: float) -> tf.Tensor:
    """Line the groups up at random and merge so many neighbours at a time; int32, shape (B,)."""
    at_a_time = 2 + tf.random.poisson([], mean_further_groups, tf.int32)
    place = tf.random.shuffle(tf.range(tf.reduce_max(groups) + 1))
    return tf.gather(place // at_a_time, groups)


def moments(events: tf.Tensor, group_of_event: tf.Tensor, with_variance: bool) -> tf.Tensor:
    """Mean and, if wanted, variance over each event's group; float32, shape (B, columns of all moments)."""
    order = tf.argsort(group_of_event, stable=True)
    segments, values = tf.gather(group_of_event, order), tf.gather(events, order)
    of_group = tf.math.segment_mean(values, segments)
    if with_variance:
        squares = tf.math.segment_mean(tf.square(values), segments)
        of_group = tf.concat([of_group, squares - tf.square(of_group)], axis=1)
    return tf.gather(of_group, group_of_event)


class PlainAugmentedTrainer(PlainTrainer):
    """The study's step with the weights of one of our models.

    Parameters
    ----------
    model : Ranker
        Of events seen as events of groups; matches and hits as it has them.
    draw : Draw
        Makes the groupings of a batch.
    """

    def __init__(self, model: Ranker, draw: Draw) -> None:
        super().__init__(model)
        self.draw = draw
        self.sizes = list(model.specification.offer_features.values())
        self.with_variance = model.specification.ranker.variance
        self.removes_hits = model.specification.training.remove_accidental_hits == "offer"
        self.match_score = PlainMatchScore(model) if model.match_score else None
        if self.match_score:
            self.layers.append(self.match_score)
            self.variables += self.match_score.trainable_variables
            hidden, of_offer = self.match_score.hidden, self.match_score.weights_of_offer
            self.watched |= {
                "match_score/kernel": hidden.kernel,
                "match_score/bias": hidden.bias,
                "match_score/weights": of_offer.bias,
                "match_score/weights_of_offer": of_offer.kernel,
            }

    def loss(self, inputs: Inputs) -> Scored:
        """Score all pairs of a batch through all groupings; the loss is their mean."""
        user_tower, offer_tower = self.towers
        users = self.by_group(user_tower(self.user_columns(inputs), training=True))
        events = self.offer_columns(inputs)
        labels = [inputs[name].values for name in self.offer_features]
        losses, logits, weights = [], [], []
        for grouping in self.draw(labels):
            keys = offer_keys(packed_keys(labels, self.sizes, grouping.is_drawn), grouping.group_of_event)
            rows = moments(events, grouping.group_of_event, self.with_variance)
            offers = offer_tower(rows, training=True)
            scores = tf.einsum("bid,bjd->bij", users, self.by_group(offers))
            if self.match_score is not None:
                past = self._past(inputs, grouping.is_drawn)
                scores += self.match_score(past, keys, offers, neighbours=self.neighbours)
            is_left_out = (
                is_accidental_hit(keys, self.neighbours) if self.removes_hits else tf.zeros_like(scores)
            )
            logits.append(tf.reshape(scores, (-1, 1)))
            weights.append(tf.reshape(1 - tf.cast(is_left_out, tf.float32), (-1, 1)))
            of_pairs = tf.keras.losses.binary_crossentropy(
                self.targets(tf.size(scores)), logits[-1], from_logits=True
            )
            losses.append(tf.reduce_sum(of_pairs[:, None] * weights[-1]) / tf.reduce_sum(weights[-1]))
        loss = tf.add_n(losses) / len(losses) + self.penalty()
        all_logits = tf.concat(logits, axis=0)
        targets = self.targets(tf.size(all_logits))
        return Scored(loss, targets, all_logits, tf.concat(weights, axis=0))

    def _past(self, inputs: Inputs, is_drawn: tf.Tensor) -> tf.RaggedTensor:
        """Keys of each user's past; int64, shape (B, (past events))."""
        columns = [inputs[f"past_{name}"] for name in self.offer_features]
        return columns[0].with_values(packed_keys([of.values for of in columns], self.sizes, is_drawn))

"""What a user and an offer score together, besides a dot product: matches, bilinear products."""

import numpy as np
import tensorflow as tf

from offerbench.model.layers import BatchNormalization, Dense, Drop

PRIOR_EVENTS = 20.0  # that every user is taken to have bought besides, as all users together do


def match_functions(counts: tf.Tensor, lengths: tf.Tensor, base: tf.Tensor) -> tf.Tensor:
    """Functions of matches: share of the past, and by how much the odds of a match surpass all users'.

    The odds are those of a mean of the user's share and of all users' share, which counts as
    PRIOR_EVENTS events (a beta prior): a user without a past is like all users.

    Parameters
    ----------
    counts : int32, shape (..., windows)
        Matching events of the past, in each window.
    lengths : int32, shape (..., windows)
        All events of the past, in each window.
    base : float32, shape (...)
        Share of all events that match the offer.

    Returns
    -------
    float32, shape (..., 2 * windows)
        Shares, then logarithms of the ratio of odds.
    """
    count, length = tf.cast(counts, tf.float32), tf.cast(lengths, tf.float32)
    expected = tf.clip_by_value(base, 1e-6, 1 - 1e-6)[..., None]  # (..., 1)
    odds = tf.math.log((count + PRIOR_EVENTS * expected) / (length - count + PRIOR_EVENTS * (1 - expected)))
    return tf.concat(
        [count / tf.maximum(length, 1.0), odds - tf.math.log(expected / (1 - expected))], axis=-1
    )


class MatchScore(tf.Module):
    """Scores matches: learned functions of them, each weighed by the offer.

    The log odds of a match in the last window begin with weight 1: they are what a user's purchases
    say about the next one if nothing else is known.

    Parameters
    ----------
    windows : list of int or None
        Windows that matches are counted in: so many newest events, None for all.
    hidden : int
        Learned functions.
    units : int
        Length of an offer's vector.
    momentum : float
        Of the normalisation of `match_functions`.
    generator : numpy.random.Generator
        Source of the first weights.
    """

    def __init__(
        self,
        windows: list[int | None],
        hidden: int,
        units: int,
        momentum: float,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(name="match_score")
        self.windows = windows
        inputs = 2 * len(windows)
        self.normalization = BatchNormalization("match_score/normalization", inputs, momentum)
        kernel = generator.normal(0, 0.7, (inputs, hidden)).astype(np.float32)
        self.kernel = tf.Variable(kernel, name="match_score/kernel")
        bias = generator.normal(0, 0.5, hidden).astype(np.float32)
        self.bias = tf.Variable(bias, name="match_score/bias")
        of_odds = np.append(np.zeros(len(windows) - 1), [1, 0])  # and of the constant
        weights = np.append(generator.normal(0, 0.1, hidden), of_odds).astype(np.float32)
        self.weights = tf.Variable(weights, name="match_score/weights")
        kernel = np.zeros((units, len(weights)), np.float32)
        self.weights_of_offer = tf.Variable(kernel, name="match_score/weights_of_offer")

    def of_pairs(self, counts: tf.Tensor, lengths: tf.Tensor, base: tf.Tensor, training: bool) -> tf.Tensor:
        """Functions of each pair's matches: the learned ones, the log odds of each window, and 1.

        Parameters
        ----------
        counts, lengths, base
            As in `match_functions`.
        training : bool
            Whether moments are those of the batch.

        Returns
        -------
        float32, shape (..., hidden + windows + 1)
        """
        functions = match_functions(counts, lengths, base)
        hidden = tf.tanh(tf.tensordot(self.normalization(functions, training), self.kernel, 1) + self.bias)
        odds = functions[..., functions.shape[-1] // 2 :]
        return tf.concat([hidden, odds, tf.ones_like(odds[..., :1])], axis=-1)

    def of_offers(self, offers: tf.Tensor) -> tf.Tensor:
        """Weight of each function for offers (n, units); float32, shape (n, hidden + windows + 1)."""
        return offers @ self.weights_of_offer + self.weights


class BilinearScore(tf.Module):
    """Products of all pairs of a user's and an offer's meta features, and a network on top.

    Parameters
    ----------
    user_features, offer_features, dim : int
        Meta features of each side, and the length of each.
    units : list of int
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
        units: list[int],
        momentum: float,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(name="bilinear_score")
        self.shape = (user_features, offer_features, dim, dim)
        kernel = generator.normal(0, 0.05, self.shape).astype(np.float32)
        self.kernel = tf.Variable(kernel, name="bilinear_score/kernel")
        pairs = user_features * offer_features
        self.normalization = BatchNormalization("bilinear_score/normalization", pairs, momentum)
        self.network = [
            Dense(f"bilinear_score/dense_{layer}", inputs, outputs, generator)
            for layer, (inputs, outputs) in enumerate(zip([pairs, *units], [*units, 1], strict=True))
        ]

    def __call__(self, users: tf.Tensor, offers: tf.Tensor, drop: Drop, training: bool) -> tf.Tensor:
        """Score users (b, m, user_features, dim) with offers (b, m, offer_features, dim).

        Returns
        -------
        float32, shape (b, m, m)
            Entry (b, i, j): user i with offer j.
        """
        turned = tf.einsum("bjod,uord->bjuor", offers, drop(self.kernel))  # (b, m, U, O, dim)
        values = tf.einsum("biur,bjuor->bijuo", users, turned)
        values = tf.reshape(values, (-1, self.shape[0] * self.shape[1]))  # (pairs, U O)
        values = self.normalization(values, training)  # a bias before it would be taken out again
        for layer in self.network[:-1]:
            values = tf.tanh(drop(layer(values)))
        minibatch = users.shape[1]
        return tf.reshape(self.network[-1](values), (-1, minibatch, minibatch))

"""What the matches of a user's past with an offer add to a pair's score."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from offerbench.features.keys import packed_key
from offerbench.model.config import MatchParameters
from offerbench.model.interaction import Vectors
from offerbench.model.layers import BatchNormalization
from offerbench.model.replicas import Replica

Counts = npt.NDArray[np.float32]
MIN_SHARE = 1e-6
PAIRS_AT_A_TIME = 200_000


def match_functions(counts: tf.Tensor, lengths: tf.Tensor, base: tf.Tensor, prior_events: float) -> tf.Tensor:
    """Functions of matches: share of the past, and by how much the odds of a match surpass all users'.

    The odds are those of a mean of the user's share and of all users' share, which counts as
    `prior_events` events (a beta prior): a user without a past is like all users.

    Parameters
    ----------
    counts : float32, shape (..., kinds)
        Matching events of the past, by kind of match.
    lengths : float32, shape (..., kinds)
        All events of the past that a kind looks at.
    base : float32, shape (..., kinds)
        Share of all events that match the offer.
    prior_events : float
        Weight of all users' share.

    Returns
    -------
    float32, shape (..., 2 * kinds)
        Shares, then logarithms of the ratio of odds.
    """
    expected = tf.clip_by_value(base, MIN_SHARE, 1 - MIN_SHARE)
    odds = tf.math.log(
        (counts + prior_events * expected) / (lengths - counts + prior_events * (1 - expected))
    )
    shares = counts / tf.maximum(lengths, 1.0)
    return tf.concat([shares, odds - tf.math.log(expected / (1 - expected))], axis=-1)


class MatchScore(tf.Module):
    """Scores matches: learned functions of them, each weighed by the offer.

    The log odds of a match in the last window begin with weight 1: they are what a user's purchases
    say about the next one if nothing else is known.

    Parameters
    ----------
    parameters : MatchParameters
        Windows, hidden units and prior.
    offer_features : int
        Kinds of match after those of the windows, if attributes are matched.
    width : int
        Entries of an offer's vector.
    momentum : float
        Of the normalisation of `match_functions`.
    generator : numpy.random.Generator
        Source of the first weights.
    """

    def __init__(
        self,
        parameters: MatchParameters,
        offer_features: int,
        width: int,
        momentum: float,
        generator: np.random.Generator,
    ) -> None:
        super().__init__(name="match_score")
        self.parameters = parameters
        windows, hidden = len(parameters.windows), parameters.hidden_units
        kinds = windows + (offer_features if parameters.attribute_values else 0)
        self.normalization = BatchNormalization("match_score/normalization", 2 * kinds, momentum)
        kernel = generator.normal(0, 0.7, (2 * kinds, hidden)).astype(np.float32)
        self.kernel = tf.Variable(kernel, name="match_score/kernel")
        bias = generator.normal(0, 0.5, hidden).astype(np.float32)
        self.bias = tf.Variable(bias, name="match_score/bias")
        of_odds = np.zeros(kinds + 1)  # and of the constant
        of_odds[windows - 1] = 1
        weights = np.append(generator.normal(0, 0.1, hidden), of_odds).astype(np.float32)
        self.weights = tf.Variable(weights, name="match_score/weights")
        kernel = np.zeros((width, len(weights)), np.float32)
        self.weights_of_offer = tf.Variable(kernel, name="match_score/weights_of_offer")

    def logits(
        self,
        counts: tf.Tensor,
        lengths: tf.Tensor,
        base: tf.Tensor,
        offers: tf.Tensor,
        training: bool,
        replica: Replica | None = None,
    ) -> tf.Tensor:
        """Scores of all pairs inside each negatives group, for training.

        Parameters
        ----------
        counts : float32, shape (b, m, m, kinds)
            Matches of each pair.
        lengths : float32, shape (B, kinds)
            Events of each event's past.
        base : float32, shape (B, kinds)
            Share of all events that match each event's offer.
        offers : float32, shape (B, ...)
            Vector of each event's offer.
        training : bool
            Whether moments are those of the batch.
        replica : Replica, optional
            Whose share the events are; None: they are a whole batch.

        Returns
        -------
        float32, shape (b, m, m)
        """
        neighbours, kinds = counts.shape[-2:]
        of_user = tf.reshape(lengths, (-1, neighbours, 1, kinds))
        functions = self._functions(
            counts,
            tf.broadcast_to(of_user, tf.shape(counts)),
            tf.reshape(base, (-1, 1, neighbours, kinds)),
            training,
            replica,
        )
        weights = self._weights_of(offers)
        weights = tf.reshape(weights, (-1, 1, neighbours, weights.shape[-1]))
        return tf.reduce_sum(functions * weights, axis=-1)

    def scores(
        self,
        counts: Counts,
        lengths: Counts,
        base: Counts,
        offers: Vectors,
        offer_of_event: npt.NDArray[np.int32],
    ) -> Vectors:
        """Scores for evaluation: equal pairs get equal bits wherever they stand.

        Parameters
        ----------
        counts : float32, shape (groups, i, j, kinds)
            Matches of each pair.
        lengths : float32, shape (groups, i, kinds)
            Events of each user's past.
        base : float32, shape (offers, kinds)
            Share of all events that match each offer.
        offers : float32, shape (offers, ...)
            Vector of each offer.
        offer_of_event : int32, shape (groups, j)
            Which of the offers is scored.

        Returns
        -------
        float32, shape (groups, i, j)
        """
        both = [
            part.reshape(-1, counts.shape[-1])
            for part in (counts, np.broadcast_to(lengths[:, :, None], counts.shape))
        ]  # (pairs, kinds) each
        offer_of_pair = np.broadcast_to(offer_of_event[:, None, :], counts.shape[:-1]).reshape(-1)
        # Each combination once: pairs of equal matches get scores of equal bits.
        first, row_of_pair = _distinct([offer_of_pair, *(column for part in both for column in part.T)])
        parts = [
            self._functions(both[0][some], both[1][some], base[offer_of_pair[some]], training=False).numpy()
            for some in np.array_split(first, len(first) // PAIRS_AT_A_TIME + 1)
        ]
        of_pair = np.concatenate(parts)[row_of_pair].reshape(*counts.shape[:-1], -1)
        weights = self._weights_of(offers).numpy()[offer_of_event]  # (groups, j, functions)
        scores: Vectors = np.einsum("bijf,bjf->bij", of_pair, weights)
        return scores

    def _functions(
        self,
        counts: tf.Tensor,
        lengths: tf.Tensor,
        base: tf.Tensor,
        training: bool,
        replica: Replica | None = None,
    ) -> tf.Tensor:
        """Functions of each pair's matches: the learned ones, the log odds of each kind, and 1.

        Parameters are those of `match_functions`.

        Returns
        -------
        float32, shape (..., hidden + kinds + 1)
        """
        functions = match_functions(counts, lengths, base, self.parameters.prior_events)
        hidden = tf.tanh(
            tf.tensordot(self.normalization(functions, training, replica), self.kernel, 1) + self.bias
        )
        odds = functions[..., functions.shape[-1] // 2 :]
        return tf.concat([hidden, odds, tf.ones_like(odds[..., :1])], axis=-1)

    def _weights_of(self, offers: tf.Tensor) -> tf.Tensor:
        """Weight of each function for offers (n, ...); float32, shape (n, hidden + kinds + 1)."""
        flat = tf.reshape(offers, (-1, self.weights_of_offer.shape[0]))
        return flat @ self.weights_of_offer + self.weights


def _distinct(columns: Sequence[npt.NDArray[Any]]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """First row of each combination of values, and the combination of each row."""
    numbers = [np.unique(column, return_inverse=True)[1].astype(np.int64) for column in columns]
    first, combination = np.unique(packed_key(numbers), return_index=True, return_inverse=True)[1:]
    return first, combination

"""Pairs of a batch and their loss, against loops."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.model.negatives import Pairs, pair_logits, pair_loss, pair_targets
from tests.oracle import model as oracle


@settings(max_examples=20)
@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 4), st.integers(0, 99))
def test_logits_are_the_dot_products_of_each_minibatch(
    minibatches: int, minibatch: int, units: int, seed: int
) -> None:
    users, offers = np.random.default_rng(seed).normal(size=(2, minibatches * minibatch, units))
    users, offers = users.astype(np.float32), offers.astype(np.float32)
    logits = pair_logits(tf.constant(users), tf.constant(offers), minibatch).numpy()
    assert logits.shape == (minibatches, minibatch, minibatch)
    for b, i, j in np.ndindex(*logits.shape):
        first = b * minibatch
        expected = sum(float(x) * float(y) for x, y in zip(users[first + i], offers[first + j], strict=True))
        assert logits[b, i, j] == pytest.approx(expected, abs=1e-5)


@settings(max_examples=20)
@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 99))
def test_loss_is_the_mean_cross_entropy_of_all_pairs(minibatches: int, minibatch: int, seed: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 3, (minibatches, minibatch, minibatch))
    found = float(pair_loss(Pairs(tf.constant(logits, tf.float32), None)))
    assert found == pytest.approx(oracle.pair_loss(logits), rel=1e-5)


def test_targets_are_the_diagonals() -> None:
    targets = pair_targets(tf.zeros((2, 3, 3))).numpy()
    assert targets.tolist() == [[[1, 0, 0], [0, 1, 0], [0, 0, 1]]] * 2


def test_loss_by_hand() -> None:
    # Logits of zero: every pair costs log 2. A minibatch of two sure and right: all but nothing.
    assert float(pair_loss(Pairs(tf.zeros((1, 5, 5)), None))) == pytest.approx(np.log(2))
    assert float(pair_loss(Pairs(tf.constant([[[50.0, -50.0], [-50.0, 50.0]]]), None))) == pytest.approx(
        0, abs=1e-20
    )
    # Sure and wrong on one of four pairs: log(1 + e^50) / 4 = 12.5.
    assert float(pair_loss(Pairs(tf.constant([[[50.0, 50.0], [-50.0, 50.0]]]), None))) == pytest.approx(12.5)


def test_views_count_alike_whatever_their_pairs() -> None:
    # Of the first view only the sure and wrong pair counts (50), of the second all four (12.5).
    logits = tf.constant([[[[50.0, 50.0], [-50.0, 50.0]]]] * 2)
    weights = tf.constant([[[[0.0, 1.0], [0.0, 0.0]]], [[[1.0, 1.0], [1.0, 1.0]]]])
    assert float(pair_loss(Pairs(logits, weights))) == pytest.approx((50 + 12.5) / 2)

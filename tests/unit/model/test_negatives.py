"""Pairs of a batch and their loss, against loops."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.model.negatives import Pairs, pair_loss, pair_targets
from tests.oracle import ranker as oracle


@settings(max_examples=20)
@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 6), st.booleans(), st.integers(0, 99))
def test_loss_is_the_mean_cross_entropy_of_the_pairs_that_count(
    groupings: int, groups: int, neighbours: int, weighted: bool, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 3, (groupings, groups, neighbours, neighbours))
    weights = None
    if weighted:  # positives always count
        weights = np.maximum(generator.integers(0, 2, logits.shape), np.eye(neighbours))
    pairs = Pairs(
        tf.constant(logits, tf.float32), weights if weights is None else tf.constant(weights, tf.float32)
    )
    assert float(pair_loss(pairs)) == pytest.approx(oracle.pair_loss(logits, weights), rel=1e-4)


def test_targets_are_the_diagonals() -> None:
    targets = pair_targets(tf.zeros((1, 2, 3, 3))).numpy()
    assert targets.tolist() == [[[[1, 0, 0], [0, 1, 0], [0, 0, 1]]] * 2]


def test_loss_by_hand() -> None:
    # Logits of zero: every pair costs log 2. A group of two sure and right: all but nothing.
    assert float(pair_loss(Pairs(tf.zeros((1, 1, 5, 5)), None))) == pytest.approx(np.log(2))
    assert float(pair_loss(Pairs(tf.constant([[[[50.0, -50.0], [-50.0, 50.0]]]]), None))) == pytest.approx(
        0, abs=1e-20
    )
    # Sure and wrong on one of four pairs: log(1 + e^50) / 4 = 12.5.
    assert float(pair_loss(Pairs(tf.constant([[[[50.0, 50.0], [-50.0, 50.0]]]]), None))) == pytest.approx(
        12.5
    )


def test_groupings_count_alike_whatever_their_pairs() -> None:
    # Of the first grouping only the sure and wrong pair counts (50), of the second all four (12.5).
    logits = tf.constant([[[[50.0, 50.0], [-50.0, 50.0]]]] * 2)
    weights = tf.constant([[[[0.0, 1.0], [0.0, 0.0]]], [[[1.0, 1.0], [1.0, 1.0]]]])
    assert float(pair_loss(Pairs(logits, weights))) == pytest.approx((50 + 12.5) / 2)

"""Compression of features, against NumPy on one user or offer at a time."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.model.compression import OfferCompression, UserCompression
from offerbench.model.layers import Dropout
from tests.oracle import ranker as oracle

from ..rankers import draw_weights, weights_of

DIM, MOMENTUM = 3, 0.8
SMALL = st.integers(1, 4)


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def user_compression(features: int, meta_features: int, seed: int, momentum: float) -> UserCompression:
    generator = np.random.default_rng(seed)
    module = UserCompression(features, meta_features, DIM, momentum, generator)
    draw_weights(module, generator)
    return module


def offer_compression(
    features: int, meta_features: int, moments: int, mask: bool, seed: int
) -> OfferCompression:
    generator = np.random.default_rng(seed)
    module = OfferCompression(features, meta_features, DIM, moments, mask, generator)
    draw_weights(module, generator)
    return module


@settings(max_examples=15)
@given(SMALL, SMALL, SMALL, st.integers(0, 99))
def test_meta_features_of_users(features: int, meta_features: int, users: int, seed: int) -> None:
    module = user_compression(features, meta_features, seed, MOMENTUM)
    rows = normal(seed, users, features, DIM)
    found = module(tf.constant(rows), None).numpy()
    assert found.shape == (users, meta_features, DIM)
    for own, row in zip(found, rows, strict=True):
        expected = oracle.compressed_user(weights_of(module), list(row.astype(np.float64)))
        assert own == pytest.approx(np.array(expected), abs=1e-4)


def test_training_goes_by_the_moments_of_its_users() -> None:
    # Without momentum the moving moments become those of the batch.
    module = user_compression(3, 2, 0, momentum=0.0)
    rows = tf.constant(normal(1, 6, 3, DIM))
    before = module(rows, None).numpy()
    trained = module(rows, Dropout(0.0, 1, tf.constant(0))).numpy()
    assert module(rows, None).numpy() == pytest.approx(trained, abs=1e-5)
    assert before != pytest.approx(trained, abs=1e-2)
    drop = Dropout(0.5, 1, tf.constant(0))
    assert module(rows, drop).numpy() != pytest.approx(trained, abs=1e-2)


@settings(max_examples=15)
@given(SMALL, SMALL, SMALL, st.integers(1, 2), st.booleans(), st.integers(0, 99))
def test_meta_features_of_offers(
    features: int, meta_features: int, offers: int, moments: int, mask: bool, seed: int
) -> None:
    module = offer_compression(features, meta_features, moments, mask, seed)
    means = normal(seed, offers, features, DIM)
    variances = normal(seed + 1, offers, features * DIM) ** 2
    flat = means.reshape(offers, -1)
    seen = np.concatenate([flat, variances], axis=1) if moments == 2 else flat
    found = module(tf.constant(means), tf.constant(seen), None).numpy()
    assert found.shape == (offers, meta_features, DIM)
    for own, mean, row in zip(found, means, seen, strict=True):
        expected = oracle.compressed_offer(
            weights_of(module), list(mean.astype(np.float64)), row.astype(np.float64), mask
        )
        assert own == pytest.approx(np.array(expected), abs=1e-4)


def test_a_third_of_the_hidden_units_wins() -> None:
    module = offer_compression(4, 3, 1, True, seed=0)
    assert (module.kernel.winners, module.mask.winners) == (4, 1)  # of 4 * 3, and of 3
    assert offer_compression(1, 1, 1, True, seed=0).kernel.winners == 1


def test_offers_are_compressed_by_mixtures_of_their_own() -> None:
    # Of the same means, but seen with other variances.
    module = offer_compression(2, 2, 2, False, seed=0)
    means = normal(0, 1, 2, DIM).repeat(2, axis=0)
    seen = np.concatenate([means.reshape(2, -1), normal(3, 2, 2 * DIM) ** 2], axis=1)
    first, second = module(tf.constant(means), tf.constant(seen), None).numpy()
    assert first != pytest.approx(second, abs=1e-2)


def test_dropout_of_an_offer() -> None:
    module = offer_compression(2, 2, 1, True, seed=0)
    means = tf.constant(normal(0, 4, 2, DIM))
    flat = tf.reshape(means, (4, -1))
    plain = module(means, flat, None).numpy()
    first, again, other = (
        module(means, flat, Dropout(0.5, 1, tf.constant(step))).numpy() for step in (0, 0, 1)
    )
    assert first.tobytes() == again.tobytes()
    assert first != pytest.approx(other, abs=1e-2)
    assert first != pytest.approx(plain, abs=1e-2)

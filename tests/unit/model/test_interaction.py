"""Scores of matches and of products, by hand and against NumPy on one pair at a time."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.model.interaction import LEAST_COUNT, OTHERS, BilinearScore, MatchScore, match_functions
from offerbench.model.layers import Dropout, no_dropout
from tests.oracle import augmented as oracle

from ..augmented_models import draw_weights
from ..model_builder import weights_of

DIM, MOMENTUM = 3, 0.8
SMALL = st.integers(1, 3)
COUNTS = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted)  # matches and length of a past


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def match_score(windows: list[int | None], units: int, seed: int, momentum: float = MOMENTUM) -> MatchScore:
    generator = np.random.default_rng(seed)
    module = MatchScore(windows, 4, units, momentum, generator)
    draw_weights(module, generator)
    return module


def test_functions_of_matches_by_hand() -> None:
    # 3 of 4, 2 of 10, and none of none.
    found = match_functions(tf.constant([[3, 2], [0, 0]]), tf.constant([[4, 10], [0, 0]])).numpy()
    odds = [
        (3 + LEAST_COUNT) / (1 + LEAST_COUNT + OTHERS),
        (2 + LEAST_COUNT) / (8 + LEAST_COUNT + OTHERS),
        LEAST_COUNT / (LEAST_COUNT + OTHERS),
    ]
    expected = [
        [0.75, 0.2, np.log(4), np.log(3), np.log(odds[0]), np.log(odds[1])],
        [0, 0, 0, 0, np.log(odds[2]), np.log(odds[2])],
    ]
    assert found == pytest.approx(np.array(expected), abs=1e-6)


@settings(max_examples=30)
@given(st.lists(COUNTS, min_size=1, max_size=3))
def test_functions_of_matches(windows: list[list[int]]) -> None:
    counts, lengths = zip(*windows, strict=True)
    found = match_functions(tf.constant([counts]), tf.constant([lengths])).numpy()
    assert found[0] == pytest.approx(oracle.match_functions(counts, lengths), abs=1e-5)


@settings(max_examples=30)
@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=6), st.integers(0, 99))
def test_score_of_matches(pairs: list[tuple[list[int], list[int]]], seed: int) -> None:
    module = match_score([3, None], units=5, seed=seed)
    counts, lengths = np.moveaxis(np.array(pairs, np.int32), 2, 0)  # (pairs, windows) each
    offers = normal(seed, len(pairs), 5)
    functions = module.of_pairs(tf.constant(counts), tf.constant(lengths), training=False)
    found = tf.reduce_sum(functions * module.of_offers(tf.constant(offers)), axis=1).numpy()
    for place, offer in enumerate(offers.astype(np.float64)):
        expected = oracle.match_score(weights_of(module), counts[place], lengths[place], offer)
        assert found[place] == pytest.approx(expected, abs=1e-4)


def test_a_score_begins_as_the_log_odds_of_the_whole_past() -> None:
    # But for a little of the learned functions, whose weights are drawn around 0; and for every offer.
    module = MatchScore([3, None], 4, 5, MOMENTUM, np.random.default_rng(0))
    assert module.weights.numpy()[-2:].tolist() == [1, 0]
    module.weights.assign([0, 0, 0, 0, 1, 0])
    functions = module.of_pairs(tf.constant([[1, 2]]), tf.constant([[3, 10]]), training=False)
    for offer in normal(0, 3, 5):
        found = tf.reduce_sum(functions * module.of_offers(offer[None]))
        odds = (2 + LEAST_COUNT) / (8 + LEAST_COUNT + OTHERS)
        assert float(found) == pytest.approx(np.log(odds), abs=1e-5)


def test_functions_of_pairs_keep_the_shape() -> None:
    module = match_score([None], units=5, seed=0)
    counts = tf.reshape(tf.range(12), (2, 3, 2, 1))
    functions = module.of_pairs(counts, tf.fill(counts.shape, 12), training=False).numpy()
    assert functions.shape == (2, 3, 2, 4 + 2)
    assert (functions[..., -1] == 1).all()
    flat = module.of_pairs(tf.reshape(counts, (12, 1)), tf.fill((12, 1), 12), training=False).numpy()
    assert functions.reshape(12, -1) == pytest.approx(flat, abs=1e-6)


def test_training_goes_by_the_moments_of_its_pairs() -> None:
    module = match_score([None], units=5, seed=0, momentum=0.0)
    counts, lengths = tf.constant([[0], [4], [7]]), tf.constant([[9], [9], [8]])
    before = module.of_pairs(counts, lengths, training=False).numpy()
    trained = module.of_pairs(counts, lengths, training=True).numpy()
    assert module.of_pairs(counts, lengths, training=False).numpy() == pytest.approx(trained, abs=1e-4)
    assert before != pytest.approx(trained, abs=1e-2)


@settings(max_examples=15)
@given(SMALL, SMALL, st.lists(st.integers(1, 5), max_size=2), SMALL, SMALL, st.integers(0, 99))
def test_bilinear_score(
    user_features: int, offer_features: int, units: list[int], minibatches: int, minibatch: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    module = BilinearScore(user_features, offer_features, DIM, units, MOMENTUM, generator)
    draw_weights(module, generator)
    users = normal(seed, minibatches, minibatch, user_features, DIM)
    offers = normal(seed + 1, minibatches, minibatch, offer_features, DIM)
    found = module(tf.constant(users), tf.constant(offers), no_dropout, training=False).numpy()
    assert found.shape == (minibatches, minibatch, minibatch)
    for b, i, j in np.ndindex(*found.shape):
        expected = oracle.bilinear_score(weights_of(module), users[b, i], offers[b, j])
        assert found[b, i, j] == pytest.approx(expected, abs=1e-4)


def test_training_of_a_bilinear_score() -> None:
    generator = np.random.default_rng(0)
    module = BilinearScore(2, 3, DIM, [4], 0.0, generator)
    draw_weights(module, generator)
    sides = tf.constant(normal(0, 2, 4, 2, DIM)), tf.constant(normal(1, 2, 4, 3, DIM))
    before = module(*sides, no_dropout, training=False).numpy()
    trained = module(*sides, no_dropout, training=True).numpy()
    assert module(*sides, no_dropout, training=False).numpy() == pytest.approx(trained, abs=1e-4)
    assert before != pytest.approx(trained, abs=1e-2)
    first, again, other = (
        module(*sides, Dropout(0.5, 1, tf.constant(step)), training=True).numpy() for step in (0, 0, 1)
    )
    assert first.tobytes() == again.tobytes()
    assert first != pytest.approx(other, abs=1e-2)
    assert first != pytest.approx(trained, abs=1e-2)

"""Scores of matches and of products, by hand and against NumPy on one pair at a time."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.model.interaction import PRIOR_EVENTS, BilinearScore, MatchScore, match_functions
from offerbench.model.layers import Dropout, no_dropout
from tests.oracle import augmented as oracle

from ..augmented_models import draw_weights
from ..model_builder import weights_of

DIM, MOMENTUM = 3, 0.8
SMALL = st.integers(1, 3)
SHARES = st.floats(0, 0.9375, width=32)  # of all events that match
COUNTS = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted)  # matches and length of a past


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def match_score(windows: list[int | None], units: int, seed: int, momentum: float = MOMENTUM) -> MatchScore:
    generator = np.random.default_rng(seed)
    module = MatchScore(windows, 4, units, momentum, generator)
    draw_weights(module, generator)
    return module


def test_functions_of_matches_by_hand() -> None:
    # 3 of 4 and 2 of 10 where a quarter of all events match: 20 events more, of which 5 match.
    # Then none of none, and 1 of 5 where a fifth of all match: as expected.
    assert PRIOR_EVENTS == 20
    counts, lengths = tf.constant([[3, 2], [0, 1]]), tf.constant([[4, 10], [0, 5]])
    found = match_functions(counts, lengths, tf.constant([0.25, 0.2])).numpy()
    expected = [[0.75, 0.2, np.log(8 / 16 * 3), np.log(7 / 23 * 3)], [0, 0.2, 0, 0]]
    assert found == pytest.approx(np.array(expected), abs=1e-6)


@pytest.mark.parametrize("base", [0.0, 1e-5, 0.3, 0.99])
def test_a_user_without_a_past_is_like_all_users(base: float) -> None:
    nothing = tf.zeros((1, 2), tf.int32)
    assert match_functions(nothing, nothing, tf.constant([base])).numpy() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("base", [0.0, 1.0])
def test_functions_are_finite_whatever_matches(base: float) -> None:
    counts, lengths = tf.constant([[0], [5], [9]]), tf.fill((3, 1), 9)
    odds = match_functions(counts, lengths, tf.fill((3,), base)).numpy()[:, 1]
    assert np.isfinite(odds).all()
    assert (np.diff(odds) > 0.1).all()


@settings(max_examples=30)
@given(st.lists(COUNTS, min_size=1, max_size=3), SHARES)
def test_functions_of_matches(windows: list[list[int]], base: float) -> None:
    counts, lengths = zip(*windows, strict=True)
    found = match_functions(tf.constant([counts]), tf.constant([lengths]), tf.constant([base])).numpy()
    assert found[0] == pytest.approx(oracle.match_functions(counts, lengths, base), abs=1e-4)


@settings(max_examples=30)
@given(st.lists(st.tuples(COUNTS, COUNTS, SHARES), min_size=1, max_size=6), st.integers(0, 99))
def test_score_of_matches(pairs: list[tuple[list[int], list[int], float]], seed: int) -> None:
    module = match_score([3, None], units=5, seed=seed)
    counts, lengths = np.moveaxis(np.array([pair[:2] for pair in pairs], np.int32), 2, 0)
    base = [share for _, _, share in pairs]
    offers = normal(seed, len(pairs), 5)
    functions = module.of_pairs(*map(tf.constant, (counts, lengths, base)), training=False)
    found = tf.reduce_sum(functions * module.of_offers(tf.constant(offers)), axis=1).numpy()
    for place, offer in enumerate(offers.astype(np.float64)):
        expected = oracle.match_score(weights_of(module), counts[place], lengths[place], base[place], offer)
        assert found[place] == pytest.approx(expected, abs=1e-3)


def test_a_score_begins_as_the_log_odds_of_the_whole_past() -> None:
    # But for a little of the learned functions, whose weights are drawn around 0; and for every offer.
    module = MatchScore([3, None], 4, 5, MOMENTUM, np.random.default_rng(0))
    assert module.weights.numpy()[4:].tolist() == [0, 1, 0]  # of both windows' odds, and of the constant
    assert 0 < np.abs(module.weights.numpy()[:4]).max() < 0.5
    module.weights.assign([0, 0, 0, 0, 0, 1, 0])
    past = tf.constant([[1, 2]]), tf.constant([[3, 10]]), tf.constant([0.1])
    functions = module.of_pairs(*past, training=False)
    for offer in normal(0, 3, 5):
        found = tf.reduce_sum(functions * module.of_offers(offer[None]))
        assert float(found) == pytest.approx(np.log(4 / 26 * 9), abs=1e-5)


def test_functions_of_pairs_keep_the_shape() -> None:
    module = match_score([3, None], units=5, seed=0)
    counts = tf.reshape(tf.range(24), (2, 3, 2, 2))
    of_offer = tf.constant([[0.1, 0.2], [0.3, 0.4]])[:, None, :]  # (2, 1, 2): the same for every user
    functions = module.of_pairs(counts, tf.fill(counts.shape, 24), of_offer, training=False).numpy()
    assert functions.shape == (2, 3, 2, 4 + 2 + 1)
    assert (functions[..., -1] == 1).all()
    base = tf.reshape(tf.repeat(of_offer, 3, axis=1), (12,))
    pairs = tf.reshape(counts, (12, 2)), tf.fill((12, 2), 24), base
    flat = module.of_pairs(*pairs, training=False).numpy()
    assert functions.reshape(12, -1) == pytest.approx(flat, abs=1e-6)


def test_training_goes_by_the_moments_of_its_pairs() -> None:
    module = match_score([None], units=5, seed=0, momentum=0.0)
    pairs = tf.constant([[0], [4], [7]]), tf.constant([[9], [9], [8]]), tf.constant([0.1, 0.2, 0.3])
    before = module.of_pairs(*pairs, training=False).numpy()
    trained = module.of_pairs(*pairs, training=True).numpy()
    assert module.of_pairs(*pairs, training=False).numpy() == pytest.approx(trained, abs=1e-4)
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

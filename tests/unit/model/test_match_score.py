"""Scores of matches, by hand and against NumPy on one pair at a time."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.model.config import MatchParameters
from offerbench.model.match_score import MatchScore, match_functions
from tests.oracle import ranker as oracle

from ..rankers import draw_weights, weights_of

MOMENTUM, PRIOR, WIDTH = 0.8, 20.0, 5
SHARES = st.floats(0, 0.9375, width=32)  # of all events that match
COUNTS = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted)  # matches and length of a past
EXPECTED = st.tuples(st.floats(0, 30, width=32), st.integers(0, 30)).map(sorted)  # of an offer's attributes
PRIORS = st.floats(0.5, 50, width=32)


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def match_parameters(
    windows: list[int | None], features: int = 0, hidden_units: int = 4, prior: float = PRIOR
) -> MatchParameters:
    """With so many offer features whose attributes are matched; without any, none is."""
    return MatchParameters(
        windows=windows,
        attribute_values=50 if features else None,
        hidden_units=hidden_units,
        prior_events=prior,
    )


def fresh_match_score(
    windows: list[int | None],
    seed: int = 0,
    momentum: float = MOMENTUM,
    prior: float = PRIOR,
    features: int = 0,
) -> MatchScore:
    parameters = match_parameters(windows, features, prior=prior)
    return MatchScore(parameters, features or 9, WIDTH, momentum, np.random.default_rng(seed))


def match_score(windows: list[int | None], seed: int, **changes: Any) -> MatchScore:
    module = fresh_match_score(windows, seed, **changes)
    draw_weights(module, np.random.default_rng(seed))
    return module


def test_functions_of_matches_by_hand() -> None:
    # 3 of 4 and 2 of 10 where a quarter of all events match: 20 events more, of which 5 match.
    # Then none of none, and 1 of 5 where a fifth of all match: as expected.
    counts, lengths = tf.constant([[3.0, 2], [0, 1]]), tf.constant([[4.0, 10], [0, 5]])
    base = tf.constant([[0.25, 0.25], [0.2, 0.2]])
    found = match_functions(counts, lengths, base, 20.0).numpy()
    expected = [[0.75, 0.2, np.log(8 / 16 * 3), np.log(7 / 23 * 3)], [0, 0.2, 0, 0]]
    assert found == pytest.approx(np.array(expected), abs=1e-6)
    # With 4 events more, of which 1 matches: 4 of 8, 3 of 14.
    found = match_functions(counts[:1], lengths[:1], base[:1], 4.0).numpy()
    assert found[0, 2:] == pytest.approx([np.log(4 / 4 * 3), np.log(3 / 11 * 3)], abs=1e-6)


def test_functions_of_an_attribute_by_hand() -> None:
    # 3 of 4 events of an offer that a quarter of all are of, and of its brands, expected, 2.5 of 4, where a
    # tenth of all are: 20 events more, of which 5 and 2 match.
    counts, lengths, base = (tf.constant([part]) for part in ([3.0, 2.5], [4.0, 4.0], [0.25, 0.1]))
    found = match_functions(counts, lengths, base, 20.0).numpy()[0]
    assert found == pytest.approx([0.75, 0.625, np.log(8 / 16 * 3), np.log(4.5 / 19.5 * 9)], abs=1e-6)


@pytest.mark.parametrize("base", [0.0, 1e-5, 0.3, 0.99])
def test_a_user_without_a_past_is_like_all_users(base: float) -> None:
    nothing = tf.zeros((1, 2))
    found = match_functions(nothing, nothing, tf.constant([[base, base]]), PRIOR).numpy()
    assert found == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("base", [0.0, 1.0])
def test_functions_are_finite_whatever_matches(base: float) -> None:
    counts, lengths = tf.constant([[0.0], [5.0], [9.0]]), tf.fill((3, 1), 9.0)
    odds = match_functions(counts, lengths, tf.fill((3, 1), base), PRIOR).numpy()[:, 1]
    assert np.isfinite(odds).all()
    assert (np.diff(odds) > 0.1).all()


@settings(max_examples=30)
@given(st.lists(st.tuples(COUNTS | EXPECTED, SHARES), min_size=1, max_size=4), PRIORS)
def test_functions_of_matches(kinds: list[tuple[list[float], float]], prior: float) -> None:
    counts, lengths, base = zip(*((*both, share) for both, share in kinds), strict=True)
    of_pair = (tf.constant([part], tf.float32) for part in (counts, lengths, base))
    found = match_functions(*of_pair, prior)
    assert found.numpy()[0] == pytest.approx(oracle.match_functions(counts, lengths, base, prior), abs=1e-4)


KINDS = st.tuples(COUNTS, COUNTS, EXPECTED), st.tuples(SHARES, SHARES, SHARES)
PAIRS = st.lists(st.tuples(*KINDS), min_size=1, max_size=6)


@settings(max_examples=30)
@given(PAIRS, PRIORS, st.integers(0, 99), st.integers(0, 1))
def test_a_pair_scores_its_matches(
    pairs: list[tuple[tuple[list[float], ...], tuple[float, ...]]], prior: float, seed: int, features: int
) -> None:
    # Groups of one user with one offer; two windows, and an attribute or none.
    module, kinds = match_score([3, None], seed, prior=prior, features=features), 2 + features
    both = np.array([matches for matches, _ in pairs], np.float32)[:, :kinds]  # (pairs, kinds, 2)
    counts, lengths = np.moveaxis(both, 2, 0)
    base = np.array([shares for _, shares in pairs], np.float32)[:, :kinds]
    offers = normal(seed, len(pairs), WIDTH)
    of_pairs = counts[:, None, None, :]
    trained = module.logits(*map(tf.constant, (of_pairs, lengths, base, offers)), training=False).numpy()
    every = np.arange(len(pairs), dtype=np.int32)[:, None]
    evaluated = module.scores(of_pairs, lengths[:, None], base, offers, every)
    assert trained.shape == evaluated.shape == (len(pairs), 1, 1)
    for place, offer in enumerate(offers.astype(np.float64)):
        expected = oracle.match_score(
            weights_of(module),
            counts[place].tolist(),
            lengths[place].tolist(),
            base[place].tolist(),
            prior,
            offer,
        )
        assert trained[place, 0, 0] == pytest.approx(expected, abs=1e-3)
        assert evaluated[place, 0, 0] == pytest.approx(expected, abs=1e-3)


@settings(max_examples=15)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 99), st.integers(0, 2))
def test_every_user_of_a_group_is_scored_with_every_offer(
    groups: int, neighbours: int, seed: int, features: int
) -> None:
    generator, kinds = np.random.default_rng(seed), 2 + features
    module, shape = match_score([3, None], seed, features=features), (groups, neighbours)
    lengths = generator.integers(0, 20, (*shape, kinds)).astype(np.float32)
    counts = (generator.random((*shape, neighbours, kinds)) * (lengths[:, :, None] + 1)).astype(np.float32)
    counts = np.minimum(counts, lengths[:, :, None])
    counts[..., :2] = np.floor(counts[..., :2])  # of windows: whole numbers
    table, base = normal(seed, 3, WIDTH), generator.random((3, kinds)).astype(np.float32)
    offer_of_event = generator.integers(0, 3, shape).astype(np.int32)
    evaluated = module.scores(counts, lengths, base, table, offer_of_event)
    of_events = offer_of_event.reshape(-1)
    trained = module.logits(
        tf.constant(counts),
        tf.constant(lengths.reshape(-1, kinds)),
        tf.constant(base[of_events]),
        tf.constant(table[of_events]),
        training=False,
    ).numpy()
    assert trained.shape == evaluated.shape == (*shape, neighbours)
    for b, i, j in np.ndindex(*evaluated.shape):
        offer = offer_of_event[b, j]
        expected = oracle.match_score(
            weights_of(module),
            counts[b, i, j].tolist(),
            lengths[b, i].tolist(),
            base[offer].tolist(),
            PRIOR,
            table[offer].astype(np.float64),
        )
        assert evaluated[b, i, j] == pytest.approx(expected, abs=1e-3)
        assert trained[b, i, j] == pytest.approx(expected, abs=1e-3)


def test_vectors_of_several_axes_are_taken_flat() -> None:
    # Offers of an interaction of features are (offers, features, dim).
    module = MatchScore(match_parameters([None]), 3, 6, MOMENTUM, np.random.default_rng(0))
    draw_weights(module, np.random.default_rng(0))
    counts, lengths = np.array([[[[2]]], [[[1]]]], np.float32), np.array([[[5]], [[3]]], np.float32)
    offers, base = normal(0, 2, 2, 3), np.array([[0.1], [0.3]], np.float32)
    every = np.array([[0], [1]], np.int32)
    found, flat = (
        module.scores(counts, lengths, base, each, every) for each in (offers, offers.reshape(2, 6))
    )
    assert found.tobytes() == flat.tobytes()
    trained = module.logits(counts, lengths[:, 0], base, tf.constant(offers), training=False).numpy()
    assert trained == pytest.approx(found, abs=1e-4)


@pytest.mark.parametrize("features", [0, 2])
def test_a_score_begins_as_the_log_odds_of_the_whole_past(features: int) -> None:
    # But for a little of the learned functions, whose weights are drawn around 0; and for every offer.
    # Those of the offer itself, in the last window: neither of the first window nor of its attributes.
    module = fresh_match_score([3, None], features=features)
    of_odds = [0, 1, *[0] * features]
    assert module.weights.numpy()[4:].tolist() == [*of_odds, 0]  # and of the constant
    assert 0 < np.abs(module.weights.numpy()[:4]).max() < 0.5
    module.weights.assign([0, 0, 0, 0, *of_odds, 0])
    more = [3.5] * features, [10] * features, [0.4] * features
    for offer in normal(0, 3, WIDTH):
        past = tf.constant([[[[1, 2.0, *more[0]]]]]), tf.constant([[3, 10.0, *more[1]]])
        past = *past, tf.constant([[0.1, 0.1, *more[2]]])
        found = module.logits(*past, tf.constant(offer[None]), training=False)
        assert found.numpy().item() == pytest.approx(np.log(4 / 26 * 9), abs=1e-5)


def test_functions_of_pairs_keep_the_shape() -> None:
    module = match_score([3, None], seed=0)
    counts = tf.reshape(tf.range(24.0), (2, 3, 2, 2))
    of_offer = tf.reshape(tf.range(0.1, 0.85, 0.1), (2, 1, 2, 2))  # the same for every user
    functions = module._functions(counts, tf.fill(counts.shape, 24.0), of_offer, training=False).numpy()
    assert functions.shape == (2, 3, 2, 4 + 2 + 1)
    assert (functions[..., -1] == 1).all()
    base = tf.reshape(tf.repeat(of_offer, 3, axis=1), (12, 2))
    pairs = tf.reshape(counts, (12, 2)), tf.fill((12, 2), 24.0), base
    flat = module._functions(*pairs, training=False).numpy()
    assert functions.reshape(12, -1) == pytest.approx(flat, abs=1e-6)


def test_training_goes_by_the_moments_of_its_pairs() -> None:
    module = match_score([None], seed=0, momentum=0.0)
    counts, lengths = tf.reshape([0.0, 4, 7], (3, 1, 1, 1)), tf.constant([[9.0], [9], [8]])
    pairs = counts, lengths, tf.constant([[0.1], [0.2], [0.3]]), tf.constant(normal(0, 3, WIDTH))
    before = module.logits(*pairs, training=False).numpy()
    trained = module.logits(*pairs, training=True).numpy()
    assert module.logits(*pairs, training=False).numpy() == pytest.approx(trained, abs=1e-4)
    assert before != pytest.approx(trained, abs=1e-2)


@pytest.mark.parametrize("features", [0, 3])
@pytest.mark.parametrize("hidden_units", [3, 50])
def test_equal_pairs_have_equal_scores_wherever_they_stand(hidden_units: int, features: int) -> None:
    # Ties count half: a score may not depend on the pair's place, to the last bit.
    generator, kinds = np.random.default_rng(0), 2 + features
    parameters = match_parameters([3, None], features, hidden_units)
    module = MatchScore(parameters, features, 50, MOMENTUM, generator)
    draw_weights(module, generator)
    offers, base = normal(0, 4, 50), generator.random((4, kinds)).astype(np.float32)
    offer_of_event = generator.integers(0, 4, (200, 5)).astype(np.int32)
    lengths = np.repeat(generator.integers(0, 3, (200, 5, 1)), kinds, axis=2).astype(np.float32)
    counts = np.floor(generator.random((200, 5, 5, kinds)) * (lengths[:, :, None] + 1)).astype(np.float32)
    counts[..., 1:] = counts[..., :1] / 2  # few different ones, so that each comes many times
    scores = module.scores(counts, lengths, base, offers, offer_of_event)
    of_pair: dict[tuple[float, ...], set[bytes]] = {}
    for b, i, j in np.ndindex(*scores.shape):
        pair = (*counts[b, i, j].tolist(), *lengths[b, i].tolist(), int(offer_of_event[b, j]))
        of_pair.setdefault(pair, set()).add(scores[b, i, j].tobytes())
    assert 20 < len(of_pair) < scores.size / 50
    assert all(len(bits) == 1 for bits in of_pair.values())

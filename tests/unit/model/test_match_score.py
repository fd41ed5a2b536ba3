"""Scores of matches, by hand and against NumPy on one pair at a time."""

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
PRIORS = st.floats(0.5, 50, width=32)


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def fresh_match_score(
    windows: list[int | None], seed: int = 0, momentum: float = MOMENTUM, prior: float = PRIOR
) -> MatchScore:
    parameters = MatchParameters(windows=windows, hidden_units=4, prior_events=prior)
    return MatchScore(parameters, WIDTH, momentum, np.random.default_rng(seed))


def match_score(windows: list[int | None], seed: int, **changes: float) -> MatchScore:
    module = fresh_match_score(windows, seed, **changes)
    draw_weights(module, np.random.default_rng(seed))
    return module


def test_functions_of_matches_by_hand() -> None:
    # 3 of 4 and 2 of 10 where a quarter of all events match: 20 events more, of which 5 match.
    # Then none of none, and 1 of 5 where a fifth of all match: as expected.
    counts, lengths = tf.constant([[3, 2], [0, 1]]), tf.constant([[4, 10], [0, 5]])
    found = match_functions(counts, lengths, tf.constant([0.25, 0.2]), 20.0).numpy()
    expected = [[0.75, 0.2, np.log(8 / 16 * 3), np.log(7 / 23 * 3)], [0, 0.2, 0, 0]]
    assert found == pytest.approx(np.array(expected), abs=1e-6)
    # With 4 events more, of which 1 matches: 4 of 8, 3 of 14.
    found = match_functions(counts[:1], lengths[:1], tf.constant([0.25]), 4.0).numpy()
    assert found[0, 2:] == pytest.approx([np.log(4 / 4 * 3), np.log(3 / 11 * 3)], abs=1e-6)


@pytest.mark.parametrize("base", [0.0, 1e-5, 0.3, 0.99])
def test_a_user_without_a_past_is_like_all_users(base: float) -> None:
    nothing = tf.zeros((1, 2), tf.int32)
    found = match_functions(nothing, nothing, tf.constant([base]), PRIOR).numpy()
    assert found == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("base", [0.0, 1.0])
def test_functions_are_finite_whatever_matches(base: float) -> None:
    counts, lengths = tf.constant([[0], [5], [9]]), tf.fill((3, 1), 9)
    odds = match_functions(counts, lengths, tf.fill((3,), base), PRIOR).numpy()[:, 1]
    assert np.isfinite(odds).all()
    assert (np.diff(odds) > 0.1).all()


@settings(max_examples=30)
@given(st.lists(COUNTS, min_size=1, max_size=3), SHARES, PRIORS)
def test_functions_of_matches(windows: list[list[int]], base: float, prior: float) -> None:
    counts, lengths = zip(*windows, strict=True)
    found = match_functions(tf.constant([counts]), tf.constant([lengths]), tf.constant([base]), prior)
    assert found.numpy()[0] == pytest.approx(oracle.match_functions(counts, lengths, base, prior), abs=1e-4)


PAIRS = st.lists(st.tuples(COUNTS, COUNTS, SHARES), min_size=1, max_size=6)


@settings(max_examples=30)
@given(PAIRS, PRIORS, st.integers(0, 99))
def test_a_pair_scores_its_matches(
    pairs: list[tuple[list[int], list[int], float]], prior: float, seed: int
) -> None:
    # Groups of one user with one offer.
    module = match_score([3, None], seed, prior=prior)
    counts, lengths = np.moveaxis(np.array([pair[:2] for pair in pairs], np.int32), 2, 0)
    base = np.array([share for _, _, share in pairs], np.float32)
    offers = normal(seed, len(pairs), WIDTH)
    of_pairs = counts[:, None, None, :]
    trained = module.logits(*map(tf.constant, (of_pairs, lengths, base, offers)), training=False).numpy()
    every = np.arange(len(pairs), dtype=np.int32)[:, None]
    evaluated = module.scores(of_pairs, lengths[:, None], base, offers, every)
    assert trained.shape == evaluated.shape == (len(pairs), 1, 1)
    for place, offer in enumerate(offers.astype(np.float64)):
        expected = oracle.match_score(
            weights_of(module), counts[place], lengths[place], float(base[place]), prior, offer
        )
        assert trained[place, 0, 0] == pytest.approx(expected, abs=1e-3)
        assert evaluated[place, 0, 0] == pytest.approx(expected, abs=1e-3)


@settings(max_examples=15)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 99))
def test_every_user_of_a_group_is_scored_with_every_offer(groups: int, neighbours: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    module, shape = match_score([3, None], seed), (groups, neighbours)
    lengths = generator.integers(0, 20, (*shape, 2)).astype(np.int32)
    counts = (generator.random((*shape, neighbours, 2)) * (lengths[:, :, None] + 1)).astype(np.int32)
    table, base = normal(seed, 3, WIDTH), generator.random(3).astype(np.float32)
    offer_of_event = generator.integers(0, 3, shape).astype(np.int32)
    evaluated = module.scores(counts, lengths, base, table, offer_of_event)
    of_events = offer_of_event.reshape(-1)
    trained = module.logits(
        tf.constant(counts),
        tf.constant(lengths.reshape(-1, 2)),
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
            float(base[offer]),
            PRIOR,
            table[offer].astype(np.float64),
        )
        assert evaluated[b, i, j] == pytest.approx(expected, abs=1e-3)
        assert trained[b, i, j] == pytest.approx(expected, abs=1e-3)


def test_vectors_of_several_axes_are_taken_flat() -> None:
    # Offers of an interaction of features are (offers, features, dim).
    parameters = MatchParameters(windows=[None], hidden_units=4, prior_events=PRIOR)
    module = MatchScore(parameters, 6, MOMENTUM, np.random.default_rng(0))
    draw_weights(module, np.random.default_rng(0))
    counts, lengths = np.array([[[[2]]], [[[1]]]], np.int32), np.array([[[5]], [[3]]], np.int32)
    offers, base = normal(0, 2, 2, 3), np.array([0.1, 0.3], np.float32)
    every = np.array([[0], [1]], np.int32)
    found, flat = (
        module.scores(counts, lengths, base, each, every) for each in (offers, offers.reshape(2, 6))
    )
    assert found.tobytes() == flat.tobytes()
    trained = module.logits(counts, lengths[:, 0], base, tf.constant(offers), training=False).numpy()
    assert trained == pytest.approx(found, abs=1e-4)


def test_a_score_begins_as_the_log_odds_of_the_whole_past() -> None:
    # But for a little of the learned functions, whose weights are drawn around 0; and for every offer.
    module = fresh_match_score([3, None])
    assert module.weights.numpy()[4:].tolist() == [0, 1, 0]  # of both windows' odds, and of the constant
    assert 0 < np.abs(module.weights.numpy()[:4]).max() < 0.5
    module.weights.assign([0, 0, 0, 0, 0, 1, 0])
    for offer in normal(0, 3, WIDTH):
        past = tf.constant([[[[1, 2]]]]), tf.constant([[3, 10]]), tf.constant([0.1])
        found = module.logits(*past, tf.constant(offer[None]), training=False)
        assert float(found) == pytest.approx(np.log(4 / 26 * 9), abs=1e-5)


def test_functions_of_pairs_keep_the_shape() -> None:
    module = match_score([3, None], seed=0)
    counts = tf.reshape(tf.range(24), (2, 3, 2, 2))
    of_offer = tf.constant([[0.1, 0.2], [0.3, 0.4]])[:, None, :]  # (2, 1, 2): the same for every user
    functions = module._functions(counts, tf.fill(counts.shape, 24), of_offer, training=False).numpy()
    assert functions.shape == (2, 3, 2, 4 + 2 + 1)
    assert (functions[..., -1] == 1).all()
    base = tf.reshape(tf.repeat(of_offer, 3, axis=1), (12,))
    pairs = tf.reshape(counts, (12, 2)), tf.fill((12, 2), 24), base
    flat = module._functions(*pairs, training=False).numpy()
    assert functions.reshape(12, -1) == pytest.approx(flat, abs=1e-6)


def test_training_goes_by_the_moments_of_its_pairs() -> None:
    module = match_score([None], seed=0, momentum=0.0)
    counts, lengths = tf.reshape([0, 4, 7], (3, 1, 1, 1)), tf.constant([[9], [9], [8]])
    pairs = counts, lengths, tf.constant([0.1, 0.2, 0.3]), tf.constant(normal(0, 3, WIDTH))
    before = module.logits(*pairs, training=False).numpy()
    trained = module.logits(*pairs, training=True).numpy()
    assert module.logits(*pairs, training=False).numpy() == pytest.approx(trained, abs=1e-4)
    assert before != pytest.approx(trained, abs=1e-2)


@pytest.mark.parametrize("hidden_units", [3, 50])
def test_equal_pairs_have_equal_scores_wherever_they_stand(hidden_units: int) -> None:
    # Ties count half: a score may not depend on the pair's place, to the last bit.
    generator = np.random.default_rng(0)
    parameters = MatchParameters(windows=[3, None], hidden_units=hidden_units, prior_events=PRIOR)
    module = MatchScore(parameters, 50, MOMENTUM, generator)
    draw_weights(module, generator)
    offers, base = normal(0, 4, 50), generator.random(4).astype(np.float32)
    offer_of_event = generator.integers(0, 4, (200, 5)).astype(np.int32)
    lengths = generator.integers(0, 3, (200, 5, 2)).astype(np.int32)
    counts = (generator.random((200, 5, 5, 2)) * (lengths[:, :, None] + 1)).astype(np.int32)
    scores = module.scores(counts, lengths, base, offers, offer_of_event)
    of_pair: dict[tuple[int, ...], set[bytes]] = {}
    for b, i, j in np.ndindex(*scores.shape):
        pair = (*counts[b, i, j].tolist(), *lengths[b, i].tolist(), int(offer_of_event[b, j]))
        of_pair.setdefault(pair, set()).add(scores[b, i, j].tobytes())
    assert len(of_pair) > 50
    assert all(len(bits) == 1 for bits in of_pair.values())

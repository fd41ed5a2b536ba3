"""Products of features and the network on top, against NumPy on one pair at a time."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.model import bilinear
from offerbench.model.bilinear import SCORE_DECIMALS, Bilinear
from offerbench.model.layers import Dropout
from offerbench.model.tower import Block
from tests.oracle import ranker as oracle

from ..rankers import draw_weights, weights_of

DIM, MOMENTUM = 3, 0.8
SMALL = st.integers(1, 3)


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def drawn(
    user_features: int, offer_features: int, units: list[int], momentum: float = MOMENTUM, seed: int = 0
) -> Bilinear:
    generator = np.random.default_rng(seed)
    module = Bilinear(user_features, offer_features, DIM, units, momentum, generator)
    draw_weights(module, generator)
    return module


def flat(sides: np.ndarray) -> tf.Tensor:
    """Vectors of the groups' events, one after the other."""
    return tf.constant(sides.reshape(-1, *sides.shape[2:]))


@settings(max_examples=15)
@given(SMALL, SMALL, st.lists(st.integers(1, 5), max_size=2), SMALL, SMALL, st.integers(0, 99))
def test_a_pair_scores_the_network_on_its_products(
    user_features: int, offer_features: int, units: list[int], groups: int, neighbours: int, seed: int
) -> None:
    module = drawn(user_features, offer_features, units, seed=seed)
    users = normal(seed, groups, neighbours, user_features, DIM)
    offers = normal(seed + 1, groups, neighbours, offer_features, DIM)
    trained = module.logits(flat(users), flat(offers), neighbours).numpy()
    evaluated = module.scores(users, offers)
    assert trained.shape == evaluated.shape == (groups, neighbours, neighbours)
    assert evaluated.dtype == np.float32
    for b, i, j in np.ndindex(*evaluated.shape):
        expected = oracle.bilinear_score(
            weights_of(module), list(users[b, i].astype(np.float64)), list(offers[b, j].astype(np.float64))
        )
        assert trained[b, i, j] == pytest.approx(expected, abs=1e-4)
        assert evaluated[b, i, j] == pytest.approx(expected, abs=1e-4)


def test_users_and_offers_of_a_group_may_differ_in_number() -> None:
    module, users, offers = drawn(2, 3, [4]), normal(0, 2, 6, 2, DIM), normal(1, 2, 4, 3, DIM)
    scores = module.scores(users, offers)
    assert scores.shape == (2, 6, 4)
    for i in range(6):
        alone = module.scores(users[:, i : i + 1], offers)
        assert scores[:, i : i + 1] == pytest.approx(alone, abs=2e-5)


@settings(max_examples=15)
@given(SMALL, st.booleans(), st.integers(0, 99))
def test_a_vector_is_the_features_side_by_side(features: int, in_one_block: bool, seed: int) -> None:
    module = drawn(features, features, [4])
    rows, row_of_event = normal(seed, 4, features, DIM), [3, 0, 0, 2, 1]
    if in_one_block:
        blocks = [Block(tf.constant(rows.reshape(4, -1)), tf.constant(row_of_event))]
    else:
        blocks = [Block(tf.constant(rows[:, place]), tf.constant(row_of_event)) for place in range(features)]
    for side in (module.users, module.offers):
        assert side(blocks).numpy().tolist() == rows[row_of_event].tolist()
        alone = [Block(block.rows) for block in blocks]
        assert side(alone).numpy().tolist() == rows.tolist()


def test_training_goes_by_the_moments_of_its_pairs() -> None:
    module = drawn(2, 3, [4], momentum=0.0)
    sides = flat(normal(0, 2, 4, 2, DIM)), flat(normal(1, 2, 4, 3, DIM))
    before = module.logits(*sides, 4).numpy()
    trained = module.logits(*sides, 4, Dropout(0.0, 1, tf.constant(0))).numpy()
    assert module.logits(*sides, 4).numpy() == pytest.approx(trained, abs=1e-4)
    assert before != pytest.approx(trained, abs=1e-2)
    first, again, other = (
        module.logits(*sides, 4, Dropout(0.5, 1, tf.constant(step))).numpy() for step in (0, 0, 1)
    )
    assert first.tobytes() == again.tobytes()
    assert first != pytest.approx(other, abs=1e-2)
    assert first != pytest.approx(trained, abs=1e-2)


@pytest.mark.parametrize("units", [[50], [50, 100]])
@pytest.mark.parametrize("in_another_order", [False, True])
def test_equal_pairs_have_equal_scores_wherever_they_stand(
    units: list[int], in_another_order: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Ties count half: a score may not depend on the pair's place in its group, to the last bit. Matrix
    # products may sum in an order that depends on the place, if the machine's library is so made; here
    # the last bits are drawn, so that the test says something on every machine.
    generator = np.random.default_rng(0)
    module = Bilinear(6, 6, 20, units, MOMENTUM, generator)
    draw_weights(module, generator)
    users, offers = (normal(seed, 8, 6, 20)[generator.integers(0, 8, (300, 5))] for seed in (0, 1))
    plain = module._network(users, offers, None).numpy()
    if in_another_order:
        last_bits = generator.integers(-2, 3, plain.shape) * 2.0**-24
        monkeypatch.setattr(module, "_network", lambda *_: tf.constant(plain * (1 + last_bits), tf.float32))
        assert bits_of_pairs(users, offers, module._network().numpy()) > 64
    scores = module.scores(users, offers)
    assert scores == pytest.approx(plain, abs=10.0**-SCORE_DECIMALS)
    assert bits_of_pairs(users, offers, scores) == 64


def bits_of_pairs(users: np.ndarray, offers: np.ndarray, scores: np.ndarray) -> int:
    """How many different scores the different pairs have."""
    found = {
        users[b, i].tobytes() + offers[b, j].tobytes() + scores[b, i, j].tobytes()
        for b, i, j in np.ndindex(*scores.shape)
    }
    return len(found)


def test_scores_of_more_groups_than_fit_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    module, users, offers = drawn(2, 3, [4]), normal(0, 8, 5, 2, DIM), normal(1, 8, 5, 3, DIM)
    whole = module.scores(users, offers)
    monkeypatch.setattr(bilinear, "GROUPS_AT_A_TIME", 3)
    assert module.scores(users, offers) == pytest.approx(whole, abs=2e-5)

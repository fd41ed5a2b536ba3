"""Measures of campaigns against loops over users, and the bootstrap against that of pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.campaigns import measures
from offerbench.campaigns.measures import (
    audience_sizes,
    buyers_reached,
    calibrate,
    offer_auc,
    sampled_auc,
)
from offerbench.evaluation.bootstrap import PairSamples, draw_weights
from tests.oracle import campaigns as oracle

SEEDS = st.integers(0, 10_000)


def drawn(seed: int, users: int = 30, offers: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Scores with ties, and buyers; some offers have none."""
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, 9, (users, offers)).astype(float)
    bought = generator.random((users, offers)) < generator.choice([0, 0.1, 0.5], offers)
    return scores, bought


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_sampled_wins_are_those_of_the_pairs(seed: int) -> None:
    scores, bought = drawn(seed)
    users, offers = bought.shape
    weights = draw_weights(users, 6, np.random.default_rng(seed))
    offer = np.tile(np.arange(offers, dtype=np.int32), users)
    user = np.repeat(np.arange(users, dtype=np.int32), offers)
    pairs = PairSamples(offer, bought.reshape(-1), user, weights, offers)
    found = sampled_auc({"row": scores}, bought, weights)
    positives, negatives = pairs.sizes()
    assert (found.positives == positives).all()
    assert (found.negatives == negatives).all()
    assert (found.wins["row"] == pairs.wins(scores.reshape(-1))).all()


def test_parts_of_the_buyers_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, bought = drawn(1)
    weights = draw_weights(len(scores), 6, np.random.default_rng(1))
    whole = sampled_auc({"row": scores}, bought, weights).wins["row"]
    monkeypatch.setattr(measures, "BUYERS_AT_A_TIME", 3)
    assert (sampled_auc({"row": scores}, bought, weights).wins["row"] == whole).all()


def test_an_auc_is_the_share_of_pairs_won() -> None:
    scores = np.array([[3.0, 1.0], [2.0, 1.0], [1.0, 1.0]])
    bought = np.array([[True, True], [False, False], [True, False]])
    found = offer_auc(scores, bought)
    assert found.auc.tolist() == [0.5, 0.5]
    assert found.positives.tolist() == [2, 1]


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_reached_buyers_are_those_of_a_loop(seed: int) -> None:
    generator = np.random.default_rng(seed)
    bought = generator.random((12, 4)) < 0.3
    scores = generator.permuted(np.tile(np.arange(12.0)[:, None], 4), axis=0)
    found = buyers_reached(scores, bought, generator)
    for size in range(13):
        expected = [oracle.reached(scores[:, j].tolist(), bought[:, j].tolist(), size) for j in range(4)]
        assert found[size] == sum(expected)


def test_equal_scores_reach_what_chance_reaches() -> None:
    bought = np.zeros((1000, 50), bool)
    bought[:100] = True  # the first users: an order by place would reach all of them
    found = buyers_reached(np.ones((1000, 50)), bought, np.random.default_rng(0))
    assert 0.02 < found[100] / bought.sum() < 0.2


def test_sizes_of_audiences() -> None:
    assert audience_sizes(398, [0.05, 0.1, 0.001]) == [20, 40, 1]


def test_calibration_of_true_chances_is_good_and_of_doubled_ones_is_not() -> None:
    generator = np.random.default_rng(0)
    chances = [generator.beta(1, 9, (300, 40)) for _ in range(2)]
    bought = [generator.random(each.shape) < each for each in chances]
    good = calibrate(chances, bought, 10)
    assert good.ratio == pytest.approx(1, abs=0.06) and good.error < 0.12
    assert good.pairs.sum() == 2 * 300 * 40
    np.testing.assert_allclose(good.expected, good.expected.sum() / 10, rtol=0.02)  # equal parts
    doubled = calibrate([2 * each for each in chances], bought, 10)
    assert doubled.ratio == pytest.approx(2 * good.ratio)
    assert doubled.error == pytest.approx(doubled.ratio - 1, abs=0.05)


def test_nobody_bought() -> None:
    nobody = calibrate([np.full((3, 2), 0.1)], [np.zeros((3, 2), bool)], 2)
    assert np.isnan(nobody.ratio) and np.isnan(nobody.error)

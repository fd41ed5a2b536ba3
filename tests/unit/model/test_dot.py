"""Dot products of the pairs of negatives groups, against sums."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.model.dot import Dot


def dot(units: int) -> Dot:
    return Dot(4, 3, [5, units], 0.9, np.random.default_rng(0))


def naive(users: np.ndarray, offers: np.ndarray) -> np.ndarray:
    """Product of every user with every offer of a group."""
    scores = np.zeros((len(users), users.shape[1], offers.shape[1]))
    for b, i, j in np.ndindex(*scores.shape):
        scores[b, i, j] = sum(float(x) * float(y) for x, y in zip(users[b, i], offers[b, j], strict=True))
    return scores


@settings(max_examples=20)
@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 4), st.integers(0, 99))
def test_logits_are_the_dot_products_of_each_group(
    groups: int, neighbours: int, units: int, seed: int
) -> None:
    users, offers = np.random.default_rng(seed).normal(size=(2, groups, neighbours, units)).astype(np.float32)
    flat = (tf.constant(side.reshape(-1, units)) for side in (users, offers))
    logits = dot(units).logits(*flat, neighbours).numpy()
    assert logits.shape == (groups, neighbours, neighbours)
    assert logits == pytest.approx(naive(users, offers), abs=1e-5)


@pytest.mark.parametrize("units", [1, 3, 50])
@pytest.mark.parametrize("offers_of_group", [5, 2])
def test_scores_are_dot_products(units: int, offers_of_group: int) -> None:
    generator = np.random.default_rng(0)
    users, offers = (generator.normal(size=(6, n, units)).astype(np.float32) for n in (5, offers_of_group))
    scores = dot(units).scores(users, offers)
    assert scores.dtype == np.float32
    assert scores == pytest.approx(naive(users, offers), abs=1e-5)


@pytest.mark.parametrize("units", [3, 50, 100])
def test_equal_pairs_have_equal_scores_wherever_they_stand(units: int) -> None:
    # Ties count half: a score may not depend on the pair's place in its group, to the last bit.
    generator = np.random.default_rng(0)
    user, offer = generator.normal(size=(2, units)).astype(np.float32)
    users, offers = generator.normal(size=(2, 40, 5, units)).astype(np.float32)
    user_places, offer_places = generator.integers(0, 5, (2, 40))
    users[np.arange(40), user_places] = user
    offers[np.arange(40), offer_places] = offer
    scores = dot(units).scores(users, offers)[np.arange(40), user_places, offer_places]
    assert len(set(scores.tolist())) == 1

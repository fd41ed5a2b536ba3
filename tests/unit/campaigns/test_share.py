"""The share of an offer in a user's purchases, recovered from the logit that training aims at."""

import numpy as np
import pytest

from offerbench.campaigns.share import chance_without_label, expected_purchase_days, fit_factor, share


def minimiser(shares: np.ndarray, base: np.ndarray, neighbours: int, hits_are_left_out: bool) -> np.ndarray:
    """The logit that minimises the expected logistic loss of in-batch pairs: log density ratio."""
    negatives = (neighbours - 1) * base
    if hits_are_left_out:
        negatives = negatives * (1 - shares)
    return np.log(shares / negatives)


@pytest.mark.parametrize(("hits", "left_out"), [("none", False), ("offer", True)])
def test_the_share_comes_back_from_the_best_logit(hits: str, left_out: bool) -> None:
    generator = np.random.default_rng(0)
    base = generator.dirichlet(np.ones(20))
    for _ in range(30):
        shares = generator.dirichlet(np.ones(20) * 0.5) * 0.999 + 5e-5
        logits = minimiser(shares, base, 5, left_out)
        np.testing.assert_allclose(share(logits, base, 5, hits), shares, rtol=1e-9)


def test_the_best_logit_is_the_one_that_training_finds() -> None:
    """Simulate groups of neighbours: the mean loss of each (user, offer) is smallest at `minimiser`."""
    generator = np.random.default_rng(1)
    of_users = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
    base = of_users.mean(axis=0)
    events = 400_000
    user = generator.integers(0, 2, events)
    offer = (generator.random(events)[:, None] > np.cumsum(of_users[user], axis=1)).sum(axis=1)
    positive, negative = np.zeros((2, 3)), np.zeros((2, 3))
    np.add.at(positive, (user, offer), 1)
    for shift in range(1, 5):  # each of the 5 neighbours with the offers of the 4 others
        other = np.roll(offer.reshape(-1, 5), shift, axis=1).reshape(-1)
        differs = other != offer
        np.add.at(negative, (user[differs], other[differs]), 1)
    found = np.log(positive / negative)
    np.testing.assert_allclose(found, minimiser(of_users, base[None], 5, True), atol=0.03)
    np.testing.assert_allclose(share(found, base[None], 5, "offer"), of_users, atol=0.01)


def test_expected_days_of_a_purchase() -> None:
    # Four days of five events, a share of a tenth: 4 * (1 - 0.9 ** 5).
    found = expected_purchase_days(np.array([0.1]), np.array([20.0]), np.array([4.0]))
    assert found[0] == pytest.approx(4 * (1 - 0.9**5))
    few = expected_purchase_days(np.array([1e-9]), np.array([20.0]), np.array([4.0]))
    assert few[0] == pytest.approx(20e-9, rel=1e-6)  # no digits are lost


def test_expected_days_against_a_simulation() -> None:
    generator = np.random.default_rng(2)
    days = generator.poisson(3.0, 40_000)
    bought = np.array([(generator.random((each, 5)) < 0.15).any(axis=1).sum() for each in days])
    expected = expected_purchase_days(np.array([0.15]), np.array([15.0]), np.array([3.0]))[0]
    assert bought.mean() == pytest.approx(expected, rel=0.02)
    # Days come independently: the chance of at least one has factor 1.
    assert (bought > 0).mean() == pytest.approx(
        float(chance_without_label(np.array([expected]), 1.0)[0]), rel=0.02
    )


def test_the_factor_makes_expected_and_actual_buyers_equal() -> None:
    generator = np.random.default_rng(3)
    mu, weights = generator.gamma(1, 0.4, 2000), generator.uniform(1, 5, 2000)
    bought = generator.random(2000) < chance_without_label(mu, 0.7)
    factor = fit_factor(mu, bought, weights)
    expected = (chance_without_label(mu, factor) * weights).sum()
    assert expected == pytest.approx(float((bought * weights).sum()), rel=1e-9)
    assert 0.6 < factor < 0.8

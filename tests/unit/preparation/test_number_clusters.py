"""K-means over prices: sample, centres, nearest centre, labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from offerbench.preparation.number_clusters import centre_labels, draw_sample, fit_centres, nearest_centre
from tests.oracle import numbers as oracle

# Quarters: their midpoints are exact numbers, so a tie is a tie.
QUARTERS = st.integers(-40, 400).map(lambda quarters: quarters / 4)


@given(st.lists(QUARTERS, max_size=20), st.lists(QUARTERS, min_size=1, max_size=8, unique=True).map(sorted))
def test_nearest_centre_is_the_argmin_and_the_lower_of_two(prices: list[float], centres: list[float]) -> None:
    found = nearest_centre(np.array(prices, float), np.array(centres))
    assert found.tolist() == [oracle.nearest_centre(price, centres) for price in prices]


def test_nearest_centre_by_hand() -> None:
    # 2 lies midway between 1 and 3: the lower centre takes it; 2.25 is nearer to 3.
    centres = np.array([1.0, 3.0, 10.0])
    assert nearest_centre(np.array([0.0, 2.0, 2.25, 6.5, 6.75, 99.0]), centres).tolist() == [0, 0, 1, 1, 2, 2]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.integers(1, 60), st.integers(0, 5))
def test_sample_is_without_replacement_and_of_the_size_wanted(
    counts: list[int], size: int, seed: int
) -> None:
    drawn = draw_sample(np.array(counts, np.int64), size, np.random.default_rng(seed))
    assert (drawn >= 0).all()
    assert (drawn <= counts).all()
    assert drawn.sum() == min(size, sum(counts))
    again = draw_sample(np.array(counts, np.int64), size, np.random.default_rng(seed))
    assert drawn.tolist() == again.tolist()


def test_sample_has_the_shares_of_the_items() -> None:
    # 1,000 of 10,000 items: 900 +- 9 of the first price (standard deviation 9.0), here five of these.
    drawn = draw_sample(np.array([9000, 1000]), 1000, np.random.default_rng(0))
    assert abs(drawn[0] - 900) < 45
    assert draw_sample(np.array([9000, 1000]), 1000, np.random.default_rng(1)).tolist() != drawn.tolist()


def test_weighted_prices_are_fitted_as_well_as_repeated_ones() -> None:
    generator = np.random.default_rng(3)
    prices = np.unique(np.round(generator.lognormal(1, 1, 120), 2))
    weights = generator.integers(0, 30, len(prices))
    repeated = np.repeat(prices, weights)
    centres = fit_centres(prices, weights, 8, seed=1)
    reference = KMeans(8, n_init=10, random_state=0).fit(repeated[:, None])
    # Both stop in local optima of one objective, ours after one start, the reference after ten: 25 % is
    # allowed.
    assert reference.inertia_ > 0
    assert oracle.squared_distances(repeated, centres) < 1.25 * reference.inertia_
    # At an optimum every centre is the mean of its items, each item counted.
    nearest = nearest_centre(repeated, centres)
    means = [repeated[nearest == cluster].mean() for cluster in range(8)]
    assert centres == pytest.approx(means, rel=1e-3)
    assert (np.diff(centres) > 0).all()


def test_separate_heaps_get_their_weighted_means() -> None:
    # Three heaps far apart: means (1 * 3 + 2 * 1) / 4 = 1.25, 10, (100 * 1 + 103 * 2) / 3 = 102.
    prices = np.array([1.0, 2.0, 10.0, 100.0, 103.0])
    centres = fit_centres(prices, np.array([3, 1, 5, 1, 2]), 3, seed=0)
    assert centres == pytest.approx([1.25, 10, 102])


def test_same_seed_gives_the_same_centres() -> None:
    prices = np.arange(1, 400) / 7
    weights = np.arange(399) % 13
    first, second = (fit_centres(prices, weights, 20, seed=4) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != fit_centres(prices, weights, 20, seed=5).tobytes()


def test_fewer_prices_than_clusters_are_the_centres_themselves() -> None:
    # The price of weight 0 is not in the sample.
    centres = fit_centres(np.array([2.5, 1.0, 7.0, 9.0]), np.array([1, 5, 0, 2]), 3, seed=0)
    assert centres.tolist() == [1.0, 2.5, 9.0]


def test_labels_are_rounded_centres() -> None:
    assert centre_labels(np.array([1.005001, 2.0, 129.999]), 2) == ["1.01", "2.00", "130.00"]
    assert centre_labels(np.array([1.2, 129.9]), 0) == ["1", "130"]

"""Bootstrap samples of wAUC, against a sample that is made pair by pair; and what an interval covers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.evaluation import bootstrap
from offerbench.evaluation.bootstrap import (
    PairSamples,
    draw_weights,
    half_width,
    sampled_wauc,
    simultaneous_half_widths,
)
from tests.oracle import bootstrap as oracle

OFFERS, USERS, SAMPLES = 4, 3, 5

pairs = st.lists(
    st.tuples(
        st.integers(0, OFFERS - 1),
        st.booleans(),
        st.integers(0, USERS - 1),
        st.sampled_from([-1.5, -0.0, 0.0, 0.25, 2.0]),
    ),
    min_size=1,
    max_size=50,
)


@pytest.mark.parametrize("at_a_time", [1, 7, 4000])
@given(rows=pairs, seed=st.integers(0, 99))
def test_samples_are_those_made_pair_by_pair(
    at_a_time: int, rows: list[tuple[int, bool, int, float]], seed: int
) -> None:
    offers, is_positive, users, scores = (list(column) for column in zip(*rows, strict=True))
    weights = draw_weights(USERS, SAMPLES, np.random.default_rng(seed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "PAIRS_AT_A_TIME", at_a_time)
        samples = PairSamples(
            np.array(offers, np.int32),
            np.array(is_positive, bool),
            np.array(users, np.int32),
            weights,
            OFFERS,
        )
        masks = {"all": np.ones(OFFERS, bool), "some": np.arange(OFFERS) % 2 == 0}
        wins = samples.wins(np.array(scores, np.float32))
        found = sampled_wauc(*samples.sizes(), wins, masks)
    for segment, mask in masks.items():
        for sample in range(SAMPLES):
            expected = oracle.sampled_wauc(
                offers,
                is_positive,
                users,
                scores,
                weights[:, sample].tolist(),
                set(np.flatnonzero(mask).tolist()),
            )
            value = found[segment][sample]
            if expected is None:
                assert np.isnan(value)
            else:
                assert value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("times", [900, 40_000])  # weights whose sums may, and never, fit into 16 bits
@given(rows=pairs, seed=st.integers(0, 99))
def test_wins_of_large_weights(times: int, rows: list[tuple[int, bool, int, float]], seed: int) -> None:
    offers, is_positive, users, scores = (np.array(column) for column in zip(*rows, strict=True))
    weights = draw_weights(USERS, SAMPLES, np.random.default_rng(seed))
    small, large = (
        PairSamples(
            offers.astype(np.int32), is_positive, users.astype(np.int32), each.astype(np.int32), OFFERS
        ).wins(scores)
        for each in (weights, times * weights)
    )
    assert (large == float(times) ** 2 * small).all()


def test_every_sample_draws_as_many_users() -> None:
    weights = draw_weights(30, 50, np.random.default_rng(0))
    assert weights.shape == (30, 50)
    assert (weights.sum(axis=0) == 30).all()
    assert (weights.std(axis=1) > 0).all()


def test_too_few_samples_have_no_interval() -> None:
    assert half_width(np.array([np.nan, 0.5])) is None
    assert half_width(np.array([0.5, 0.7, np.nan])) == pytest.approx(1.96 * np.sqrt(0.02))


def simulate(generator: np.random.Generator, users: int) -> tuple[np.ndarray, ...]:
    """Pairs of users whose taste for two offers shifts all their scores: pairs of a user go together."""
    events = 6
    user = np.repeat(np.arange(users), events)
    offers = generator.integers(0, 2, len(user))
    is_positive = generator.random(len(user)) < 0.3
    skill = generator.normal(0.7, 0.8, users)[user]  # how well the model knows the user
    model = generator.normal(size=len(user)) + is_positive * skill
    rival = generator.normal(size=len(user)) + is_positive * (skill - 0.3)
    return offers.astype(np.int32), is_positive, user.astype(np.int32), model, rival


def wauc_and_gap(users: int, seed: int) -> tuple[float, float, float, float]:
    """Value and half width of a model's wAUC, and of its gap to a rival."""
    generator = np.random.default_rng(seed)
    offers, is_positive, user, model, rival = simulate(generator, users)
    weights = draw_weights(users, 200, generator)
    once = np.ones((users, 1), np.int32)
    values, widths = [], []
    sampled = []
    for scores in (model, rival):
        for target, drawn in ((sampled, weights), (values, once)):
            samples = PairSamples(offers, is_positive, user, drawn, 2)
            result = sampled_wauc(*samples.sizes(), samples.wins(scores), {"all": np.ones(2, bool)})
            target.append(result["all"])
    widths = [half_width(sampled[0]), half_width(sampled[0] - sampled[1])]
    assert widths[0] is not None and widths[1] is not None
    return float(values[0][0]), widths[0], float(values[0][0] - values[1][0]), widths[1]


@pytest.mark.slow
def test_the_interval_covers_the_true_value() -> None:
    truth, _, true_gap, _ = wauc_and_gap(40_000, seed=10_000)
    runs = [wauc_and_gap(150, seed) for seed in range(300)]
    covered = np.mean([abs(value - truth) <= width for value, width, _, _ in runs])
    gap_covered = np.mean([abs(gap - true_gap) <= width for _, _, gap, width in runs])
    # 300 runs of a 95% interval: 95% +- 2.5% (two standard errors); a little less is the bootstrap's own.
    assert 0.91 <= covered <= 0.98
    assert 0.91 <= gap_covered <= 0.98


@given(st.integers(1, 6), st.integers(2, 60), st.integers(0, 99), st.integers(0, 5))
def test_simultaneous_intervals_are_those_of_the_plain_twin(
    values: int, count: int, seed: int, missing: int
) -> None:
    generator = np.random.default_rng(seed)
    samples = generator.normal(0.6, 0.01, (values, count)) * generator.integers(1, 3, (values, 1))
    samples[generator.random(samples.shape) < missing / 5] = np.nan
    expected = oracle.simultaneous_half_widths(samples.tolist())
    found = simultaneous_half_widths(samples)
    assert [None if np.isnan(width) else width for width in found] == pytest.approx(expected)


def test_values_that_are_all_the_same_have_an_interval_of_zero() -> None:
    assert simultaneous_half_widths(np.full((2, 5), 0.7)).tolist() == [0, 0]


def test_no_value_at_all_has_no_interval() -> None:
    assert np.isnan(simultaneous_half_widths(np.full((2, 3), np.nan))).all()


@pytest.mark.parametrize("values", [1, 300])
def test_simultaneous_intervals_hold_for_all_values_at_once(values: int) -> None:
    # A truth of 0, measured with noise that the samples know: 95% of the experiments have all values inside.
    generator = np.random.default_rng(5)
    inside = []
    for _ in range(300):
        measured, samples = generator.normal(0, 1, values), generator.normal(0, 1, (values, 400))
        inside.append(bool((np.abs(measured) <= simultaneous_half_widths(samples)).all()))
    assert 0.90 <= np.mean(inside) <= 0.99

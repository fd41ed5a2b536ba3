"""Activity: features against a loop over events, the model against what was planted."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.campaigns.activity import (
    Activity,
    activity_features,
    activity_names,
    fit_activity,
    past_days,
    poisson_deviance,
)
from offerbench.core.errors import OfferbenchError
from tests.oracle import campaigns as oracle

from ..parameters import activity_parameters
from .events import timeline_of

LOGS = st.lists(st.tuples(st.integers(0, 4), st.integers(100, 130)), min_size=1, max_size=60)


@given(LOGS, st.integers(101, 135))
@settings(max_examples=60, deadline=None)
def test_features_are_those_of_a_loop_over_the_events(log: list[tuple[int, int]], day: int) -> None:
    timeline = timeline_of(log)
    users = np.array(sorted({user for user, when in log if when < day}), np.int32)
    if not len(users):
        return
    found = activity_features(timeline, users, day, [3, 10], 20)
    events = [oracle.Purchase(user, when, {}) for user, when in sorted(log)]
    expected = [oracle.activity(events, int(user), day, [3, 10], 20) for user in users]
    assert found.shape[1] == len(activity_names([3, 10]))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@given(LOGS, st.integers(95, 135), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_events_and_days_of_a_range(log: list[tuple[int, int]], start: int, length: int) -> None:
    timeline = timeline_of(log)
    users = np.array(sorted({user for user, _ in log}), np.int32)
    events = [oracle.Purchase(user, when, {}) for user, when in log]
    for place, user in enumerate(users.tolist()):
        some = oracle.within(events, user, start, start + length)
        assert timeline.events(users, start, start + length)[place] == len(some)
        days = timeline.shopping_days(users, start, start + length)[place]
        assert days == len({event.day for event in some})


@given(LOGS, st.integers(95, 135), st.sets(st.integers(0, 6)))
@settings(max_examples=60, deadline=None)
def test_rows_of_some_users_are_those_among_all_rows(
    log: list[tuple[int, int]], day: int, some: set[int]
) -> None:
    timeline, users = timeline_of(log), np.array(sorted(some), np.int32)
    earlier = [sum((user, when) < (each, day) for user, when in log) for each in users.tolist()]
    assert timeline.row(users, day).tolist() == earlier


def planted(users: int, days: int, seed: int) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Users who shop at random with a rate of their own."""
    generator = np.random.default_rng(seed)
    rates = generator.gamma(2, 0.1, users)
    counts = generator.poisson(rates[:, None], (users, days))
    log = [(int(u), int(d)) for u, d in zip(*np.nonzero(counts), strict=True) for _ in range(counts[u, d])]
    return log, rates


def test_planted_rates_are_found_and_nothing_after_the_cut_is_seen() -> None:
    log, rates = planted(400, 120, seed=3)
    parameters = activity_parameters(
        horizon_days=14, step_days=7, warm_up_days=30, windows_days=[14, 60], rate_days=60
    )
    train, validation = np.arange(300, dtype=np.int32), np.arange(300, 400, dtype=np.int32)
    activity = fit_activity(timeline_of(log), train, validation, 100, parameters)
    known = np.array(sorted({user for user, day in log if day < 100 and user >= 300}), np.int32)
    events, days = activity.expected(timeline_of(log), known, 100)
    assert abs(events.sum() / (14 * rates[known].sum()) - 1) < 0.1
    assert np.corrcoef(events, rates[known])[0, 1] > 0.85
    assert (days <= events).all() and (days <= 14).all()
    assert set(activity.measured["events"]) == {"model", "rate"}
    earlier = [event for event in log if event[1] < 100]
    again = fit_activity(timeline_of([*earlier, (0, 119)]), train, validation, 100, parameters)
    assert again.content() == activity.content()


def test_the_plain_rate_is_kept_if_it_is_better() -> None:
    log, _ = planted(60, 80, seed=4)
    parameters = activity_parameters(horizon_days=7, warm_up_days=30, rate_days=50, windows_days=[5], l2=1e3)
    activity = fit_activity(
        timeline_of(log), np.arange(40, dtype=np.int32), np.arange(40, 60, dtype=np.int32), 80, parameters
    )
    assert activity.kept == "rate"  # so large a penalty leaves nothing but the mean
    measured = activity.measured["events"]
    assert measured["rate"]["deviance"] < measured["model"]["deviance"]


def test_a_saved_model_predicts_the_same() -> None:
    log, _ = planted(60, 80, seed=4)
    parameters = activity_parameters(horizon_days=7, warm_up_days=30)
    timeline, users = timeline_of(log), np.arange(40, dtype=np.int32)
    activity = fit_activity(timeline, users, np.arange(40, 60, dtype=np.int32), 80, parameters)
    again = Activity.of_content(json.loads(json.dumps(activity.content())), "file")
    known = users[timeline.row(users, 80) > timeline.first_row(users)]
    for one, other in zip(
        activity.expected(timeline, known, 80), again.expected(timeline, known, 80), strict=True
    ):
        assert (one == other).all()


@pytest.mark.parametrize(
    "change", [{"kept": "both"}, {"models": {}}, {"windows_days": "seven"}, {"factors": 1}]
)
def test_a_damaged_file_is_named(change: dict) -> None:
    log, _ = planted(60, 80, seed=4)
    users = np.arange(60, dtype=np.int32)
    activity = fit_activity(timeline_of(log), users, users, 80, activity_parameters(warm_up_days=30))
    with pytest.raises(OfferbenchError, match="models/activity/present"):
        Activity.of_content({**activity.content(), **change}, "models/activity/present.json")


def test_past_days_end_a_horizon_before_the_cut() -> None:
    parameters = activity_parameters(horizon_days=3, step_days=2, warm_up_days=4)
    assert past_days(100, 113, parameters) == [110, 108, 106, 104]


def test_too_few_days_are_refused() -> None:
    with pytest.raises(OfferbenchError, match="warm_up_days"):
        users = np.zeros(1, np.int32)
        fit_activity(timeline_of([(0, 100)]), users, users, 105, activity_parameters())


def test_deviance_is_zero_for_what_was_expected() -> None:
    counts = np.array([0, 1, 5])
    assert poisson_deviance(counts, np.maximum(counts, 1e-9)) == pytest.approx(0, abs=1e-6)
    assert poisson_deviance(np.array([2]), np.array([1.0])) == pytest.approx(2 * (2 * np.log(2) - 1))

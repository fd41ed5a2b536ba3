"""Activity: how many target events, and days with one, a user is expected to have within the horizon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from offerbench.campaigns.config import TrainActivity
from offerbench.campaigns.linear import LinearModel, fit_linear
from offerbench.campaigns.timeline import Floats, Ints, Labels, Timeline
from offerbench.core.errors import OfferbenchError

KINDS = ("events", "days")
"""What is predicted: target events, and days with one."""
SMALL_COUNT = 0.5  # added to counts, so that their logarithm exists
MIN_EXPECTED = 1e-3


def activity_names(windows: Sequence[int]) -> list[str]:
    """Name the columns of `activity_features`."""
    rates = [f"log_{kind}_{window}" for kind in KINDS for window in windows]
    return [*rates, "log_tenure", "log_since", "log_interval", "log_since_per_interval"]


def activity_features(
    timeline: Timeline, users: Labels, day: int, windows: Sequence[int], max_tenure: int
) -> Floats:
    """Describe how often users shopped so far: recency, frequency in windows, tenure, intervals.

    Tenure, the days since the first event, is cut: it grows with the length of the log, for all users alike,
    and a model of it would go on with that trend after the last day that it has seen.

    Parameters
    ----------
    timeline : Timeline
        All target events.
    users : int32, shape (users,)
        With at least one event before the day.
    day : int
        Days since 1970-01-01; only what happened before it is looked at.
    windows : sequence of int
        Lengths of windows in days. A user's rate in a window is that of the days since the first event.
    max_tenure : int
        Days at which tenure is cut.

    Returns
    -------
    float64, shape (users, features)
        Logarithms, in the order of `activity_names`.
    """
    first, stop = timeline.first_row(users), timeline.row(users, day)
    begins = [timeline.row(users, day - window) for window in windows]
    tenure = (day - timeline.days[first]).astype(np.float64)
    since = (day - timeline.days[stop - 1]).astype(np.float64)
    shopping_days = timeline.days_before[stop] - timeline.days_before[first]
    interval = (tenure - since + 1) / shopping_days
    columns = []
    for rows_before in (None, timeline.days_before):
        for window, begin in zip(windows, begins, strict=True):
            counts = stop - begin if rows_before is None else rows_before[stop] - rows_before[begin]
            columns.append(np.log((counts + SMALL_COUNT) / np.minimum(tenure, window)))
    columns += [
        np.log(np.minimum(tenure, max_tenure)),
        np.log(since),
        np.log(interval),
        np.log(since / interval),
    ]
    return np.stack(columns, axis=1)


def rate(timeline: Timeline, users: Labels, day: int, days: int, kind: str) -> Floats:
    """Give each user's mean number of events (or days with one) a day in the last days; never 0."""
    counts = timeline.events if kind == "events" else timeline.shopping_days
    seen = np.minimum(day - timeline.days[timeline.first_row(users)], days)
    return np.asarray((counts(users, day - days, day) + SMALL_COUNT) / np.maximum(seen, 1), np.float64)


@dataclass(frozen=True)
class Activity:
    """Expected events and days with one; what it was measured against stands beside it."""

    windows: tuple[int, ...]
    horizon: int
    rate_days: int
    models: Mapping[str, LinearModel]
    """For each of `KINDS`."""
    factors: Mapping[str, float]
    """By which the plain rate is multiplied, for each of `KINDS`."""
    kept: Literal["model", "rate"]
    """Which of the two is used: the better one on validation users."""
    measured: Mapping[str, Any]
    """Of validation users: deviance and correlation of both."""

    def expected(self, timeline: Timeline, users: Labels, day: int) -> tuple[Floats, Floats]:
        """Give expected events and expected days with one, within the horizon from a day on.

        Parameters
        ----------
        timeline : Timeline
            All target events; only those before the day are looked at.
        users : int32, shape (users,)
            With at least one event before the day.
        day : int
            Days since 1970-01-01.

        Returns
        -------
        events, days : float64, shape (users,)
            Events are not below days, and days not above the horizon's.
        """
        events, days = self._expected(timeline, users, day)
        days = np.clip(days, MIN_EXPECTED, self.horizon)
        return np.maximum(events, days), days

    def _expected(self, timeline: Timeline, users: Labels, day: int) -> list[Floats]:
        """By `KINDS`, without bounds."""
        if self.kept == "rate":
            return [self.factors[kind] * rate(timeline, users, day, self.rate_days, kind) for kind in KINDS]
        features = activity_features(timeline, users, day, self.windows, self.rate_days)
        return [np.exp(self.models[kind].predict(features)) for kind in KINDS]

    def content(self) -> dict[str, Any]:
        """Give what JSON keeps of it."""
        return {
            "windows_days": list(self.windows),
            "horizon_days": self.horizon,
            "rate_days": self.rate_days,
            "kept": self.kept,
            "measured": dict(self.measured),
            "factors": dict(self.factors),
            "models": {kind: model.content() for kind, model in self.models.items()},
        }

    @classmethod
    def of_content(cls, content: Mapping[str, Any], source: str) -> Self:
        """Make it again of what JSON kept.

        Raises
        ------
        OfferbenchError
            If it is no activity model; names the source.
        """
        try:
            windows = tuple(int(window) for window in content["windows_days"])
            names = activity_names(windows)
            models = {kind: LinearModel.of_content(content["models"][kind], names, source) for kind in KINDS}
            if content["kept"] not in ("model", "rate"):
                raise ValueError(content["kept"])
            return cls(
                windows,
                int(content["horizon_days"]),
                int(content["rate_days"]),
                models,
                {kind: float(content["factors"][kind]) for kind in KINDS},
                content["kept"],
                content["measured"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise OfferbenchError(
                f"{source}: no saved activity model ({error!r}). Run `dvc repro`."
            ) from None


def past_days(first: int, until: int, parameters: TrainActivity) -> list[int]:
    """Days to learn from: their horizons end before `until`, the latest first."""
    latest = until - parameters.horizon_days
    return list(range(latest, first + parameters.warm_up_days - 1, -parameters.step_days))


def poisson_deviance(actual: Ints, expected: Floats) -> float:
    """Mean deviance of counts from what was expected of them, under the Poisson distribution."""
    logs = np.where(actual > 0, actual * np.log(np.maximum(actual, 1) / expected), 0)
    return float(2 * np.mean(logs - (actual - expected)))


def fit_activity(
    timeline: Timeline, train: Labels, validation: Labels, until: int, parameters: TrainActivity
) -> Activity:
    """Learn expected events and days from past days; keep the plain rate if it is no worse.

    Parameters
    ----------
    timeline : Timeline
        All target events.
    train, validation : int32, shape (users,)
        Users that are learned from, and users that decide between model and rate.
    until : int
        Nothing from this day on is looked at.
    parameters : TrainActivity
        Parameters.

    Raises
    ------
    OfferbenchError
        If the data begin too late to learn from.
    """
    days = past_days(timeline.first_day, until, parameters)
    if not days:
        raise OfferbenchError(
            f"train_activity: less than {parameters.warm_up_days} + {parameters.horizon_days} days of data "
            f"before {np.datetime64(until, 'D')}. Lower warm_up_days, or choose a later cut."
        )
    windows = tuple(parameters.windows_days)
    names = activity_names(windows)
    of_train, of_validation = (_examples(timeline, users, days, parameters) for users in (train, validation))
    models, factors = {}, {}
    measured: dict[str, Any] = {"as_of_days": len(days), "train_rows": len(of_train[0])}
    for kind in KINDS:
        features, rates, actual = of_train[0], of_train[1][kind], of_train[2][kind]
        models[kind] = fit_linear(names, features, actual.astype(float), "poisson", parameters.l2)
        factors[kind] = float(actual.sum() / rates.sum())
        features, rates, actual = of_validation[0], of_validation[1][kind], of_validation[2][kind]
        found = {"model": np.exp(models[kind].predict(features)), "rate": factors[kind] * rates}
        measured[kind] = {
            name: {
                "deviance": round(poisson_deviance(actual, expected), 6),
                "correlation": round(float(np.corrcoef(actual, expected)[0, 1]), 6),
            }
            for name, expected in found.items()
        }
    better = measured["events"]["model"]["deviance"] < measured["events"]["rate"]["deviance"]
    kept: Literal["model", "rate"] = "model" if better else "rate"
    return Activity(windows, parameters.horizon_days, parameters.rate_days, models, factors, kept, measured)


def _examples(
    timeline: Timeline, users: Labels, days: Sequence[int], parameters: TrainActivity
) -> tuple[Floats, dict[str, Floats], dict[str, Ints]]:
    """Features, plain rates by kind, and what happened by kind, of users with a past at each day."""
    features: list[Floats] = []
    rates: dict[str, list[Floats]] = {kind: [] for kind in KINDS}
    actual: dict[str, list[Ints]] = {kind: [] for kind in KINDS}
    for day in days:
        known = users[timeline.row(users, day) > timeline.first_row(users)]
        features.append(
            activity_features(timeline, known, day, parameters.windows_days, parameters.rate_days)
        )
        stop = day + parameters.horizon_days
        for kind, counts in (("events", timeline.events), ("days", timeline.shopping_days)):
            rates[kind].append(rate(timeline, known, day, parameters.rate_days, kind))
            actual[kind].append(counts(known, day, stop))
    return (
        np.concatenate(features),
        {kind: np.concatenate(parts) for kind, parts in rates.items()},
        {kind: np.concatenate(parts) for kind, parts in actual.items()},
    )

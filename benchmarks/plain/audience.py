"""The campaign score in pandas: one user after the other, the formulas of docs/backtest.md written out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import tensorflow as tf

from offerbench.campaigns.moment import Moment
from offerbench.core.columns import DAY, USER, Split, user_feature


@dataclass(frozen=True)
class PlainOffer:
    """What train users' past says of an offer."""

    task: str | None
    """The one attribute that decides, if it is one."""
    base: float
    prior: float
    day_share: float
    distributions: Mapping[str, pd.Series]
    """Share of each value among the offer's events, for each feature: the most frequent values."""
    common: Mapping[str, pd.Series]
    """Share of each value among all events."""
    vector: npt.NDArray[np.float32]


def plain_offer(
    events: pd.DataFrame, train: set[int], moment: Moment, day: int, task: str | None
) -> PlainOffer:
    """Describe the offer whose events have `is_of_offer`; `task`: the one attribute that decides, if any."""
    past = events[events[USER].isin(train) & (events[DAY] < day)]
    mine = past[past["is_of_offer"]]
    horizon, features = moment.activity.horizon, list(moment.data.offer_sizes)
    lately = mine[mine[DAY] >= day - horizon][USER].nunique()
    earlier = mine[(mine[DAY] < day - horizon) & (mine[DAY] >= day - 2 * horizon)][USER].nunique()
    distributions = {}
    for name in features:
        counts = mine[name].value_counts()
        order = sorted(counts.index, key=lambda value: (-counts[value], value))
        counts = counts[order[: moment.parameters.values_per_feature]]
        distributions[name] = counts / counts.sum()
    vector = moment.ranker.infer_offers(
        {name: np.array(each.index, np.int32) for name, each in distributions.items()},
        {name: np.zeros(len(each), np.int32) for name, each in distributions.items()},
        {name: each.to_numpy(np.float32) for name, each in distributions.items()},
        tf.constant(1),
    ).numpy()
    return PlainOffer(
        task=task,
        base=len(mine) / len(past),
        prior=((lately + earlier) / 2 + 0.5) / (past[USER].nunique() + 1),
        day_share=len(mine[[USER, DAY]].drop_duplicates()) / len(past[[USER, DAY]].drop_duplicates()),
        distributions=distributions,
        common={name: past[name].value_counts(normalize=True) for name in features},
        vector=vector,
    )


def plain_chances(
    of_users: Mapping[int, pd.DataFrame], offer: PlainOffer, moment: Moment, day: int
) -> npt.NDArray[np.float64]:
    """Score users for the offer: the chance of a purchase within the horizon; shape (users,).

    Parameters
    ----------
    of_users : mapping of DataFrame
        The past of each user: user, day, labels, is_of_offer.
    offer : PlainOffer
        From `plain_offer`.
    moment : Moment
        Models.
    day : int
        Days since 1970-01-01.
    """
    level = moment.head.levels[offer.task or "all"]
    chances = []
    for past in of_users.values():
        logit = _logit(past, offer, moment, day)
        chances.append(1 - math.exp(-level * math.log1p(math.exp(logit))))
    return np.array(chances)


def _logit(past: pd.DataFrame, offer: PlainOffer, moment: Moment, day: int) -> float:
    inputs = _inputs(past, offer, moment, day)
    model = moment.head.model
    terms = (
        weight * (inputs[name] - mean) / deviation
        for name, weight, mean, deviation in zip(
            model.names, model.weights, model.mean, model.deviation, strict=True
        )
    )
    return sum(terms) + model.intercept + inputs["prior"]


def _inputs(past: pd.DataFrame, offer: PlainOffer, moment: Moment, day: int) -> dict[str, float]:
    head, specification = moment.parameters, moment.ranker.specification
    mine = past[past["is_of_offer"]]
    events, days = _activity(past, moment, day)
    count, shopping_days = len(past), past[DAY].nunique()
    matches, match_days = len(mine), mine[DAY].nunique()
    recent, recent_matches = (len(each[each[DAY] >= day - head.recent_days]) for each in (past, mine))
    ago = day - mine[DAY]
    dot, match = _neural(past, offer, moment)
    base, prior = offer.base, math.log(offer.prior / (1 - offer.prior))
    neighbours = specification.training.neighbours
    share = 1 / (1 + math.exp(-(dot + match + math.log((neighbours - 1) * base))))
    mu = -days * math.expm1(events / days * math.log1p(-share))
    day_rate = (match_days + head.prior_days * offer.day_share) / (shopping_days + head.prior_days)
    has = float(matches > 0)
    soft = {}
    for name, distribution in offer.distributions.items():
        seen = past[name].value_counts()
        own = float((distribution * seen.reindex(distribution.index).fillna(0)).sum())
        common = float((distribution * offer.common[name].reindex(distribution.index)).sum())
        smoothed = (own + head.prior_events * common) / (count + head.prior_events)
        soft[f"soft_{name}"] = 0.0 if name == offer.task else math.log(smoothed / common)
    return {
        "log_mu": math.log(max(mu, 1e-6)),
        "dot": dot,
        "match": match,
        "log_events": math.log(events),
        "log_days": math.log(days),
        "log_base": math.log(base),
        "prior": prior,
        "log_odds": _log_odds(matches, count, base, head.prior_events),
        "log_odds_recent": _log_odds(recent_matches, recent, base, head.prior_events),
        "log_day_rate": math.log(day_rate * days),
        "log_match_days": math.log1p(match_days),
        "log_decayed": math.log1p(float((0.5 ** (ago / head.half_life_days)).sum())),
        "has_match": has,
        "recency": has * math.exp(-ago.min() / head.recency_days) if matches else 0.0,
        "log_past_events": math.log1p(count),
        "log_past_days": math.log1p(shopping_days),
        "has_match_x_log_events": has * math.log(events),
        "has_match_x_prior": has * prior,
        "has_match_x_match": has * match,
        **soft,
    }


def _log_odds(matches: int, events: int, base: float, prior: float) -> float:
    odds = (matches + prior * base) / (events - matches + prior * (1 - base))
    return math.log(odds) - math.log(base / (1 - base))


def _activity(past: pd.DataFrame, moment: Moment, day: int) -> tuple[float, float]:
    """Events and shopping days that are expected of the user."""
    activity = moment.activity
    shopping_days = past[DAY].drop_duplicates()
    first, last = int(shopping_days.min()), int(shopping_days.max())
    tenure, since = day - first, day - last
    interval = (tenure - since + 1) / len(shopping_days)
    features = [
        math.log(((each >= day - window).sum() + 0.5) / min(tenure, window))
        for each in (past[DAY], shopping_days)
        for window in activity.windows
    ]
    features += [math.log(min(tenure, activity.rate_days)), math.log(since)]
    features += [math.log(interval), math.log(since / interval)]
    events, days = (
        math.exp(activity.models[kind].predict(np.array([features]))[0]) for kind in ("events", "days")
    )
    days = min(max(days, 1e-3), activity.horizon)
    return max(events, days), days


def _neural(past: pd.DataFrame, offer: PlainOffer, moment: Moment) -> tuple[float, float]:
    """Dot product of the vectors, and score of the matches."""
    data, ranker = moment.data, moment.ranker
    newest = {name: past[name].tail(data.history.length_of(name)).unique() for name in data.offer_sizes}
    values = {user_feature(data.target_event, name): each for name, each in newest.items()}
    vector = ranker.infer_users(
        {name: np.asarray(each, np.int32) for name, each in values.items()},
        {name: np.zeros(len(each), np.int32) for name, each in values.items()},
        {},
        tf.constant(1),
    ).numpy()[0]
    score = ranker.match_score
    assert score is not None
    windows = [past if window is None else past.tail(window) for window in score.parameters.windows]
    counts = np.array([each["is_of_offer"].sum() for each in windows], np.float32)
    lengths = np.array([len(each) for each in windows], np.float32)
    base = np.full((1, len(windows)), offer.base, np.float32)
    of_match = score.scores(
        counts[None, None, None], lengths[None, None], base, offer.vector, np.zeros((1, 1), np.int32)
    )
    return float(vector @ offer.vector[0]), float(of_match[0, 0, 0])


def users_of_split(moment: Moment, split: Split) -> set[int]:
    """Users of a split."""
    first, length = moment.data.user_rows[split]
    return set(moment.data.events[USER][first[length > 0]].tolist())

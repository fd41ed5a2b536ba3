"""Campaigns of the past: every way to choose an audience, scored as of the day, beside what happened."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.as_of import day_number
from offerbench.campaigns.config import Backtest
from offerbench.campaigns.cuts import Cut, cut_of
from offerbench.campaigns.head import Head, of_task
from offerbench.campaigns.inputs import Pairs
from offerbench.campaigns.level import levels_at
from offerbench.campaigns.measures import Mask, Matrix
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.offers_as_of import joined, new_offers
from offerbench.campaigns.pair_history import buyers
from offerbench.campaigns.peers import OfferModels, best_sellers, fit_offer_models, fit_task_model
from offerbench.campaigns.propensity import PropensityFeatures
from offerbench.campaigns.rows import CampaignRow
from offerbench.campaigns.timeline import Ints, Labels
from offerbench.campaigns.users_as_of import UsersAsOf
from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError
from offerbench.preparation.prepared import PreparedData

LOG = logging.getLogger(__name__)
OFFERS_AT_A_TIME = 400


@dataclass(frozen=True, eq=False)
class Scored:
    """A task as of a date: test users, some offers, the scores of each row, and who bought."""

    task: str
    date: str
    users: Labels
    """Shape (users,)."""
    bought: Mask
    """Shape (users, offers)."""
    earlier_buyers: Ints
    """Train users that bought each offer before. Shape (offers,)."""
    train_users: int
    """Train users with a past."""
    age: Ints
    """Days since a train user first bought each offer. Shape (offers,)."""
    scores: Mapping[str, Matrix]
    """For each row; shape (users, offers). NaN for offers that the row has no model for."""
    chances: Mapping[str, Matrix]
    """The same as chances, for rows that give any."""
    is_best_seller: Mask
    """Offers that have models of their own. Shape (offers,)."""
    is_unnamed: Mask
    """New offers that the vocabulary of the cut doesn't have. Shape (offers,)."""


def run_backtest(
    cuts: Sequence[Cut],
    tasks: Sequence[str],
    backtest: Backtest,
    load: Callable[[Cut], Moment],
    present: PreparedData,
) -> Iterator[Scored]:
    """Score every task as of every date with what was made at the last cut before it.

    Parameters
    ----------
    cuts : sequence of Cut
        The cuts that there are.
    tasks : sequence of str
        Offer features.
    backtest : Backtest
        Parameters.
    load : callable
        Gives what was made at a cut.
    present : PreparedData
        The same events with the labels of the present: it names products that were too new at a cut.

    Yields
    ------
    Scored
        Of one task and date; test users are scored, and nothing is fitted to them.
    """
    chosen = {date: cut_of(date, cuts) for date in backtest.dates}
    for cut in dict.fromkeys(chosen.values()):
        dates = [date for date, of_date in chosen.items() if of_date == cut]
        moment = load(cut)
        _check_dates(moment, dates)
        users = [
            (moment.users([Split.TRAIN], day), moment.users([Split.VALIDATION], day))
            for day in moment.learning_days()
        ]
        levels = {date: levels_at(moment, tasks, day_number(date)) for date in dates}
        test = {date: moment.users([Split.TEST], day_number(date)) for date in dates}
        for task in tasks:
            labels = present.events[task]
            named = np.where(labels >= present.first_label, labels, -1)
            peers = _fit_peers(moment, task, users, backtest)
            for date in dates:
                level = of_task(levels[date], task)
                yield _score(moment, peers, task, date, test[date], level, named, backtest)
            LOG.info("scored %s as of %s", task, ", ".join(dates))


@dataclass(frozen=True)
class _Peers:
    """The fitted peers of a task."""

    boosting: Any
    keys: Labels
    own: Mapping[int, OfferModels]


def _fit_peers(
    moment: Moment, task: str, users: Sequence[tuple[UsersAsOf, UsersAsOf]], backtest: Backtest
) -> _Peers:
    parameters = backtest.propensity
    generator = np.random.default_rng([parameters.seed, day_number(moment.cut.name)])
    boosting = fit_task_model(moment, task, users, parameters, generator)
    keys = best_sellers(moment, task, parameters.offers)
    return _Peers(boosting, keys, fit_offer_models(moment, task, keys, users, parameters))


def _score(
    moment: Moment,
    peers: _Peers,
    task: str,
    date: str,
    users: UsersAsOf,
    level: float,
    named: Labels,
    backtest: Backtest,
) -> Scored:
    day = day_number(date)
    all_offers = moment.offers(task, day)
    is_best = np.isin(all_offers.table.keys, peers.keys)
    chosen = draw_offers(is_best, backtest.max_offers, np.random.default_rng([backtest.seed, day]))
    most_frequent = moment.parameters.values_per_feature
    new = new_offers(moment.past(day), task, named, backtest.new_days, most_frequent)
    offers = joined(all_offers.part(chosen), new) if new is not None else all_offers.part(chosen)
    pairs = moment.pairs(moment.past(day), users, offers)
    scores, chances = score_rows(pairs, moment.head, level, peers.boosting)
    own: dict[str, Matrix] = {
        name: np.full(pairs_shape(pairs), np.nan, np.float32) for name in CampaignRow.of_single_offers()
    }
    features = PropensityFeatures(pairs)
    for place, key in enumerate(pairs.offers.table.keys.tolist()):
        if key in peers.own:
            found = peers.own[key].score(pairs, features, place)
            for name, values in zip(own, found, strict=True):
                own[name][:, place] = values
    has_own = np.isin(pairs.offers.table.keys, list(peers.own))
    return Scored(
        task=task,
        date=date,
        users=users.users,
        bought=buyers(users, pairs.offers, moment.activity.horizon),
        earlier_buyers=pairs.offers.buyers,
        train_users=len(pairs.past.users),
        age=pairs.offers.age,
        scores={**scores, **own},
        chances=chances,
        is_best_seller=has_own,
        is_unnamed=np.arange(len(offers)) >= len(chosen),
    )


def pairs_shape(pairs: Pairs) -> tuple[int, int]:
    """Users and offers."""
    return len(pairs.users), len(pairs.offers)


def draw_offers(is_kept: Mask, number: int, generator: np.random.Generator) -> Ints:
    """Draw offers where there are too many: those that are kept in any case, and others; ascending places."""
    kept, others = np.flatnonzero(is_kept), np.flatnonzero(~is_kept)
    drawn = generator.permutation(others)[: max(number - len(kept), 0)]
    return np.sort(np.concatenate([kept, drawn]))


def score_rows(
    pairs: Pairs, head: Head, level: float, boosting: Any
) -> tuple[dict[str, Matrix], dict[str, Matrix]]:
    """Score all pairs by every row that has a model for all offers.

    Returns
    -------
    scores, chances : dict of float64, shape (users, offers)
    """
    shape, task = pairs_shape(pairs), pairs.offers.task
    features = PropensityFeatures(pairs)
    scores: dict[str, Matrix] = {name: np.empty(shape, np.float64) for name in CampaignRow.of_all_offers()}
    chances: dict[str, Matrix] = {name: np.empty(shape, np.float64) for name in CampaignRow.with_chances()}
    activity = np.unique(pairs.users.expected_events, return_inverse=True)[1].reshape(-1)
    decayed_name = f"decayed_{pairs.head.half_life_days:g}"
    for start in range(0, shape[1], OFFERS_AT_A_TIME):
        part = np.arange(start, min(start + OFFERS_AT_A_TIME, shape[1]))
        user, offer = np.repeat(np.arange(shape[0]), len(part)), np.tile(part, shape[0])
        columns = pairs.columns(user, offer)
        inputs = pairs.inputs_of(columns)
        past = pairs.history.of_pairs(user, offer)
        decayed = np.unique(past[decayed_name], return_inverse=True)[1].reshape(-1)
        prior = columns["prior"].astype(np.float64)
        found: dict[str, npt.NDArray[Any]] = {
            CampaignRow.CAMPAIGN: head.logits(inputs),
            CampaignRow.ACTIVITY_SHARE: head.expected_days(inputs),
            CampaignRow.RANKER: columns["dot"] + columns["match"],
            CampaignRow.ACTIVITY: pairs.users.expected_events[user],
            CampaignRow.COUNT: past["events"],
            CampaignRow.DECAYED_COUNT: decayed * float(shape[0]) + activity[user],
            CampaignRow.BOOSTING: boosting.predict(features.matrix(user, offer), raw_score=True) + prior,
        }
        for name, values in found.items():
            scores[name][:, part] = values.reshape(shape[0], -1)
        for name, values in (
            (CampaignRow.CAMPAIGN, head.chances(inputs, level)),
            (CampaignRow.ACTIVITY_SHARE, head.chances_without_label(inputs, task)),
            (CampaignRow.BOOSTING, 1 / (1 + np.exp(-found[CampaignRow.BOOSTING]))),
        ):
            chances[name][:, part] = values.reshape(shape[0], -1)
    return scores, chances


def _check_dates(moment: Moment, dates: Sequence[str]) -> None:
    """Refuse a date whose horizon the data don't cover."""
    last = moment.timeline.stop_day - moment.activity.horizon
    for date in dates:
        if day_number(date) > last:
            raise OfferbenchError(
                f"backtest.dates: {date} plus train_activity.horizon_days = {moment.activity.horizon} is "
                f"after the end of the data. Choose a day up to {np.datetime64(last, 'D')}."
            )

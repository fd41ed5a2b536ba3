"""Campaigns of the past: every way to choose an audience, scored as of the day, beside what happened."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from offerbench.campaigns.as_of import day_number
from offerbench.campaigns.config import Backtest
from offerbench.campaigns.cuts import Cut, cut_of
from offerbench.campaigns.dated_task import DatedTask, named_labels, rows_of_parts, users_in_parts
from offerbench.campaigns.head import of_task
from offerbench.campaigns.level import levels_at
from offerbench.campaigns.measures import Mask, Matrix
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.pair_history import buyers
from offerbench.campaigns.pair_scores import PairScores, rank_decayed_counts, score_part
from offerbench.campaigns.peers import Peers, fit_peers, learning_users
from offerbench.campaigns.timeline import Ints, Labels
from offerbench.campaigns.users_as_of import UsersAsOf
from offerbench.core.errors import OfferbenchError
from offerbench.preparation.prepared import PreparedData

LOG = logging.getLogger(__name__)
USERS_AT_A_TIME = 2_000
"""Test users that are scored together: products of matrices have the same shape, whoever computes them."""


class Engine(Protocol):
    """Where peers are fitted and test users are scored: with the same bits everywhere."""

    def fit(self, moment: Moment, tasks: Sequence[str], backtest: Backtest) -> Iterator[Peers]:
        """Fit the peers of each task at a cut, in the order of the tasks; see `fit_peers`."""

    def score(self, dated: DatedTask, parts: Sequence[UsersAsOf], into: PairScores) -> None:
        """Write the scores of all test users of a task and date; see `score_part`."""


class ThisMachine:
    """Fits the peers of one task after the other, and scores one part of the test users after the other."""

    def fit(self, moment: Moment, tasks: Sequence[str], backtest: Backtest) -> Iterator[Peers]:
        """Fit the peers of a task when it is its turn."""
        users = learning_users(moment)
        for task in tasks:
            yield fit_peers(moment, task, users, backtest.propensity)

    def score(self, dated: DatedTask, parts: Sequence[UsersAsOf], into: PairScores) -> None:
        """Write the scores in place."""
        for part, rows in zip(parts, rows_of_parts(parts), strict=True):
            score_part(dated, part, into.of_users(rows))


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
    engine: Engine | None = None,
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
    engine : Engine, optional
        Fits and scores; None: this machine.

    Yields
    ------
    Scored
        Of one task and date; test users are scored, and nothing is fitted to them.
    """
    engine = ThisMachine() if engine is None else engine
    chosen = {date: cut_of(date, cuts) for date in backtest.dates}
    for cut in dict.fromkeys(chosen.values()):
        dates = [date for date, of_date in chosen.items() if of_date == cut]
        moment = load(cut)
        _check_dates(moment, dates)
        levels = {date: levels_at(moment, tasks, day_number(date)) for date in dates}
        test = {date: users_in_parts(moment, date, USERS_AT_A_TIME) for date in dates}
        for task, peers in zip(tasks, engine.fit(moment, tasks, backtest), strict=True):
            named = named_labels(present, task)
            for date in dates:
                level = of_task(levels[date], task)
                dated = DatedTask(moment, peers, task, date, level, named, backtest)
                yield _scored(dated, test[date], engine)
            LOG.info("scored %s as of %s", task, ", ".join(dates))


def _scored(dated: DatedTask, parts: Sequence[UsersAsOf], engine: Engine) -> Scored:
    """Score all test users; say what happened."""
    moment, offers = dated.moment, dated.offers
    pairs = PairScores.unwritten(sum(map(len, parts)), len(offers))
    engine.score(dated, parts, pairs)
    rank_decayed_counts(pairs)
    return Scored(
        task=dated.task,
        date=dated.date,
        users=np.concatenate([part.users for part in parts]),
        bought=np.concatenate([buyers(part, offers, moment.activity.horizon) for part in parts]),
        earlier_buyers=offers.buyers,
        train_users=len(moment.past(dated.day).users),
        age=offers.age,
        scores=pairs.scores,
        chances=pairs.chances,
        is_best_seller=np.isin(offers.table.keys, list(dated.peers.own)),
        is_unnamed=dated.is_unnamed,
    )


def _check_dates(moment: Moment, dates: Sequence[str]) -> None:
    """Refuse a date whose horizon the data don't cover, and a cut without days to learn from."""
    last = moment.timeline.stop_day - moment.activity.horizon
    for date in dates:
        if day_number(date) > last:
            raise OfferbenchError(
                f"backtest.dates: {date} plus train_activity.horizon_days = {moment.activity.horizon} is "
                f"after the end of the data. Choose a day up to {np.datetime64(last, 'D')}."
            )
    moment.learning_days()

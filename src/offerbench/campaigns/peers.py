"""The fitted peers of a cut: a propensity model for a task, and models made for single campaigns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from offerbench.campaigns.as_of import day_number
from offerbench.campaigns.config import Propensity
from offerbench.campaigns.inputs import PRIOR, Pairs, input_names
from offerbench.campaigns.linear import LinearModel, fit_linear
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.pair_history import Float32s, buyers
from offerbench.campaigns.propensity import PropensityFeatures, Table, fit_boosting
from offerbench.campaigns.timeline import Floats, Ints, Labels
from offerbench.campaigns.users_as_of import UsersAsOf
from offerbench.core.columns import Split

RANKER_INPUTS = ("log_mu", "dot", "match", "has_match_x_match")
OFFER_INPUTS = ("log_base", PRIOR, "has_match_x_prior")
L2_OF_OFFER = 2e-3
"""Penalty of the logistic regression of a single offer, of standardised weights."""
MIN_LEAF_OF_OFFER = 50


def fit_task_model(
    moment: Moment,
    task: str,
    users: Sequence[tuple[UsersAsOf, UsersAsOf]],
    parameters: Propensity,
    generator: np.random.Generator,
) -> Any:
    """Fit a propensity model for all offers of a task to sampled pairs of the past.

    Parameters
    ----------
    moment : Moment
        What is known at the cut.
    task : str
        The task.
    users : sequence of (UsersAsOf, UsersAsOf)
        Train and validation users as of each past day.
    parameters : Propensity
        Parameters.
    generator : numpy.random.Generator
        Source of the draws.
    """
    tables: tuple[list[Table], list[Table]] = [], []
    for of_day in users:
        for each, found in zip(of_day, tables, strict=True):
            pairs = moment.learning_pairs(task, each)
            sampled = moment.sample(pairs, generator)
            features = PropensityFeatures(pairs).matrix(sampled.user, sampled.offer)
            prior = pairs.offers.prior[sampled.offer]
            offset = np.log(prior) - np.log1p(-prior) - sampled.log_rate
            found.append(Table(features, sampled.is_buyer, offset))
    train, validation = (Table.joined(found) for found in tables)
    return fit_boosting(train, validation, parameters, parameters.leaves, parameters.min_leaf)


def best_sellers(moment: Moment, task: str, number: int) -> Labels:
    """Keys of the offers of a task that most train users bought lately, as of the cut; ascending."""
    offers = moment.offers(task, moment.until)
    best = np.argsort(-offers.prior, kind="stable")[:number]
    return np.sort(offers.table.keys[best])


@dataclass(frozen=True)
class OfferModels:
    """Models of one campaign: nothing else has been seen by them."""

    boosting: Any
    logistic: LinearModel

    def score(self, pairs: Pairs, features: PropensityFeatures, offer: int) -> tuple[Floats, Floats]:
        """Score all users for one offer, by either model; float64, shape (users,) each."""
        user, place = _all_users(pairs, offer)
        boosted = self.boosting.predict(features.matrix(user, place), raw_score=True)
        return np.asarray(boosted, np.float64), self.logistic.predict(_own_inputs(pairs, user, place))


def fit_offer_models(
    moment: Moment,
    task: str,
    keys: Labels,
    users: Sequence[tuple[UsersAsOf, UsersAsOf]],
    parameters: Propensity,
) -> dict[int, OfferModels]:
    """Fit a gradient boosting and a logistic regression for each offer, to all users at past days.

    Parameters
    ----------
    moment, task, users, parameters
        As in `fit_task_model`.
    keys : int32, shape (offers,)
        The offers.

    Returns
    -------
    dict of OfferModels
        By key; an offer that no train user bought within a past horizon has none.
    """
    prepared = []
    for of_day in users:
        pairs = [moment.learning_pairs(task, each) for each in of_day]
        bought = [buyers(each.users, each.offers, moment.activity.horizon) for each in pairs]
        prepared.append((pairs, [PropensityFeatures(each) for each in pairs], bought))
    names = _own_names(moment)
    found = {}
    for key in keys.tolist():
        tables: tuple[list[Table], list[Table]] = [], []
        inputs: list[Float32s] = []
        for pairs, features, bought in prepared:
            place = np.flatnonzero(pairs[0].offers.table.keys == key)
            if not len(place):
                continue
            for part, each in enumerate(pairs):
                user, offer = _all_users(each, int(place[0]))
                rows = features[part].matrix(user, offer)
                tables[part].append(Table(rows, bought[part][:, place[0]], np.zeros(len(user))))
                if part == 0:
                    inputs.append(_own_inputs(each, user, offer))
        if not any(table.is_buyer.any() for table in tables[0]):
            continue
        train, validation = (Table.joined(some) for some in tables)
        boosting = fit_boosting(train, validation, parameters, parameters.leaves_of_offer, MIN_LEAF_OF_OFFER)
        outcome = train.is_buyer.astype(np.float64)
        logistic = fit_linear(names, np.concatenate(inputs), outcome, "logistic", L2_OF_OFFER)
        found[key] = OfferModels(boosting, logistic)
    return found


def _all_users(pairs: Pairs, offer: int) -> tuple[Ints, Ints]:
    return np.arange(len(pairs.users)), np.full(len(pairs.users), offer)


def _own_names(moment: Moment) -> list[str]:
    """Name the inputs of the head that are not the ranker's and differ between users."""
    names = input_names(list(moment.data.offer_sizes))
    return [name for name in names if name not in (*RANKER_INPUTS, *OFFER_INPUTS)]


def _own_inputs(pairs: Pairs, user: Ints, offer: Ints) -> Float32s:
    inputs = pairs.inputs(user, offer)
    names = input_names(list(pairs.users.data.offer_sizes))
    kept = [number for number, name in enumerate(names) if name not in (*RANKER_INPUTS, *OFFER_INPUTS)]
    return inputs[:, kept]


@dataclass(frozen=True)
class PeersAsText:
    """The fitted peers of a task for another process: gradient boostings as LightGBM writes them."""

    boosting: str
    keys: tuple[int, ...]
    own: Mapping[int, tuple[str, LinearModel]]


@dataclass(frozen=True)
class Peers:
    """The fitted peers of a task."""

    boosting: Any
    """Of all offers."""
    keys: Labels
    """Of the offers that are scored in any case, ascending. Shape (offers,)."""
    own: Mapping[int, OfferModels]
    """By key, of those of these that have models of their own."""

    def as_text(self) -> PeersAsText:
        """Give what `of_text` takes."""
        return PeersAsText(
            boosting=self.boosting.model_to_string(),
            keys=tuple(self.keys.tolist()),
            own={key: (each.boosting.model_to_string(), each.logistic) for key, each in self.own.items()},
        )

    @classmethod
    def of_text(cls, text: PeersAsText) -> Self:
        """Make the peers again: they score every pair with the same bits."""
        import lightgbm

        return cls(
            boosting=lightgbm.Booster(model_str=text.boosting),
            keys=np.array(text.keys, np.int32),
            own={
                key: OfferModels(lightgbm.Booster(model_str=boosting), logistic)
                for key, (boosting, logistic) in text.own.items()
            },
        )


def learning_users(moment: Moment) -> list[tuple[UsersAsOf, UsersAsOf]]:
    """Give train and validation users as of each past day, from whom the peers of every task are learned."""
    return [
        (moment.users([Split.TRAIN], day), moment.users([Split.VALIDATION], day))
        for day in moment.learning_days()
    ]


def fit_peers(
    moment: Moment, task: str, users: Sequence[tuple[UsersAsOf, UsersAsOf]], parameters: Propensity
) -> Peers:
    """Fit the peers of a task: one for all its offers, and those of its best sellers; see above."""
    generator = np.random.default_rng([parameters.seed, day_number(moment.cut.name)])
    boosting = fit_task_model(moment, task, users, parameters, generator)
    keys = best_sellers(moment, task, parameters.offers)
    return Peers(boosting, keys, fit_offer_models(moment, task, keys, users, parameters))

"""Propensity models, the way campaigns are targeted today: gradient boosting on hand-made features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.activity import activity_features
from offerbench.campaigns.config import Propensity
from offerbench.campaigns.inputs import Pairs, log_odds
from offerbench.campaigns.pair_history import Float32s, PairHistory, pair_history
from offerbench.campaigns.timeline import Floats, Ints

LAST_DAYS = (14, 30, 60, 90, 180)
HALF_LIVES = (30.0, 60.0, 120.0)
WINDOWS = (7, 14, 30, 60, 90, 180)
MAX_TENURE = 365


class PropensityFeatures:
    """Hand-made features of pairs: the user, the offer, the pair's past, co-occurrence.

    None of them comes from the ranker.

    Parameters
    ----------
    pairs : Pairs
        Users and offers as of a day.
    """

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs
        users, offers = pairs.users, pairs.offers
        activity = activity_features(users.timeline, users.users, users.day, WINDOWS, MAX_TENURE)
        expected = np.log(np.stack([users.expected_events, users.expected_days], axis=1))
        past = np.log1p(np.stack([users.events, users.shopping_days], axis=1))
        self._of_user = np.concatenate([activity, expected, past], axis=1).astype(np.float32)
        self._of_offer = np.stack(
            [
                np.log(offers.prior),
                np.log(np.maximum(offers.base, 1e-9)),
                np.log(np.maximum(offers.day_share, 1e-9)),
                np.log1p(offers.buyers),
                offers.age,
            ],
            axis=1,
        ).astype(np.float32)
        self.history: PairHistory = pair_history(users, offers, last_days=LAST_DAYS, half_lives=HALF_LIVES)

    def matrix(self, user: Ints, offer: Ints) -> Float32s:
        """Give the features of pairs by the places of users and offers; float32, shape (pairs, features)."""
        users, head = self._pairs.users, self._pairs.head
        past = self.history.of_pairs(user, offer)
        never = past["events"] == 0
        base = np.clip(self._pairs.offers.base, 1e-7, 1 - 1e-7)[offer]
        since, first, days = past["since_last"], past["since_first"], past["days"]
        with np.errstate(divide="ignore", invalid="ignore"):
            interval = np.where(days > 1, (first - since) / (days - 1), np.nan)
            columns = [
                *(past[f"last_{window}"] for window in LAST_DAYS),
                *(past[f"decayed_{half_life:g}"] for half_life in HALF_LIVES),
                past["events"],
                days,
                np.where(never, np.nan, since),
                np.where(never, np.nan, first),
                interval,
                since / interval,
                since - interval,
                past["events"] / users.events[user],
                days / users.shopping_days[user],
                past["last_60"] / np.maximum(users.events_within(60)[user], 1),
                log_odds(past["events"].astype(float), users.events[user], base, head.prior_events),
                log_odds(
                    past["last_60"].astype(float), users.events_within(60)[user], base, head.prior_events
                ),
            ]
        soft = self._pairs.soft_matches(user, offer)
        columns += [values for feature, values in soft.items() if feature != self._pairs.offers.task]
        of_pair = np.stack([np.asarray(column, np.float32) for column in columns], axis=1)
        return np.concatenate([self._of_user[user], self._of_offer[offer], of_pair], axis=1)


@dataclass(frozen=True)
class Table:
    """Rows that a model is fitted on, or stops by."""

    features: Float32s
    """Shape (rows, features)."""
    is_buyer: npt.NDArray[np.bool_]
    """Shape (rows,)."""
    offset: Floats
    """Added to what is predicted. Shape (rows,)."""

    @staticmethod
    def joined(tables: Sequence["Table"]) -> "Table":
        """Put tables one below the other."""
        return Table(
            np.concatenate([table.features for table in tables]),
            np.concatenate([table.is_buyer for table in tables]),
            np.concatenate([table.offset for table in tables]),
        )


def fit_boosting(train: Table, validation: Table, parameters: Propensity, leaves: int, min_leaf: int) -> Any:
    """Fit LightGBM to train users; validation users say when to stop.

    Returns
    -------
    lightgbm.Booster
        `predict(features, raw_score=True)` gives log odds less the offset.
    """
    import lightgbm

    settings = {
        "objective": "binary",
        "num_leaves": leaves,
        "learning_rate": parameters.learning_rate,
        "min_data_in_leaf": min_leaf,
        "seed": parameters.seed,
        "num_threads": parameters.threads,
        "deterministic": True,
        "force_row_wise": True,
        "boost_from_average": False,
        "verbosity": -1,
    }
    dataset = lightgbm.Dataset(train.features, train.is_buyer, init_score=train.offset, free_raw_data=True)
    stop = lightgbm.Dataset(
        validation.features, validation.is_buyer, init_score=validation.offset, reference=dataset
    )
    return lightgbm.train(
        settings,
        dataset,
        parameters.rounds,
        valid_sets=[stop],
        callbacks=[lightgbm.early_stopping(parameters.patience, verbose=False)],
    )

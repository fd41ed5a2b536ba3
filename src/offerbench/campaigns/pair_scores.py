"""Scores of test users for the offers of a task and date, by every row of the backtest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.dated_task import DatedTask
from offerbench.campaigns.inputs import Pairs
from offerbench.campaigns.measures import Matrix
from offerbench.campaigns.propensity import PropensityFeatures
from offerbench.campaigns.rows import CampaignRow
from offerbench.campaigns.users_as_of import UsersAsOf

OFFERS_AT_A_TIME = 400


@dataclass(frozen=True, eq=False)
class PairScores:
    """Scores of some users for all offers."""

    scores: Mapping[str, Matrix]
    """For each row; shape (users, offers). float64, or float32 for rows with a model for each offer: NaN for
    offers that the row has no model for."""
    chances: Mapping[str, Matrix]
    """The same as chances, for rows that give any; float64."""

    @classmethod
    def unwritten(cls, users: int, offers: int) -> Self:
        """Make room for the scores of so many users and offers."""
        shape = users, offers
        scores: dict[str, Matrix] = {row: np.empty(shape, np.float64) for row in CampaignRow.of_all_offers()}
        scores |= {row: np.full(shape, np.nan, np.float32) for row in CampaignRow.of_single_offers()}
        return cls(scores, {row: np.empty(shape, np.float64) for row in CampaignRow.with_chances()})

    def of_users(self, rows: slice) -> "PairScores":
        """Give the room of some of the users: what is written there, is written here."""
        return PairScores(
            {name: each[rows] for name, each in self.scores.items()},
            {name: each[rows] for name, each in self.chances.items()},
        )

    def matrices(self) -> Iterator[tuple[str, Matrix]]:
        """Give all matrices, each with a name of its own."""
        yield from ((f"score_{name}", each) for name, each in self.scores.items())
        yield from ((f"chance_{name}", each) for name, each in self.chances.items())


def score_part(dated: DatedTask, users: UsersAsOf, into: PairScores) -> None:
    """Score some users for all offers, by every row.

    A score depends on no other user but by the shapes of matrices, whose products may have other last digits.
    Where it does, in `decayed_count`, the decayed count stands: `rank_decayed_counts` makes the score of it.

    Parameters
    ----------
    dated : DatedTask
        Task and date.
    users : UsersAsOf
        A part of `users_in_parts`.
    into : PairScores
        Gets the scores.
    """
    moment, offers = dated.moment, dated.offers
    pairs = moment.pairs(moment.past(dated.day), users, offers)
    features = PropensityFeatures(pairs)
    for start in range(0, len(offers), OFFERS_AT_A_TIME):
        part = np.arange(start, min(start + OFFERS_AT_A_TIME, len(offers)))
        _score_offers(dated, pairs, features, part, into)
    for place, key in enumerate(offers.table.keys.tolist()):
        if key in dated.peers.own:
            found = dated.peers.own[key].score(pairs, features, place)
            for name, values in zip(CampaignRow.of_single_offers(), found, strict=True):
                into.scores[name][:, place] = values


def _score_offers(
    dated: DatedTask,
    pairs: Pairs,
    features: PropensityFeatures,
    part: npt.NDArray[np.int64],
    into: PairScores,
) -> None:
    """Score all users of the pairs for some offers, by every row that has a model for all offers."""
    head, number = dated.moment.head, len(pairs.users)
    user, offer = np.repeat(np.arange(number), len(part)), np.tile(part, number)
    columns = pairs.columns(user, offer)
    inputs = pairs.inputs_of(columns)
    past = pairs.history.of_pairs(user, offer)
    prior = columns["prior"].astype(np.float64)
    boosted = dated.peers.boosting.predict(features.matrix(user, offer), raw_score=True) + prior
    scores: dict[str, npt.NDArray[Any]] = {
        CampaignRow.CAMPAIGN: head.logits(inputs),
        CampaignRow.ACTIVITY_SHARE: head.expected_days(inputs),
        CampaignRow.RANKER: columns["dot"] + columns["match"],
        CampaignRow.ACTIVITY: pairs.users.expected_events[user],
        CampaignRow.COUNT: past["events"],
        CampaignRow.DECAYED_COUNT: past[f"decayed_{pairs.head.half_life_days:g}"],
        CampaignRow.BOOSTING: boosted,
    }
    chances: dict[str, npt.NDArray[Any]] = {
        CampaignRow.CAMPAIGN: head.chances(inputs, dated.level),
        CampaignRow.ACTIVITY_SHARE: head.chances_without_label(inputs, dated.task),
        CampaignRow.BOOSTING: 1 / (1 + np.exp(-boosted)),
    }
    for found, matrices in ((scores, into.scores), (chances, into.chances)):
        for name, values in found.items():
            matrices[name][:, part] = values.reshape(number, -1)


def rank_decayed_counts(all_users: PairScores) -> None:
    """Make the score of decayed counts, in their place: activity breaks ties. All users must be there."""
    decayed, activity = (all_users.scores[row] for row in (CampaignRow.DECAYED_COUNT, CampaignRow.ACTIVITY))
    users, offers = decayed.shape
    for start in range(0, offers, OFFERS_AT_A_TIME):
        part = slice(start, start + OFFERS_AT_A_TIME)
        of_count = _rank(decayed[:, part].astype(np.float32))  # as they were; they are sorted faster
        decayed[:, part] = of_count * float(users) + _rank(activity[:, start])[:, None]


def _rank(values: Matrix) -> npt.NDArray[np.int64]:
    """Place of each value among the distinct ones, ascending; int64, of the same shape."""
    return np.unique(values, return_inverse=True)[1].reshape(values.shape).astype(np.int64)

"""The ranker's score and what it leaves on the table: trees over both, one forest for every task."""

import logging
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from offerbench.scorers.boosted_peer import together
from offerbench.scorers.config import Boosting, PairFeatures
from offerbench.scorers.event_pairs import fitted_pairs
from offerbench.scorers.pair_features import pair_features
from offerbench.scorers.pairs import TaskPairs
from offerbench.scorers.ranker import RankerScorer
from offerbench.scorers.trees import LabelledPairs, Trees, fit_trees

LOG = logging.getLogger(__name__)
OF_RANKER = ("ranker", "ranker_without_matches")


class BoostedRanker:
    """Scores pairs of any task by the same trees, which see the ranker's score and the pairs' features.

    Parameters
    ----------
    ranker : RankerScorer
        The ranker.
    trees : Trees
        Fitted on users whom the ranker has not seen: on its own train users its score is too good to be true.
    parameters : PairFeatures
        The features that they were fitted on.
    """

    def __init__(self, ranker: RankerScorer, trees: Trees, parameters: PairFeatures) -> None:
        self._ranker, self._trees, self._parameters = ranker, trees, parameters

    def score(self, pairs: TaskPairs) -> npt.NDArray[np.float64]:
        """Score every user of a group with every offer of the group; see `Scorer`."""
        return self._trees.scores(ranker_features(self._ranker, pairs, self._parameters)[0])


def ranker_features(
    ranker: RankerScorer, pairs: TaskPairs, parameters: PairFeatures
) -> tuple[npt.NDArray[np.float32], list[str]]:
    """Put the ranker's score, its part without matches and the pairs' features side by side.

    Returns
    -------
    float32, shape (groups, i, j, features)
    list of str
        Names of the features.
    """
    table = pair_features(pairs, parameters)
    scores = np.stack([ranker.score(pairs), ranker.parts(pairs)[0]], axis=-1)
    return np.concatenate([scores, table.values], axis=-1), [*OF_RANKER, *table.names]


def fit_on_ranker(
    ranker: RankerScorer, tasks: Iterable[TaskPairs], parameters: PairFeatures, boosting: Boosting
) -> Trees:
    """Fit one forest on the pairs of all tasks.

    How many trees is chosen by halves: those of each half of the users that lose least on the other half.
    The forest is then fitted on all.

    Parameters
    ----------
    ranker : RankerScorer
        The ranker, fitted on other users.
    tasks : iterable of TaskPairs
        The same contexts with the offers of each task.
    parameters, boosting : PairFeatures, Boosting
        Parameters.
    """
    halves: tuple[list[LabelledPairs], list[LabelledPairs]] = ([], [])
    names: list[str] = []
    for pairs in tasks:
        features, names = ranker_features(ranker, pairs, parameters)
        kept, is_positive = fitted_pairs(pairs)
        users = np.unique(pairs.contexts.users)
        chosen = np.random.default_rng(boosting.seed).permutation(users)[: len(users) // 2]
        in_first = np.broadcast_to(np.isin(pairs.contexts.users, chosen)[:, :, None], pairs.shape)[kept]
        for half, some in zip(halves, (in_first, ~in_first), strict=True):
            half.append(LabelledPairs(features[kept][some], is_positive[some]))
        LOG.info("%s: %s pairs", pairs.task, f"{kept.sum():,}")
    first, second = (together(half) for half in halves)
    rounds = [
        fit_trees(*both, validation=other).rounds
        for both, other in (((first, names, boosting), second), ((second, names, boosting), first))
    ]
    LOG.info("best number of trees of each half for the other: %d and %d", *rounds)
    return fit_trees(together([first, second]), names, boosting, rounds=round(sum(rounds) / 2))

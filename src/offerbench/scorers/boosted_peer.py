"""LightGBM on hand-made features, one for each task or one for all: peers that are fitted on train users."""

import logging
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from offerbench.core.rows import ALL_TASKS
from offerbench.scorers.config import PairFeatures, TrainPeer
from offerbench.scorers.event_pairs import fitted_pairs
from offerbench.scorers.pair_features import pair_features
from offerbench.scorers.pairs import TaskPairs
from offerbench.scorers.trees import LabelledPairs, Trees, fit_trees

LOG = logging.getLogger(__name__)


class BoostedPeer:
    """Scores pairs by trees that see their features.

    Parameters
    ----------
    trees : mapping of Trees
        By task, or one under `ALL_TASKS`.
    parameters : PairFeatures
        The features that they were fitted on.
    """

    def __init__(self, trees: Mapping[str, Trees], parameters: PairFeatures) -> None:
        self._trees = trees
        self._parameters = parameters

    def score(self, pairs: TaskPairs) -> npt.NDArray[np.float64]:
        """Score every user of a group with every offer of the group; see `Scorer`."""
        trees = self._trees.get(pairs.task) or self._trees[ALL_TASKS]
        return trees.scores(pair_features(pairs, self._parameters).values)


def labelled(pairs: TaskPairs, parameters: PairFeatures) -> LabelledPairs:
    """Lay out the pairs of a task that trees are fitted on."""
    kept, is_positive = fitted_pairs(pairs)
    return LabelledPairs(pair_features(pairs, parameters).values[kept], is_positive)


def together(parts: list[LabelledPairs]) -> LabelledPairs:
    """Put the pairs of several tasks into one."""
    return LabelledPairs(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.is_positive for part in parts]),
    )


def fit_peers(
    train: Iterable[TaskPairs], validation: Iterable[TaskPairs], parameters: TrainPeer
) -> dict[str, Trees]:
    """Fit one forest for each task and one for all, on the same pairs of train users.

    Parameters
    ----------
    train, validation : iterable of TaskPairs
        The tasks in the same order; the trees end where the loss on the latter is lowest.
    parameters : TrainPeer
        Parameters.

    Returns
    -------
    dict of Trees
        By task, and that of all under `ALL_TASKS`.
    """
    parts: dict[str, tuple[LabelledPairs, LabelledPairs]] = {}
    names: list[str] = []
    for of_train, of_validation in zip(train, validation, strict=True):
        names = pair_features(of_train, parameters.features).names
        both = labelled(of_train, parameters.features), labelled(of_validation, parameters.features)
        parts[of_train.task] = both
        LOG.info("%s: %s pairs of train users", of_train.task, f"{len(both[0].is_positive):,}")
    first, second = zip(*parts.values(), strict=True)
    parts[ALL_TASKS] = together(list(first)), together(list(second))
    forests = {}
    for name, (pairs, others) in parts.items():
        forests[name] = fit_trees(pairs, names, parameters.boosting, others)
        LOG.info("%s: %d trees", name, forests[name].rounds)
    return forests

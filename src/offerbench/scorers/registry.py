"""The scorer of each row of the results."""

from collections.abc import Callable, Sequence
from pathlib import Path

from offerbench.core.leavings import refuse_stray_models
from offerbench.core.rows import (
    ALL_TASKS,
    AUGMENTED_MODEL,
    BOOSTED_MODEL,
    CEILING,
    FREQUENCY,
    HISTORY_AFFINITY,
    ITEM_ITEM,
    LEAST_SQUARES,
    LIGHTGBM,
    LIGHTGBM_BY_TASK,
    RECENCY,
    Role,
    Row,
)
from offerbench.scorers.ceiling import Ceiling
from offerbench.scorers.config import PairFeatures, TrainPeer, Yardsticks
from offerbench.scorers.frequency import Frequency
from offerbench.scorers.history_affinity import HistoryAffinity
from offerbench.scorers.item_item import ItemItem
from offerbench.scorers.recency import Recency
from offerbench.scorers.scorer import Scorer

UNTRAINED: dict[str, Callable[[Yardsticks], Scorer]] = {
    HISTORY_AFFINITY: lambda _: HistoryAffinity(),
    FREQUENCY: Frequency,
    RECENCY: Recency,
    CEILING: Ceiling,
}


def load_scorers(
    rows: Sequence[Row],
    models_directory: Path,
    yardsticks: Yardsticks,
    boosted: PairFeatures,
    peer: TrainPeer,
) -> dict[str, Scorer]:
    """Make the scorer of each row, in the order of the tables.

    Parameters
    ----------
    rows : sequence of Row
        The rows; the augmented model before the boosted one.
    models_directory : Path
        Where the stages saved what they trained.
    yardsticks : Yardsticks
        Parameters of the untrained scorers.
    boosted : PairFeatures
        What the trees on the augmented model see.
    peer : TrainPeer
        Parameters of the peers.

    Raises
    ------
    OfferbenchError
        If there is a model of a task that no row is of (DVC leaves it there when a task is taken out,
        and a fresh clone would see another directory) or something else among them, or a model is missing,
        damaged or of another task.
    """
    specialists = models_directory / "mono"
    refuse_stray_models(specialists, {row.task for row in rows})
    scorers: dict[str, Scorer] = {}
    of_tasks = [row.task for row in rows if row.task]
    for row in rows:
        if row.name in UNTRAINED:
            scorers[row.name] = UNTRAINED[row.name](yardsticks)
        elif row.name == BOOSTED_MODEL:
            scorers[row.name] = _load_boosted(models_directory, boosted, scorers[AUGMENTED_MODEL])
        elif row.role is Role.PEER:
            scorers[row.name] = _load_peer(row.name, models_directory / "peer", peer, of_tasks)
        else:
            directory = specialists / row.task if row.task else models_directory / row.name
            scorers[row.name] = _load_ranker(directory, row.task)
    return scorers


def _load_ranker(directory: Path, task: str | None) -> Scorer:
    from offerbench.model.saved_model import load_model
    from offerbench.scorers.ranker import RankerScorer

    return RankerScorer(load_model(directory, task))


def _load_boosted(models_directory: Path, features: PairFeatures, augmented: Scorer) -> Scorer:
    """Put the trees on the ranker that is a row by itself: its scores are made once for both."""
    from offerbench.scorers.boosted_ranker import BoostedRanker
    from offerbench.scorers.ranker import RankerScorer
    from offerbench.scorers.trees import load_trees

    assert isinstance(augmented, RankerScorer)
    trees = load_trees(models_directory / BOOSTED_MODEL, ALL_TASKS)
    return BoostedRanker(augmented, trees, features)


def _load_peer(name: str, directory: Path, peer: TrainPeer, tasks: Sequence[str]) -> Scorer:
    from offerbench.scorers.boosted_peer import BoostedPeer
    from offerbench.scorers.trees import load_trees

    if name == ITEM_ITEM:
        return ItemItem()
    if name == LEAST_SQUARES:
        from offerbench.scorers.least_squares import LeastSquaresScorer, load_factors

        factors = {task: load_factors(directory / name, task) for task in tasks}
        return LeastSquaresScorer(factors, peer.least_squares)
    parts = {LIGHTGBM: [ALL_TASKS], LIGHTGBM_BY_TASK: tasks}[name]
    trees = {part: load_trees(directory / LIGHTGBM, part) for part in parts}  # fitted by one stage
    return BoostedPeer(trees, peer.features)

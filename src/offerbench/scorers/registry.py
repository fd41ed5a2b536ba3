"""The scorer of each row of the results."""

from collections.abc import Callable, Sequence
from pathlib import Path

from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import entries
from offerbench.core.rows import CEILING, FREQUENCY, HISTORY_AFFINITY, RECENCY, Row
from offerbench.scorers.ceiling import Ceiling
from offerbench.scorers.config import Yardsticks
from offerbench.scorers.frequency import Frequency
from offerbench.scorers.history_affinity import HistoryAffinity
from offerbench.scorers.recency import Recency
from offerbench.scorers.scorer import Scorer

UNTRAINED: dict[str, Callable[[Yardsticks], Scorer]] = {
    HISTORY_AFFINITY: lambda _: HistoryAffinity(),
    FREQUENCY: Frequency,
    RECENCY: Recency,
    CEILING: Ceiling,
}


def load_scorers(rows: Sequence[Row], models_directory: Path, yardsticks: Yardsticks) -> dict[str, Scorer]:
    """Make the scorer of each row, in the order of the tables.

    Raises
    ------
    OfferbenchError
        If there is a model of a task that no row is of (DVC leaves it there when a task is taken out,
        and a fresh clone would see another directory) or something else among them, or a model is missing,
        damaged or of another task.
    """
    from offerbench.model.saved_model import load_model
    from offerbench.scorers.ranker import RankerScorer

    specialists = models_directory / "mono"
    found, tasks = entries(specialists), {row.task for row in rows}
    if stray := [path.name for path in found if not path.is_dir()]:
        raise OfferbenchError(
            f"{specialists}: holds {stray}, which is no model, and DVC would take it for a part of them. "
            "Move it away."
        )
    if stale := [path.name for path in found if path.name not in tasks]:
        raise OfferbenchError(
            f"{specialists}: holds models of {stale}, which `tasks` in params.yaml does not name. Run "
            "`offerbench prune` to remove them, then `dvc repro`."
        )
    scorers: dict[str, Scorer] = {}
    for row in rows:
        if row.name in UNTRAINED:
            scorers[row.name] = UNTRAINED[row.name](yardsticks)
        else:
            directory = specialists / row.task if row.task else models_directory / row.name
            scorers[row.name] = RankerScorer(load_model(directory, row.task))
    return scorers

"""Evaluation on the engine that `resources.spark` names."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from offerbench.batching.batches import batches_file, read_batches
from offerbench.core.columns import Split
from offerbench.core.paths import GROUP_TEST_DIRECTORY, MODELS_DIRECTORY, PREPARED_DIRECTORY
from offerbench.core.rows import table_rows
from offerbench.evaluation.config import Evaluate
from offerbench.evaluation.evaluate import TaskResult, measure_task, score_tasks
from offerbench.evaluation.negatives import NegativesGroups, draw_groups
from offerbench.evaluation.pairs import Measure
from offerbench.features.offers import OfferTable, read_offers
from offerbench.preparation.prepared import load_prepared
from offerbench.preparation.resources import Resources
from offerbench.scorers.config import PairFeatures, TrainPeer
from offerbench.scorers.registry import load_scorers
from offerbench.scorers.scorer import Scorer

LOG = logging.getLogger(__name__)
Results = dict[Measure, TaskResult]


@dataclass(frozen=True)
class Evaluation:
    """What is evaluated, with which parameters, and where it is: all that a machine must be told."""

    tasks: tuple[str, ...]
    evaluate: Evaluate
    boosted: PairFeatures
    """What the trees on the augmented model see."""
    peer: TrainPeer
    batch_size: int
    prepared: Path = PREPARED_DIRECTORY
    models: Path = MODELS_DIRECTORY
    group_test: Path = GROUP_TEST_DIRECTORY
    batches: Path | None = None
    """File of the batches; None: that of the split."""

    @property
    def split(self) -> Split:
        """The users that are measured."""
        return Split[self.evaluate.users.upper()]

    @property
    def batches_file(self) -> Path:
        """File of the batches."""
        return self.batches or batches_file(self.split)

    def load_tables(self) -> dict[str, OfferTable]:
        """Read the offers of each task."""
        return {task: read_offers(self.group_test / f"{task}.parquet") for task in self.tasks}

    def load_scorers(self) -> dict[str, Scorer]:
        """Load the scorer of each row of the results."""
        rows = table_rows(list(self.tasks))
        return load_scorers(rows, self.models, self.evaluate.yardsticks, self.boosted, self.peer)

    def load_groups(self) -> NegativesGroups:
        """Make the negatives groups of the batches."""
        batches = read_batches(self.batches_file, self.batch_size)
        return draw_groups(self.evaluate, load_prepared(self.prepared), self.split, batches)


def measure_tasks(evaluation: Evaluation, resources: Resources) -> Iterator[tuple[str, Results]]:
    """Measure every scorer on every task: the same numbers on every engine.

    Parameters
    ----------
    evaluation : Evaluation
        What is evaluated.
    resources : Resources
        Where; only `spark` is looked at.

    Yields
    ------
    str, dict of TaskResult
        One task after the other, with what each measure gives.

    Raises
    ------
    OfferbenchError
        What `load_scorers` and the scorers refuse; if Spark is not there or gives up.
    """
    if resources.spark is not None:
        from offerbench.engines.spark_evaluation import measure_on_spark

        yield from measure_on_spark(evaluation, resources.spark)
        return
    scorers, tables = evaluation.load_scorers(), evaluation.load_tables()
    LOG.info("loaded %d scorers and the offers of %d tasks", len(scorers), len(tables))
    groups = evaluation.load_groups()
    first_label = groups.contexts.data.first_label
    for task, scored in score_tasks(scorers, tables, groups):
        results = {
            measure: measure_task(scored, measure, first_label, evaluation.evaluate) for measure in Measure
        }
        yield task, results

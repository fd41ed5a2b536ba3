"""Evaluation on a Spark cluster: a map over shards of users, then exact sums over ranges of scores."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from offerbench.batching.batches import read_batches
from offerbench.core.columns import SPLIT
from offerbench.core.json_files import read_json
from offerbench.core.rows import table_rows
from offerbench.core.tables import read_parquet
from offerbench.engines.evaluation import Evaluation, Results
from offerbench.engines.score_ranges import (
    NUMBER,
    RANGE,
    SCORE,
    Range,
    measure_ranges,
    read_ranges,
    sum_range,
    write_weights,
)
from offerbench.engines.scored_shards import IS_POSITIVE, OFFER, SCORED, USER_NUMBER, ScoredPairs, score_shard
from offerbench.engines.scored_shards import SCORE as SCORE_OF
from offerbench.engines.session import spark_session
from offerbench.engines.tasks import run_tasks, written
from offerbench.engines.user_shards import number_of_shards
from offerbench.engines.work_directories import shared_directory
from offerbench.evaluation.pairs import Measure
from offerbench.preparation.resources import Spark

LOG = logging.getLogger(__name__)
SCORES_PER_RANGE = 2_000_000
"""Scores of a range on average: what a task holds."""


def measure_on_spark(evaluation: Evaluation, spark: Spark) -> Iterator[tuple[str, Results]]:
    """Measure every scorer on every task on a cluster.

    Parameters, results and errors are those of `offerbench.engines.evaluation.measure_tasks`. All machines
    must see the directory of this run, with its data and models, and
    `resources.spark.work_directory` under the same names.
    """
    with (
        shared_directory(spark, "evaluate") as work,
        spark_session(spark) as session,
    ):
        LOG.info("Spark %s at %s", session.version, spark.master)
        shards = _count_shards(evaluation, spark, session.sparkContext.defaultParallelism)
        (work / "pairs").mkdir()
        task = partial(score_shard, evaluation=evaluation, shards=shards, directory=work / "pairs")
        scored = [SCORED.validate_json(answer) for answer in run_tasks(session, shards, task)]
        LOG.info("scored %d shards of users", shards)
        rows = [row.name for row in table_rows(list(evaluation.tasks))]
        evaluate = evaluation.evaluate
        first_label = read_json(evaluation.prepared / "features.json")["out_of_vocabulary_buckets"]
        for name, table in evaluation.load_tables().items():
            parts = [shard[name] for shard in scored]
            weights = {
                measure: write_weights(work, max(part.users[measure] for part in parts), evaluate)
                for measure in Measure
            }
            ranges = _exchanged(session, parts, len(rows), work, weights)
            yield (
                name,
                {
                    measure: measure_ranges(
                        *(ranges, measure, rows, table, ScoredPairs.total(parts, measure)),
                        *(first_label, evaluate),
                    )
                    for measure in Measure
                },
            )
            LOG.info("%s: %s offers", name, f"{len(table.keys):,}")


def _count_shards(evaluation: Evaluation, spark: Spark, cores: int) -> int:
    """Give the number of shards, of a batch or more; see `number_of_shards`."""
    split = read_parquet(evaluation.prepared / "users.parquet")[SPLIT]
    users = int((split == evaluation.split).sum())
    batches = len(read_batches(evaluation.batches_file, evaluation.batch_size))
    return number_of_shards(users, spark.users_per_shard, cores, batches)


def _exchanged(
    session: Any, parts: Sequence[ScoredPairs], rows: int, directory: Path, weights: Mapping[Measure, Path]
) -> list[Range]:
    """Bring the pairs of a row and offer with neighbouring scores together, and sum over each range."""
    files = written({part.path: part.size for part in parts})
    pairs = ", ".join(
        f"struct({number} AS {NUMBER}, {SCORE_OF}{number} AS {SCORE})" for number in range(rows)
    )
    others = (OFFER, IS_POSITIVE, USER_NUMBER, Measure.CLEAN.value)
    scores = (
        session.read.parquet(*files)
        .selectExpr(*others, f"explode(array({pairs})) AS pair")
        .selectExpr(*others, f"pair.{NUMBER}", f"pair.{SCORE}")
    )
    count = sum(part.pairs[Measure.PUBLISHED] for part in parts) * rows
    ranges = max(session.sparkContext.defaultParallelism, -(-count // SCORES_PER_RANGE))
    sums = partial(sum_range, directory=directory, weights=weights)
    done = scores.repartitionByRange(ranges, NUMBER, OFFER, SCORE).mapInArrow(sums, RANGE).collect()
    return read_ranges(row.answer for row in done)

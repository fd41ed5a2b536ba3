"""The backtest on a Spark cluster: peers are fitted by tasks, test users are scored in shards."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from offerbench.campaigns.config import Backtest
from offerbench.campaigns.dated_task import DatedTask, rows_of_parts
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.pair_scores import PairScores
from offerbench.campaigns.peers import Peers
from offerbench.campaigns.users_as_of import UsersAsOf
from offerbench.engines.backtest_tasks import (
    AtCut,
    ToScore,
    fit_task,
    read_peers,
    read_scores,
    score_shard,
)
from offerbench.engines.session import spark_session
from offerbench.engines.tasks import Task, run_tasks
from offerbench.engines.user_shards import files_of, number_of_shards
from offerbench.engines.work_directories import shared_directory
from offerbench.preparation.resources import Spark

LOG = logging.getLogger(__name__)


@contextmanager
def open_spark_backtest(spark: Spark) -> Iterator["SparkBacktest"]:
    """Open a cluster as the engine of `run_backtest`.

    All machines must see the directory of this run, with its data and models, and
    `resources.spark.work_directory` under the same names.
    """
    with (
        shared_directory(spark, "backtest") as work,
        spark_session(spark) as session,
    ):
        LOG.info("Spark %s at %s", session.version, spark.master)
        yield SparkBacktest(session, spark.users_per_shard, work)


class SparkBacktest:
    """An `Engine` whose tasks are those of Spark.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        The session.
    users_per_shard : int
        So many test users are a task.
    directory : Path
        For the files of this run.
    """

    def __init__(self, session: Any, users_per_shard: int, directory: Path) -> None:
        self._session, self._users_per_shard, self._directory = session, users_per_shard, directory

    def fit(self, moment: Moment, tasks: Sequence[str], backtest: Backtest) -> Iterator[Peers]:
        """Fit the peers of all tasks at a cut, each by a task of Spark."""
        fit = partial(fit_task, at=self._at(moment, backtest), tasks=tuple(tasks))
        yield from map(read_peers, self._run(len(tasks), fit))

    def score(self, dated: DatedTask, parts: Sequence[UsersAsOf], into: PairScores) -> None:
        """Score the test users in shards; put them together, one part at a time."""
        users, cores = sum(map(len, parts)), self._session.sparkContext.defaultParallelism
        told = ToScore(
            at=self._at(dated.moment, dated.backtest),
            task=dated.task,
            date=dated.date,
            level=dated.level,
            peers=dated.peers.as_text(),
            users_at_a_time=max(len(parts[0]), 1),  # only the last part may have fewer
            shards=number_of_shards(users, self._users_per_shard, cores, len(parts)),
        )
        files = self._run(told.shards, partial(score_shard, told=told))
        for file, rows in zip(files, rows_of_parts(parts), strict=True):
            read_scores(file, into.of_users(rows))

    def _at(self, moment: Moment, backtest: Backtest) -> AtCut:
        return AtCut(moment.cut, moment.parameters, backtest, self._directory)

    def _run(self, count: int, task: Task) -> list[Path]:
        """Run tasks that write files; give these, after a look at whether they are whole."""
        answers = run_tasks(self._session, count, task)
        return [Path(name) for answer in answers for name in files_of(answer)]

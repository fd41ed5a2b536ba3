"""The backtest's test users on a Spark cluster: scored in shards, put together on the driver."""

import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from pydantic import TypeAdapter

from offerbench.campaigns.backtest import ScoreParts
from offerbench.campaigns.config import Backtest, TrainHead
from offerbench.campaigns.cuts import Cut
from offerbench.campaigns.dated_task import DatedTask, named_labels, rows_of_parts, users_in_parts
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.pair_scores import PairScores, score_part
from offerbench.campaigns.peers import Peers, PeersAsText
from offerbench.campaigns.users_as_of import UsersAsOf
from offerbench.core.atomic import temporary_directory
from offerbench.core.paths import PREPARED_DIRECTORY
from offerbench.engines.session import spark_session
from offerbench.engines.tasks import not_as_left, refuse_unseen, run_tasks, written
from offerbench.preparation.prepared import load_prepared
from offerbench.preparation.resources import Spark

LOG = logging.getLogger(__name__)
SIZES = TypeAdapter(dict[str, int])
"""Files of a shard, one for each part of its users, and their bytes."""


@dataclass(frozen=True)
class Told:
    """What a task of Spark is told: which users are scored, for what, by what."""

    cut: Cut
    parameters: TrainHead
    backtest: Backtest
    task: str
    date: str
    level: float
    peers: PeersAsText
    users_at_a_time: int
    directory: Path
    """Gets the files; of this run alone."""
    shards: int


@contextmanager
def scoring_on_spark(spark: Spark) -> Iterator[ScoreParts]:
    """Give what scores the test users on a cluster.

    All machines must see the directory of this run, with its data and models, and
    `resources.spark.work_directory` under the same names.
    """
    with (
        temporary_directory(Path(spark.work_directory).absolute(), "backtest") as work,
        spark_session(spark) as session,
    ):
        LOG.info("Spark %s at %s", session.version, spark.master)
        yield partial(_score, session=session, users_per_shard=spark.users_per_shard, directory=work)


def _score(
    dated: DatedTask,
    parts: Sequence[UsersAsOf],
    into: PairScores,
    *,
    session: Any,
    users_per_shard: int,
    directory: Path,
) -> None:
    """Score the test users in shards; put them together, one part at a time."""
    wanted = -(-sum(map(len, parts)) // users_per_shard)
    told = Told(
        cut=dated.moment.cut,
        parameters=dated.moment.parameters,
        backtest=dated.backtest,
        task=dated.task,
        date=dated.date,
        level=dated.level,
        peers=dated.peers.as_text(),
        users_at_a_time=max(len(parts[0]), 1),  # only the last part may have fewer
        directory=directory,
        shards=min(max(wanted, session.sparkContext.defaultParallelism), len(parts)),
    )
    answers = run_tasks(session, told.shards, partial(score_shard, told=told))
    files = [Path(name) for answer in answers for name in written(SIZES.validate_json(answer))]
    for file, rows in zip(files, rows_of_parts(parts), strict=True):
        _read(file, into.of_users(rows))
        file.unlink()


def _read(file: Path, into: PairScores) -> None:
    """Read what a task has written."""
    try:
        with np.load(file, allow_pickle=False) as saved:
            for name, matrix in into.matrices():
                matrix[:] = saved[name]
    except (OSError, ValueError, KeyError, BadZipFile):
        raise not_as_left(file) from None


class _Loaded:
    """What the tasks of a cut share, loaded once in each process of a worker."""

    def __init__(self, told: Told) -> None:
        from offerbench.model import runtime

        runtime.configure(told.backtest.threads)
        self.moment = Moment(told.cut, told.parameters)
        self._present = load_prepared(PREPARED_DIRECTORY)
        self._dated: DatedTask | None = None

    def dated(self, told: Told) -> DatedTask:
        """Give the task and date, of which one at a time is kept."""
        kept = self._dated
        if kept is None or (kept.task, kept.date) != (told.task, told.date):
            self._dated = kept = DatedTask(
                moment=self.moment,
                peers=Peers.of_text(told.peers),
                task=told.task,
                date=told.date,
                level=told.level,
                named=named_labels(self._present, told.task),
                backtest=told.backtest,
            )
        return kept


_LOADED: dict[tuple[Path, Cut], _Loaded] = {}


def score_shard(number: int, told: Told) -> str:
    """Score the users of a shard: the task itself, run by a worker of Spark.

    A shard is made of the parts that one machine scores at a time, so that every product of matrices has the
    same shape there and here.

    Returns
    -------
    str
        `SIZES` as JSON, in the order of the users.
    """
    refuse_unseen([told.directory])
    key = told.directory, told.cut
    if key not in _LOADED:
        _LOADED.clear()
        _LOADED[key] = _Loaded(told)
    loaded = _LOADED[key]
    dated = loaded.dated(told)
    parts = users_in_parts(loaded.moment, told.date, told.users_at_a_time)
    start, stop = (len(parts) * each // told.shards for each in (number, number + 1))
    sizes: dict[str, int] = {}
    for part in parts[start:stop]:
        made = PairScores.unwritten(len(part), len(dated.offers))
        score_part(dated, part, made)
        file = told.directory / f"{told.task}-{told.date}-{number:05}-{secrets.token_hex(4)}.npz"
        np.savez(file, **dict(made.matrices()))
        sizes[str(file)] = file.stat().st_size
    return SIZES.dump_json(sizes).decode()

"""Tasks of the backtest on a Spark cluster: they fit the peers of an offer feature, or score some users."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from pydantic import TypeAdapter

from offerbench.campaigns.config import Backtest, TrainHead
from offerbench.campaigns.cuts import Cut
from offerbench.campaigns.dated_task import DatedTask, named_labels, users_in_parts
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.pair_scores import PairScores, score_part
from offerbench.campaigns.peers import Peers, PeersAsText, fit_peers, learning_users
from offerbench.core.paths import PREPARED_DIRECTORY
from offerbench.engines.exchange import attempt_name
from offerbench.engines.tasks import not_as_left, refuse_unseen
from offerbench.engines.user_shards import SIZES, parts_of_shard, save_columns, size_of
from offerbench.preparation.prepared import load_prepared

PEERS = TypeAdapter(PeersAsText)


@dataclass(frozen=True)
class AtCut:
    """What every task is told: where all was made, and by which parameters."""

    cut: Cut
    parameters: TrainHead
    backtest: Backtest
    directory: Path
    """Gets the files; of this run alone."""


@dataclass(frozen=True)
class ToScore:
    """What is scored, and by what."""

    at: AtCut
    task: str
    date: str
    level: float
    peers: PeersAsText
    users_at_a_time: int
    shards: int


class _Loaded:
    """What the tasks of a cut share, loaded once in each process of a worker."""

    def __init__(self, at: AtCut) -> None:
        from offerbench.model import runtime

        runtime.configure(at.backtest.threads)
        self.moment = Moment(at.cut, at.parameters)
        self._dated: DatedTask | None = None

    def dated(self, told: ToScore) -> DatedTask:
        """Give a task and date, of which one at a time is kept."""
        kept = self._dated
        if kept is None or (kept.task, kept.date) != (told.task, told.date):
            self._dated = kept = DatedTask(
                moment=self.moment,
                peers=Peers.of_text(told.peers),
                task=told.task,
                date=told.date,
                level=told.level,
                named=named_labels(load_prepared(PREPARED_DIRECTORY), told.task),
                backtest=told.at.backtest,
            )
        return kept


_LOADED: dict[tuple[Path, Cut], _Loaded] = {}


def _loaded(at: AtCut) -> _Loaded:
    refuse_unseen([at.directory])
    key = at.directory, at.cut
    if key not in _LOADED:
        _LOADED.clear()
        _LOADED[key] = _Loaded(at)
    return _LOADED[key]


def fit_task(number: int, at: AtCut, tasks: Sequence[str]) -> str:
    """Fit the peers of a task, as one machine does: the task itself, run by a worker of Spark.

    Returns
    -------
    str
        `SIZES` as JSON, of one file.
    """
    moment, task = _loaded(at).moment, tasks[number]
    peers = fit_peers(moment, task, learning_users(moment), at.backtest.propensity)
    content = PEERS.dump_json(peers.as_text())
    file = at.directory / (attempt_name(f"{task}-{_digest(content)}") + ".json")
    file.write_bytes(content)
    return SIZES.dump_json(size_of(file)).decode()


def read_peers(file: Path) -> Peers:
    """Read what `fit_task` has written; removes it."""
    content = file.read_bytes()
    if _digest(content) not in file.name:
        raise not_as_left(file)
    file.unlink()
    return Peers.of_text(PEERS.validate_json(content))


def _digest(content: bytes) -> str:
    """Part of a file's name: LightGBM takes a text with another number in it for a model."""
    return hashlib.sha256(content).hexdigest()[:16]


def score_shard(number: int, told: ToScore) -> str:
    """Score the users of a shard: the task itself, run by a worker of Spark.

    A shard is made of the parts that one machine scores at a time, so that every product of matrices has the
    same shape there and here.

    Returns
    -------
    str
        `SIZES` as JSON, of a file for each part.
    """
    loaded = _loaded(told.at)
    dated = loaded.dated(told)
    parts = users_in_parts(loaded.moment, told.date, told.users_at_a_time)
    start, stop = parts_of_shard(len(parts), number, told.shards)
    sizes: dict[str, int] = {}
    for part in parts[start:stop]:
        made = PairScores.unwritten(len(part), len(dated.offers))
        score_part(dated, part, made)
        sizes |= save_columns(
            told.at.directory, f"{told.task}-{told.date}-{number:05}", dict(made.matrices())
        )
    return SIZES.dump_json(sizes).decode()


def read_scores(file: Path, into: PairScores) -> None:
    """Read what `score_shard` has written of a part; removes it."""
    try:
        with np.load(file, allow_pickle=False) as saved:
            for name, matrix in into.matrices():
                matrix[:] = saved[name]
    except (OSError, ValueError, KeyError, BadZipFile):
        raise not_as_left(file) from None
    file.unlink()

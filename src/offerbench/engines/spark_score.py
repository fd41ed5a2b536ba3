"""The campaign score on a Spark cluster: users are scored in shards, for every offer of a run."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np

from offerbench.campaigns.config import TrainHead
from offerbench.campaigns.cuts import PRESENT, Cut
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.offer import Offer
from offerbench.campaigns.score import HeadScore, Scoring
from offerbench.campaigns.scored_users import ScoredUsers
from offerbench.engines.session import spark_session
from offerbench.engines.tasks import refuse_unseen, run_tasks
from offerbench.engines.user_shards import (
    SIZES,
    files_of,
    number_of_shards,
    parts_of_shard,
    save_columns,
)
from offerbench.engines.work_directories import refuse_url, shared_directory
from offerbench.preparation.resources import Spark

LOG = logging.getLogger(__name__)
COLUMNS = [field.name for field in fields(ScoredUsers)]


@dataclass(frozen=True)
class Told:
    """What a task is told: what users are scored with, and for which offers."""

    cut: Cut
    parameters: TrainHead
    day: int
    levels: Mapping[str, float]
    horizon: int
    users_at_a_time: int
    offers: tuple[Offer, ...]
    directory: Path
    """Gets the files; of this run alone."""
    shards: int

    def scoring(self) -> Scoring:
        """Load what users are scored with."""
        present = Moment(Cut(PRESENT, None), self.parameters)
        moment = present if self.cut.day is None else Moment(self.cut, self.parameters)
        return Scoring(moment, present, self.day, self.levels, self.horizon, self.users_at_a_time)


class SparkScore:
    """The head's chance for any users and offers, as `HeadScore`: the same bits.

    All machines must see the directory of this run, with its data and models, and
    `resources.spark.work_directory` under the same names.
    """

    def __init__(self, score: HeadScore, spark: Spark) -> None:
        self._score, self._spark = score, spark

    def score_offers(self, offers: Sequence[Offer], as_of: date, horizon: int) -> Iterator[ScoredUsers]:
        """Score all eligible users for one offer after the other; see `CampaignScore`."""
        refuse_url(self._spark, "audience")
        scoring = self._score.scoring(as_of, horizon)
        parts = len(scoring.parts())
        with (
            shared_directory(self._spark, "audience") as work,
            spark_session(self._spark) as session,
        ):
            LOG.info("Spark %s at %s", session.version, self._spark.master)
            users, cores = parts * scoring.users_at_a_time, session.sparkContext.defaultParallelism
            told = Told(
                cut=scoring.moment.cut,
                parameters=scoring.moment.parameters,
                day=scoring.day,
                levels=dict(scoring.levels),
                horizon=scoring.horizon,
                users_at_a_time=scoring.users_at_a_time,
                offers=tuple(offers),
                directory=work,
                shards=number_of_shards(users, self._spark.users_per_shard, cores, parts),
            )
            answers = run_tasks(session, told.shards, partial(score_users, told=told))
            shards = [files for answer in answers if (files := files_of(answer))]
            for place in range(len(offers)):
                yield _together([shard[place] for shard in shards])


def _together(files: Sequence[str]) -> ScoredUsers:
    """Put the users of all shards together, in their order."""
    parts = [np.load(file, allow_pickle=False) for file in files]
    return ScoredUsers(*(np.concatenate([part[name] for part in parts]) for name in COLUMNS))


_LOADED: dict[Path, Scoring] = {}
"""What the shards of a run share, loaded once in each process of a worker."""


def score_users(number: int, told: Told) -> str:
    """Score the users of a shard for every offer: the task itself, run by a worker of Spark.

    A shard is made of the parts that one machine scores at a time, so that every product of matrices has the
    same shape there and here.

    Returns
    -------
    str
        `SIZES` as JSON, in the order of the offers; nothing if no user has a past.
    """
    refuse_unseen([told.directory])
    if told.directory not in _LOADED:
        from offerbench.model import runtime

        runtime.configure(told.parameters.threads)
        _LOADED.clear()
        _LOADED[told.directory] = told.scoring()
    scoring = _LOADED[told.directory]
    parts = scoring.parts()
    start, stop = parts_of_shard(len(parts), number, told.shards)
    users = [made for part in parts[start:stop] if len(made := scoring.users(part))]
    sizes: dict[str, int] = {}
    for place, offer in enumerate(told.offers if users else ()):
        scored = zip(*map(scoring.scored(scoring.described(offer)), users), strict=True)
        columns = dict(zip(COLUMNS, map(np.concatenate, scored), strict=True))
        sizes |= save_columns(told.directory, f"{place:04}-{number:05}", columns)
    return SIZES.dump_json(sizes).decode()

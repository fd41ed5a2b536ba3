"""Shards of users, scored: the pairs of their negatives groups with the scores of every row, in files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from offerbench.core.columns import USER
from offerbench.engines.evaluation import Evaluation
from offerbench.engines.exchange import attempt_name
from offerbench.engines.partial_auc import ordered
from offerbench.engines.tasks import refuse_unseen
from offerbench.engines.user_shards import parts_of_shard
from offerbench.evaluation.evaluate import ScoredTask, score_tasks
from offerbench.evaluation.negatives import NegativesGroups
from offerbench.evaluation.pairs import Measure

OFFER, IS_POSITIVE, SCORE = "offer", "is_positive", "score_"
USER_NUMBER = "user_number"


@dataclass(frozen=True)
class ScoredPairs:
    """The pairs of a task that a shard has."""

    path: str
    """Parquet file of those that the published measure counts, of this attempt alone."""
    size: int
    """Bytes of the file."""
    counts: dict[str, int]
    """Hits and facts."""
    pairs: dict[str, int]
    """Pairs that each measure counts."""
    users: dict[str, int]
    """One more than the greatest number of a user of these pairs."""

    @staticmethod
    def total(parts: "Sequence[ScoredPairs]", measure: Measure) -> dict[str, int]:
        """Add the counts of all shards, in the order of the one machine's."""
        names = parts[0].counts
        counts = {name: sum(part.counts[name] for part in parts) for name in names}
        return {"pairs": sum(part.pairs[measure] for part in parts), **counts}


SCORED = TypeAdapter(dict[str, ScoredPairs])
"""By task."""


class _Loaded:
    """What all shards of an evaluation share, loaded once in each process of a worker."""

    def __init__(self, evaluation: Evaluation) -> None:
        from offerbench.model import runtime

        runtime.configure(evaluation.evaluate.threads)
        self._evaluation = evaluation

    @cached_property
    def scorers(self) -> Mapping[str, Any]:
        return self._evaluation.load_scorers()

    @cached_property
    def tables(self) -> Mapping[str, Any]:
        return self._evaluation.load_tables()

    @cached_property
    def groups(self) -> NegativesGroups:
        return self._evaluation.load_groups()

    @cached_property
    def users(self) -> npt.NDArray[np.int32]:
        """All users that are compared, ascending; their places are their numbers."""
        return np.unique(self.groups.contexts.users)


_LOADED: dict[Path, _Loaded] = {}


def score_shard(number: int, evaluation: Evaluation, shards: int, directory: Path) -> str:
    """Score the users of a shard for every task: the task itself, run by a worker of Spark.

    Parameters
    ----------
    number, shards : int
        Which shard, of how many.
    evaluation : Evaluation
        What is evaluated.
    directory : Path
        Gets the files; of this run alone.

    Returns
    -------
    str
        `SCORED` as JSON.
    """
    refuse_unseen([evaluation.prepared, evaluation.models, evaluation.group_test, evaluation.batches_file])
    refuse_unseen([directory])
    if directory not in _LOADED:
        _LOADED.clear()
        _LOADED[directory] = _Loaded(evaluation)
    loaded = _LOADED[directory]
    groups, offers = loaded.groups.offers.shape
    batches = groups * offers // evaluation.batch_size
    start, stop = (groups // batches * batch for batch in parts_of_shard(batches, number, shards))
    some = part_of(loaded.groups, start, stop)
    found = {}
    for task, scored in score_tasks(loaded.scorers, loaded.tables, some):
        path = directory / (attempt_name(f"{task}-{number:05}") + ".parquet")
        users = np.searchsorted(loaded.users, some.contexts.users).astype(np.int32)
        found[task] = write_pairs(path, replace(scored, users=users))
    return SCORED.dump_json(found).decode()


def part_of(groups: NegativesGroups, start: int, stop: int) -> NegativesGroups:
    """Give some of the negatives groups, with the events of their users and of no others of the split.

    Scores of pairs depend on their own user, their offer and the train users alone, so they stay the same.
    """
    contexts = groups.contexts
    users, data = contexts.users[start:stop], contexts.data
    first, length = data.user_rows[contexts.split]
    first, length = first[length > 0], length[length > 0]
    mine = np.isin(data.events[USER][first], users)
    of_users = {**data.user_rows, contexts.split: (first[mine], length[mine])}
    part = replace(
        contexts,
        data=replace(data, user_rows=of_users),
        users=users,
        days=contexts.days[start:stop],
        rows=None if contexts.rows is None else contexts.rows[start:stop],
    )
    return NegativesGroups(part, groups.offers[start:stop], groups.is_positive)


def write_pairs(path: Path, scored: ScoredTask) -> ScoredPairs:
    """Write the pairs that the published measure counts; the others count in no measure."""
    kept = {measure: ~scored.hits.left_out(measure) for measure in Measure}
    written = kept[Measure.PUBLISHED]

    def column(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.broadcast_to(values, written.shape)[written]

    user = scored.users[:, :, None]
    columns = {
        OFFER: column(scored.offer_of_event[:, None, :]),
        IS_POSITIVE: column(scored.is_positive),
        USER_NUMBER: column(user),
        Measure.CLEAN.value: column(kept[Measure.CLEAN]),
    }
    scores = {f"{SCORE}{n}": ordered(each[written]) for n, each in enumerate(scored.scores.values())}
    pq.write_table(pa.table(columns | scores), path, compression="zstd")
    return ScoredPairs(
        path=str(path),
        size=path.stat().st_size,
        counts={**scored.hits.counts(), **scored.facts},
        pairs={measure.value: int(some.sum()) for measure, some in kept.items()},
        users={
            measure.value: int(np.broadcast_to(user, some.shape)[some].max(initial=-1)) + 1
            for measure, some in kept.items()
        },
    )

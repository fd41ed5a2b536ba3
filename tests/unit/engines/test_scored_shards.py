"""Evaluation in shards of users and ranges of scores, without Spark: the bits of the one machine."""

import shutil
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from offerbench.core.columns import USER
from offerbench.core.errors import OfferbenchError
from offerbench.core.rows import table_rows
from offerbench.engines.evaluation import Evaluation, measure_tasks
from offerbench.engines.score_ranges import (
    NUMBER,
    RANGES,
    SCORE,
    Range,
    measure_ranges,
    read_ranges,
    sum_range,
    write_weights,
)
from offerbench.engines.scored_shards import (
    IS_POSITIVE,
    OFFER,
    SCORED,
    USER_NUMBER,
    ScoredPairs,
    part_of,
    score_shard,
)
from offerbench.engines.scored_shards import SCORE as SCORE_OF
from offerbench.engines.tasks import written
from offerbench.evaluation.pairs import Measure

from ..conftest import TinyData
from ..parameters import resources_parameters
from .evaluated import OTHER_USERS, TASKS, bits, write_evaluation

pytestmark = pytest.mark.usefixtures("configured_tensorflow")
ROWS = [row.name for row in table_rows(list(TASKS))]


@pytest.fixture(params=["neighbours", "all_users"])
def evaluation(request: pytest.FixtureRequest, tiny_data: TinyData, tmp_path: Path) -> Evaluation:
    return write_evaluation(tmp_path, tiny_data, negatives=request.param)


def long(files: list[str]) -> pa.Table:
    """One row for each pair and row of the results."""
    parts = []
    for file in files:
        table = pq.read_table(file)
        for number in range(len(ROWS)):
            columns = {name: table[name] for name in (OFFER, IS_POSITIVE, USER_NUMBER, "clean")}
            columns[SCORE] = table[f"{SCORE_OF}{number}"]
            columns[NUMBER] = pa.array(np.full(len(table), number, np.int32))
            parts.append(pa.table(columns))
    return pa.concat_tables(parts)


def ranges_of(pairs: pa.Table, parts: int, directory: Path, weights: dict[Measure, Path]) -> list[Range]:
    """Cut pairs into ranges between different (row, offer, score), and sum over each in any order of it."""
    pairs = pairs.sort_by([(name, "ascending") for name in (NUMBER, OFFER, SCORE)])
    keys = np.stack([pairs[name].to_numpy().astype(np.int64) for name in (NUMBER, OFFER, SCORE)])
    changes = np.flatnonzero((keys[:, 1:] != keys[:, :-1]).any(axis=0)) + 1
    bounds = np.unique([0, *changes[np.linspace(0, len(changes) - 1, parts).astype(int)], len(pairs)])
    found = []
    for start, stop in pairwise(bounds):
        shuffled = np.random.default_rng(int(start)).permutation(np.arange(start, stop))
        batches = pairs.take(pa.array(shuffled)).to_batches(max_chunksize=50)
        found += [row["answer"][0].as_py() for row in sum_range(batches, directory, weights)]
    return read_ranges(reversed(found))


@pytest.mark.parametrize("shards", [1, 3])
def test_shards_and_ranges_give_the_bits_of_the_one_machine(
    evaluation: Evaluation, shards: int, tmp_path: Path
) -> None:
    expected = dict(measure_tasks(evaluation, resources_parameters()))
    (tmp_path / "work").mkdir()
    told = partial(score_shard, evaluation=evaluation, shards=shards, directory=tmp_path / "work")
    scored = [SCORED.validate_json(told(number)) for number in range(shards)]
    first_label, evaluate = evaluation.load_groups().contexts.data.first_label, evaluation.evaluate
    found = {}
    for task, table in evaluation.load_tables().items():
        parts = [shard[task] for shard in scored]
        weights = {
            measure: write_weights(tmp_path, max(part.users[measure] for part in parts), evaluate)
            for measure in Measure
        }
        pairs = long(written({part.path: part.size for part in parts}))
        ranges = ranges_of(pairs, 40, tmp_path / "work", weights)
        assert len(ranges) > 30
        found[task] = {
            measure: measure_ranges(
                *(ranges, measure, ROWS, table, ScoredPairs.total(parts, measure), first_label, evaluate)
            )
            for measure in Measure
        }
    assert bits(found) == bits(expected)


def test_a_range_that_is_lost_is_named(tmp_path: Path) -> None:
    lost = Range(str(tmp_path), {str(tmp_path / "clean_sums.npy"): 4}, (0, 0, 0))
    with pytest.raises(OfferbenchError, match=r"clean_sums\.npy: is gone"):
        read_ranges([RANGES.dump_json(lost).decode()])


def test_a_shard_has_the_events_of_its_own_users_alone(evaluation: Evaluation) -> None:
    groups = evaluation.load_groups()
    part = part_of(groups, 2, 5)
    users = np.unique(groups.contexts.users[2:5])
    assert np.unique(part.contexts.events[USER]).tolist() == users.tolist()
    assert len(users) < len(np.unique(groups.contexts.users))


def test_a_directory_that_a_machine_does_not_see_is_named(evaluation: Evaluation, tmp_path: Path) -> None:
    shutil.move(evaluation.models, tmp_path / "elsewhere")
    with pytest.raises(OfferbenchError, match=r"models: .* does not see it. All machines of resources.spark"):
        score_shard(0, evaluation, 1, tmp_path)


def test_results_differ_where_they_should(tiny_data: TinyData, tmp_path: Path) -> None:
    # What the comparisons look at is not always the same.
    both = {"neighbours": {}, "all_users": OTHER_USERS}
    each = [write_evaluation(tmp_path / name, tiny_data, **changes) for name, changes in both.items()]
    one, other = (bits(dict(measure_tasks(evaluation, resources_parameters()))) for evaluation in each)
    assert one.keys() == other.keys() == {f"{task}, {measure}" for task in TASKS for measure in Measure}
    for name in one:
        assert one[name] != other[name]

"""Tables built in shards and put together, against the tables built at once: the same bytes."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.core.errors import OfferbenchError
from offerbench.engines.exchange import Exchange
from offerbench.engines.shards import SHARD_NUMBER, SHARDS, Shard, assemble, build_shards
from offerbench.preparation.events import Built
from offerbench.preparation.tables import build_tables

from ..parameters import prepare_parameters
from ..preparation.test_tables import LOGS, as_columns, as_events


def encoded(log: list[list[tuple]], users_per_shard: int) -> pa.RecordBatch:
    """Encoded events, sorted, with the numbers of their shards."""
    columns = as_columns(as_events(log))
    return pa.record_batch({SHARD_NUMBER: columns["user"] // np.int32(users_per_shard), **columns})


def in_shards(
    rows: pa.RecordBatch, exchange: Exchange, tasks: int, rows_per_batch: int, weights: str
) -> list[Shard]:
    """Build the shards in some tasks, each of which gets every n-th shard in small batches."""
    found = {}
    for task in range(tasks):
        mine = rows.filter(pa.array(rows[SHARD_NUMBER].to_numpy() % tasks == task))
        batches = [mine.slice(start, rows_per_batch) for start in range(0, len(mine), rows_per_batch)]
        for row in build_shards(batches, exchange, prepare_parameters(weights=weights), 7):
            found[row["number"][0].as_py()] = SHARDS.validate_json(row["shard"][0].as_py())
    return [found[number] for number in sorted(found)]


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@settings(max_examples=25)
@given(
    LOGS,
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 9),
    st.sampled_from(["distinct", "recency"]),
    st.booleans(),
)
def test_shards_put_together_are_the_whole(
    log: list[list[tuple]],
    users_per_shard: int,
    tasks: int,
    rows_per_batch: int,
    weights: str,
    is_remote: bool,
) -> None:
    prepare = prepare_parameters(weights=weights)
    with TemporaryDirectory() as name:
        whole, together = Path(name) / "whole", Path(name) / "together"
        whole.mkdir()
        together.mkdir()
        expected = build_tables([as_columns(as_events(log))], whole, prepare)
        rows = encoded(log, users_per_shard)
        exchange = Exchange(f"{'file://' if is_remote else ''}{name}/shards", f"{name}/spill")
        shards = in_shards(rows, exchange, tasks, rows_per_batch, weights)
        assert len(shards) == -(-len(log) // users_per_shard)
        assert assemble(shards, exchange, together, prepare) == expected
        assert contents(together) == contents(whole)


LOG = [[(0, "purchase", (0, 1, 2, 3))], [(1, "cart", (1, 1, 1, 1)), (2, "purchase", (0, 0, 0, 0))]]


@pytest.mark.parametrize("damage", ["gone", "cut", "longer"])
def test_a_shard_that_is_not_whole_is_refused(tmp_path: Path, damage: str) -> None:
    exchange = Exchange(str(tmp_path / "shards"), str(tmp_path / "spill"))
    shards = in_shards(encoded(LOG, 1), exchange, 2, 5, "distinct")
    file = Path(shards[1].files["histories.arrow"].place)
    data = file.read_bytes()
    match damage:
        case "gone":
            file.unlink()
        case "cut":
            file.write_bytes(data[:-1])
        case "longer":
            file.write_bytes(data + b"x")
    target = tmp_path / "prepared"
    target.mkdir()
    with pytest.raises(OfferbenchError, match=r"histories\.arrow: is gone, or not as the task .* left it"):
        assemble(shards, exchange, target, prepare_parameters())


def test_directories_of_dead_attempts_are_passed_over(tmp_path: Path) -> None:
    directory = tmp_path / "shards"
    exchange = Exchange(str(directory), str(tmp_path / "spill"))
    shards = in_shards(encoded(LOG, 1), exchange, 1, 5, "distinct")
    again = next(build_shards([encoded(LOG, 1)], exchange, prepare_parameters(), 7))
    assert again["number"][0].as_py() == 0
    assert len(list(directory.iterdir())) == len(shards) + 1  # each attempt has a directory of its own
    target = tmp_path / "prepared"
    target.mkdir()
    assert assemble(shards, exchange, target, prepare_parameters()) == Built(3, frozenset({0, 1, 2}), 2, 2, 2)

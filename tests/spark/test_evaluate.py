"""Evaluation on Spark against one machine: every AUC, count and bootstrap sample of the same bits."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from benchmarks.standalone_cluster import CONF as OF_CLUSTER
from benchmarks.standalone_cluster import Cluster, standalone_cluster

from offerbench.core.errors import OfferbenchError
from offerbench.engines import spark_evaluation
from offerbench.engines.evaluation import Evaluation, measure_tasks
from tests.unit.conftest import make_tiny_data
from tests.unit.engines.evaluated import TASKS, bits, write_evaluation
from tests.unit.parameters import resources_parameters

from .conftest import LOCAL

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("configured_tensorflow")]


def on_spark(evaluation: Evaluation, work: Path, **changes: object) -> dict[str, object]:
    """Measure on Spark; nothing stays in its directory."""
    spark = {**LOCAL, "work_directory": str(work), **changes}
    found = bits(dict(measure_tasks(evaluation, resources_parameters(spark=spark))))
    assert list(work.iterdir()) == []
    return found


@pytest.mark.parametrize("negatives", ["neighbours", "all_users"])
def test_bits_are_those_of_one_machine(
    negatives: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark_evaluation, "SCORES_PER_RANGE", 700)  # some ranges a task
    evaluation = write_evaluation(tmp_path, make_tiny_data(tmp_path / "tiny"), negatives=negatives)
    expected = bits(dict(measure_tasks(evaluation, resources_parameters())))
    assert on_spark(evaluation, tmp_path / "work", users_per_shard=7) == expected


def test_a_model_that_is_gone_is_refused_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    evaluation = write_evaluation(Path("own"), make_tiny_data(tmp_path / "tiny"))
    (evaluation.models / "mono/brand/model.json").unlink()
    refusals = []
    for spark in (None, {**LOCAL, "work_directory": str(tmp_path / "work")}):
        with pytest.raises(OfferbenchError) as refused:
            dict(measure_tasks(evaluation, resources_parameters(spark=spark)))
        refusals.append(str(refused.value))
    assert refusals[0] == refusals[1]
    assert refusals[0].startswith("own/models/mono/brand/model.json: no such file")


def kill_one(cluster: Cluster, work: Path, killed: list[int], stop: threading.Event) -> None:
    """Kill an executor as soon as a shard is scored."""
    while not stop.is_set():
        if list(work.glob("*/pairs/*.parquet")) and (executors := cluster.executors()):
            os.kill(executors[0], signal.SIGKILL)
            killed.append(executors[0])
            return
        time.sleep(0.02)


@pytest.mark.slow
def test_a_killed_executor_changes_no_bit(tmp_path: Path) -> None:
    evaluation = write_evaluation(tmp_path, make_tiny_data(tmp_path / "tiny"))
    expected = bits(dict(measure_tasks(evaluation, resources_parameters())))
    work, killed, stop = tmp_path / "work", list[int](), threading.Event()
    with standalone_cluster(tmp_path / "cluster") as cluster:
        killer = threading.Thread(target=kill_one, args=(cluster, work, killed, stop))
        killer.start()
        try:
            found = on_spark(evaluation, work, master=cluster.url, conf=OF_CLUSTER, users_per_shard=7)
        finally:
            stop.set()
            killer.join()
    assert found == expected
    assert len(killed) == 1


def lose(work: Path, lost: list[str], stop: threading.Event) -> None:
    """Remove the pairs of a shard's first task as soon as its second is written: they are whole."""
    first, second = TASKS
    while not stop.is_set():
        for later in work.glob(f"*/pairs/{second}-*.parquet"):
            (file,) = later.parent.glob(f"{first}-{later.name.split('-')[1]}-*.parquet")
            file.unlink()
            lost.append(file.name)
            return
        time.sleep(0.005)


def test_a_lost_shard_is_one_line(tmp_path: Path) -> None:
    evaluation = write_evaluation(tmp_path, make_tiny_data(tmp_path / "tiny"))
    work, lost, stop = tmp_path / "work", list[str](), threading.Event()
    loser = threading.Thread(target=lose, args=(work, lost, stop))
    loser.start()
    try:
        with pytest.raises(OfferbenchError, match="is gone, or not as the task that wrote it left it"):
            on_spark(evaluation, work, users_per_shard=7)
    finally:
        stop.set()
        loser.join()
    assert len(lost) == 1
    assert list(work.iterdir()) == []

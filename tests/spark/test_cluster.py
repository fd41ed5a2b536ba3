"""Preparation on a standalone cluster of two workers, one of whose executors is killed on the way."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from benchmarks.standalone_cluster import CONF, Cluster, standalone_cluster

from offerbench.datasets.synthetic.generate import generate
from tests.unit.parameters import prepare_parameters

from .conftest import Engines

pytestmark = [pytest.mark.spark, pytest.mark.slow]


def kill_one(cluster: Cluster, work: Path, killed: list[int], stop: threading.Event) -> None:
    """Kill an executor as soon as events are read: it holds a part of what comes next."""
    while not stop.is_set():
        if list(work.glob("*/events/*.parquet")) and (executors := cluster.executors()):
            os.kill(executors[0], signal.SIGKILL)
            killed.append(executors[0])
            return
        time.sleep(0.02)


@pytest.mark.parametrize("scheme", ["", "file://"])  # at a URL executors keep rows, which go with one
def test_a_killed_executor_changes_no_byte(scheme: str, engines: Engines, tmp_path: Path) -> None:
    generate(engines.directory / "raw", rows=20_000, months=3, seed=7)
    work, killed, stop = tmp_path / "work", list[int](), threading.Event()
    with standalone_cluster(tmp_path / "cluster") as cluster:
        killer = threading.Thread(target=kill_one, args=(cluster, work, killed, stop))
        killer.start()
        try:
            spark = {"master": cluster.url, "conf": CONF, "work_directory": f"{scheme}{work}"}
            found = engines.check("synthetic", prepare_parameters(), users_per_shard=20, **spark)
        finally:
            stop.set()
            killer.join()
    assert found.refusal is None
    assert len(killed) == 1

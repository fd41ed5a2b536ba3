"""Replicas that Spark places against those of one machine: the same bytes, whatever is killed on the way."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from benchmarks.replica_checkout import Checkout, Ended, ended, replica
from benchmarks.standalone_cluster import CONF as CLUSTER_CONF
from benchmarks.standalone_cluster import Cluster, standalone_cluster

from offerbench.batching.batches import batches_file, draw_pass, write_batches
from offerbench.core.columns import Split
from tests.unit.conftest import make_tiny_data
from tests.unit.engines.test_replicas import are_gone
from tests.unit.parameters import COMPLETE, merged, rebatch_parameters

from .conftest import CONF

pytestmark = [pytest.mark.spark, pytest.mark.slow]
STAGE, EPOCHS = "train_full", 25
"""So many epochs that a replica is killed before the last one."""
Make = Callable[..., Checkout]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Make a checkout of two replicas with the tiny data; `spark`: master and conf."""
    directory = tmp_path_factory.mktemp("trainings")
    tiny = make_tiny_data(directory)
    validation = directory / batches_file(Split.VALIDATION).name
    write_batches(validation, draw_pass(tiny.data, Split.VALIDATION, rebatch_parameters()))

    def checkout(name: str, master: str | None = None, **conf: str) -> Checkout:
        changes: dict[str, Any] = {"resources.replicas": 2, "train_full.epochs": EPOCHS}
        if master is not None:
            spark = {"work_directory": "/nowhere", "users_per_shard": 17, "master": master, "conf": conf}
            changes["resources.spark"] = spark
        return Checkout.make(directory / name, merged(COMPLETE, changes), tiny.directory, validation)

    return checkout


@pytest.fixture(scope="module")
def expected(make: Make) -> str:
    """Digest of what two replicas save that are started on this machine."""
    checkout = make("one_machine")
    found = checkout.run(STAGE)
    assert (found.status, found.errors) == (0, "")
    return checkout.saved()


def check(found: Ended, checkout: Checkout, expected: str) -> None:
    assert found.status == 0, found.errors
    assert "error: " not in found.errors
    assert found.said.count(f"epoch {EPOCHS} steps ") == 1, "one replica speaks"
    assert checkout.saved() == expected
    assert checkout.left() == ["full"]


def pids(checkout: Checkout) -> list[int]:
    return [replica(checkout.directory, index) for index in range(2)]


def test_bytes_are_those_of_replicas_of_one_machine(make: Make, expected: str) -> None:
    checkout = make("local", "local[2]", **CONF)
    found = checkout.run(STAGE)
    assert "at local[2]: 2 replicas" in found.said
    check(found, checkout, expected)


def test_too_few_slots_are_one_line(make: Make) -> None:
    checkout = make("few", "local[1]", **CONF)
    found = checkout.run(STAGE)
    assert found.status == 2
    assert [line for line in found.errors.splitlines() if line.startswith("error: ")] == [
        "error: resources.replicas: 2 replicas need 2 free slots at the same time, one task each, and Spark "
        "at local[1] has 1. Lower resources.replicas, end what else holds the cores, or set more of "
        "spark.executor.instances, spark.executor.cores or spark.cores.max in resources.spark.conf."
    ]
    assert found.errors.rstrip().endswith("resources.spark.conf.")
    assert checkout.left() == []


def test_replicas_end_with_an_interrupted_driver(make: Make) -> None:
    checkout = make("interrupted", "local[2]", **CONF)
    process, said = checkout.run_until(STAGE, epoch=1)
    first = pids(checkout)
    process.send_signal(signal.SIGINT)
    found = ended(process, said, 0.0)
    assert found.status == 130
    assert "interrupted: run the same command again to go on." in found.errors.splitlines()
    assert are_gone(first)
    assert [name for name in checkout.left() if not name.startswith("epoch_")] == []


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers."""
    with standalone_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


def test_a_killed_replica_is_another_attempt_to_the_same_bytes(
    make: Make, expected: str, cluster: Cluster
) -> None:
    checkout = make("killed_replica", cluster.url, **CLUSTER_CONF)
    found = checkout.run_and_kill(STAGE, 1, epoch=1, wait=0.0)
    check(found, checkout, expected)
    assert (
        "warning: resources.replicas: replica 1 of 2 (from 0) on 127.0.0.1 was ended by SIGKILL. The others "
        "were ended too. Attempt 2 of 3 goes on from the last epoch that was finished"
    ) in found.said
    assert found.resumed_after >= 1


def test_a_killed_executor_is_another_attempt_to_the_same_bytes(
    make: Make, expected: str, cluster: Cluster
) -> None:
    checkout = make("killed_executor", cluster.url, **CLUSTER_CONF)
    process, said = checkout.run_until(STAGE, epoch=1)
    first = pids(checkout)
    os.kill(cluster.executors()[0], signal.SIGKILL)
    found = ended(process, said, time.monotonic())
    check(found, checkout, expected)
    assert f"Spark at {cluster.url} has lost a task (ExecutorLostFailure" in found.said
    assert found.resumed_after >= 1
    assert are_gone(first)


def test_replicas_end_with_a_killed_driver_and_the_next_run_goes_on(
    make: Make, expected: str, cluster: Cluster
) -> None:
    checkout = make("killed_driver", cluster.url, **CLUSTER_CONF)
    process, said = checkout.run_until(STAGE, epoch=1)
    first = pids(checkout)
    process.kill()
    assert are_gone(first, 30)
    ended(process, said, 0.0)
    found = checkout.run(STAGE)
    check(found, checkout, expected)
    assert found.resumed_after >= 1

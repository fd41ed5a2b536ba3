"""Several processes against one, by the stage's own script: losses, bytes, and a process that is killed."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.replica_checkout import SCRIPT, Checkout, ended

from offerbench.batching.batches import batches_file, draw_pass, write_batches
from offerbench.core.columns import Split
from offerbench.engines.replicas import free_addresses

from ..conftest import TinyData
from ..parameters import COMPLETE, merged, rebatch_parameters

pytestmark = pytest.mark.slow
STEPS, EPOCHS = 12, 4


@pytest.fixture
def make(tiny_data: TinyData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a checkout of some replicas with the tiny data."""
    monkeypatch.chdir(tmp_path)
    validation = batches_file(Split.VALIDATION)
    validation.parent.mkdir(parents=True)
    write_batches(validation, draw_pass(tiny_data.data, Split.VALIDATION, rebatch_parameters()))

    def checkout(name: str, replicas: int) -> Checkout:
        changes = {"resources.replicas": replicas, "train_full.epochs": EPOCHS}
        return Checkout.make(
            tmp_path / name, merged(COMPLETE, changes), tiny_data.directory, tmp_path / validation
        )

    return checkout


@pytest.mark.parametrize("model", ["full", "brand", "augmented"])
def test_two_processes_have_the_losses_of_one(make: Any, model: str) -> None:
    checkout = make("checkout", 2)
    one = checkout.first_steps(model, 1, STEPS)[0]
    first, second = checkout.first_steps(model, 2, STEPS)
    assert len(one["losses"]) == STEPS
    np.testing.assert_allclose(first["losses"], one["losses"], atol=1e-5, rtol=0)
    for again in [second, *checkout.first_steps(model, 2, STEPS)]:
        assert again["losses"] == first["losses"]
        assert again["weights"] == first["weights"]


def test_a_killed_replica_ends_the_other_and_the_next_run_has_the_same_bytes(make: Any) -> None:
    undisturbed = make("undisturbed", 2)
    whole = undisturbed.run("train_full")
    assert (whole.status, whole.errors) == (0, "")
    assert whole.said.count(f"epoch {EPOCHS} steps ") == 1, "one replica speaks"
    assert undisturbed.left() == ["full"]
    for killed in (0, 1):
        checkout = make(f"killed_{killed}", 2)
        found = checkout.run_and_kill("train_full", killed, epoch=2, wait=0.0)
        assert found.status == 2
        assert found.errors == (
            f"error: resources.replicas: replica {killed} of 2 (from 0) was ended by SIGKILL. The others "
            "were ended too. Run it again: it goes on from the last epoch that was finished.\n"
        )
        assert found.seconds < 20
        assert "full" not in checkout.left()
        again = checkout.run("train_full")
        assert (again.status, again.errors) == (0, "")
        assert again.resumed_after >= 1
        assert checkout.saved() == undisturbed.saved()
        assert checkout.left() == ["full"]


def start_by_hand(checkout: Checkout) -> list[subprocess.Popen[str]]:
    """Start two replicas as one would on two machines."""
    addresses = free_addresses(2)
    tasks = [{"type": "worker", "index": index} for index in range(2)]
    clusters = [json.dumps({"cluster": {"worker": addresses}, "task": task}) for task in tasks]
    return [checkout.start(SCRIPT, "train_full", cluster=cluster) for cluster in clusters]


def test_replicas_that_are_started_by_hand_save_the_same(make: Any) -> None:
    together, by_hand = make("together", 2), make("by_hand", 2)
    assert together.run("train_full").status == 0
    first, second = start_by_hand(by_hand)
    assert first.stdout is not None
    assert any("epoch 2 steps " in line for line in first.stdout)
    second.kill()
    found = ended(first, "", time.monotonic())
    assert found.status == 2
    assert found.errors.startswith("error: resources.replicas: another of the replicas has ended (")
    assert found.errors.count("\n") == 1
    assert found.seconds < 60
    second.communicate()
    again = [ended(process, "", 0.0) for process in start_by_hand(by_hand)]
    assert [(each.status, each.errors) for each in again] == [(0, ""), (0, "")]
    assert again[0].resumed_after == again[1].resumed_after >= 1
    assert by_hand.saved() == together.saved()

"""Stages side by side: each after those that it needs, and none after a failure."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.commands.repro import chain_lengths, run_stages
from offerbench.core.errors import OfferbenchError

Graph = dict[str, frozenset[str]]
NOTHING = frozenset[str]()


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Stages without a circle, in any order: a stage needs some with a lower number."""
    numbers = range(draw(st.integers(1, 7)))
    needs = {
        f"stage {number}": frozenset(f"stage {other}" for other in range(number) if draw(st.booleans()))
        for number in numbers
    }
    return {name: needs[name] for name in draw(st.permutations(list(needs)))}


class Runs:
    """Notes what runs together; some stages fail."""

    def __init__(self, failing: frozenset[str] = NOTHING) -> None:
        self.started: list[str] = []
        self.ended: list[str] = []
        self.ended_before: dict[str, set[str]] = {}
        self.most = 0
        self._failing = failing
        self._lock = threading.Lock()

    def run(self, name: str) -> bool:
        """Pretend to run a stage."""
        with self._lock:
            self.ended_before[name] = set(self.ended)
            self.started.append(name)
            self.most = max(self.most, len(self.started) - len(self.ended))
        time.sleep(0.001)
        with self._lock:
            self.ended.append(name)
        return name not in self._failing


@settings(deadline=None)
@given(graphs(), st.integers(1, 3))
def test_each_stage_runs_once_after_those_that_it_needs(needs: Graph, jobs: int) -> None:
    runs = Runs()
    run_stages(needs, jobs, runs.run)
    assert sorted(runs.started) == sorted(needs)
    assert all(needed <= runs.ended_before[name] for name, needed in needs.items())
    assert runs.most <= jobs


@settings(deadline=None)
@given(graphs(), st.integers(1, 3), st.data())
def test_nothing_is_started_that_needs_a_failed_stage(needs: Graph, jobs: int, data: st.DataObject) -> None:
    failing = data.draw(st.sampled_from(sorted(needs)))
    runs = Runs(frozenset([failing]))
    with pytest.raises(OfferbenchError, match=f"{failing} failed"):
        run_stages(needs, jobs, runs.run)
    assert runs.started.count(failing) == 1
    assert not any(failing in needs[name] for name in runs.started)
    assert sorted(runs.started) == sorted(runs.ended)


def test_two_jobs_run_together() -> None:
    both = threading.Barrier(2, timeout=20)

    def run(name: str) -> bool:
        return name == "last" or both.wait() >= 0

    run_stages({"one": NOTHING, "other": NOTHING, "last": frozenset(["one", "other"])}, 2, run)


def test_the_longest_chain_begins_first() -> None:
    needs = {"short": NOTHING, "a": NOTHING, "b": frozenset(["a"]), "c": frozenset(["b", "short"])}
    assert chain_lengths(needs) == {"short": 2, "a": 3, "b": 2, "c": 1}
    runs = Runs()
    run_stages(needs, 1, runs.run)
    assert runs.started == ["a", "short", "b", "c"]

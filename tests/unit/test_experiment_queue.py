import json
import subprocess
from typing import Any

import pytest

from offerbench import experiment_queue
from offerbench.errors import OfferbenchError
from offerbench.experiment_queue import finished_experiments, run_experiments

WANTED = {"one": {"train.seed": 1}, "two": {"train.seed": 2, "train.dropout": None}}
RIGHT = {"one": {"seed": 1, "dropout": 0.1}, "two": {"seed": 2, "dropout": None}}


class Queue:
    """What `dvc` and `git` answer; an experiment that is queued gets what DVC reads from its settings."""

    def __init__(self, reads: dict[str, Any]) -> None:
        self.reads = reads
        self.states: dict[str, str] = {}
        self.changed = ""
        self.workers: list[int] = []
        self.flickers = 0  # so many times, an experiment that has ended looks as if it had failed
        self.silent = 0  # so many times, `dvc exp show` gives no answer
        self.confused = 0  # so many times, it fails

    def output(self, *words: str, seconds: float | None = None) -> str:
        match words:
            case ("git", "diff", *_):
                return self.changed
            case ("git", "show", place):
                return json.dumps({"all": {"brand": {"full": len(place)}}})
            case ("git", "rev-parse", "HEAD"):
                return "commit\n"
            case ("dvc", "exp", "show", "--json", "--rev", "commit"):
                self.silent -= 1
                if self.silent >= 0 and seconds is not None:
                    raise subprocess.TimeoutExpired(words, seconds)
                self.confused -= 1
                if self.confused >= 0:
                    raise OfferbenchError("`dvc exp show --json` failed: .dvc does not exist")
                return json.dumps([{}, self.commit()])
            case ("dvc", "queue", "remove", name):
                del self.states[name]
            case ("dvc", "exp", "run", "--queue", "--name", name, *settings):
                assert settings[::2] == ["--set-param"] * len(WANTED[name])
                assert name not in self.states
                self.states[name] = "queued"
        return ""

    def commit(self) -> dict[str, Any]:
        states = dict(self.states)
        if self.workers and self.flickers > 0:
            self.flickers -= 1
            states["two"] = "failed"
        experiments = [
            {
                "name": name,
                "executor": {"state": state},
                "revs": [{"rev": name, "data": None if state == "failed" else data_of(self.reads[name])}],
            }
            for name, state in states.items()
        ]
        return {"data": data_of({"seed": 7, "dropout": 0.1}), "experiments": experiments}

    def start_workers(self, jobs: int) -> None:
        self.workers.append(jobs)
        self.states = dict.fromkeys(self.states, "success")


def data_of(train: dict[str, Any]) -> dict[str, Any]:
    return {"params": {"params.yaml": {"data": {"train": train}}}}


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    fake = Queue(RIGHT)
    monkeypatch.setattr(experiment_queue, "SECONDS_BETWEEN_LOOKS", 0.0)
    monkeypatch.setattr(experiment_queue, "_output", fake.output)
    monkeypatch.setattr(experiment_queue, "_start_workers", fake.start_workers)
    return fake


def run() -> list[str]:
    return list(run_experiments(WANTED, 3, "seeds"))


@pytest.mark.parametrize("states", [{}, {"two": "success"}, {"two": "failed"}, {"one": "queued"}])
def test_what_is_missing_or_failed_is_queued(
    queue: Queue, states: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    queue.states = states
    assert run() == ["one", "two"]
    assert queue.workers == [3]
    assert capsys.readouterr().out == "seeds: one success\nseeds: two success\n"


def test_what_has_finished_is_read_without_queueing(queue: Queue) -> None:
    with pytest.raises(OfferbenchError, match=r"^no experiment of one, two has finished"):
        finished_experiments(WANTED)
    queue.states = {"one": "running", "two": "success"}
    assert list(finished_experiments(WANTED)) == ["two"]
    assert queue.workers == [] and queue.states == {"one": "running", "two": "success"}


def test_finished_experiments_need_no_worker(queue: Queue) -> None:
    queue.states = {"two": "success", "one": "success"}
    assert run() == ["one", "two"]
    assert queue.workers == []


def test_known_experiment_with_other_parameters_is_refused_before_another_is_queued(queue: Queue) -> None:
    queue.states, queue.reads = {"two": "success"}, {**RIGHT, "two": {"seed": 2, "dropout": 0.1}}
    refusal = "experiment two of this commit has other parameters than params.yaml with train.seed=2, "
    with pytest.raises(OfferbenchError, match=refusal + "train.dropout=null. Remove it"):
        run()
    assert queue.states == {"two": "success"}


def test_setting_that_dvc_reads_otherwise_is_refused_before_a_worker_starts(queue: Queue) -> None:
    queue.reads = {**RIGHT, "two": {"seed": 2, "dropout": "null"}}
    with pytest.raises(OfferbenchError, match="experiment two of this commit has other parameters"):
        run()
    assert queue.workers == []


def test_files_changed_since_the_commit_are_refused(queue: Queue) -> None:
    queue.changed = "params.yaml\nREADME.md\n"
    with pytest.raises(OfferbenchError, match=r"^params.yaml, README.md: changed since the last commit"):
        run()
    assert queue.states == {}


def test_failed_experiments_and_their_logs_are_named(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(jobs: int) -> None:
        queue.states = {"one": "success", "two": "failed"}

    monkeypatch.setattr(experiment_queue, "_start_workers", fail)
    with pytest.raises(OfferbenchError, match=r"^two failed: see `dvc queue logs two`"):
        run()


def test_dvc_is_asked_again_when_it_does_not_answer(queue: Queue) -> None:
    queue.silent = 4
    assert run() == ["one", "two"]


def test_dvc_is_asked_again_when_a_copy_is_gone_that_it_reads(queue: Queue) -> None:
    queue.confused = 4
    assert run() == ["one", "two"]


def test_dvc_that_always_fails_is_named(queue: Queue) -> None:
    queue.confused = 5
    with pytest.raises(OfferbenchError, match=r"failed: \.dvc does not exist, 5 times"):
        run()


def test_dvc_that_never_answers_is_named(queue: Queue) -> None:
    queue.silent = 5
    with pytest.raises(
        OfferbenchError, match=r"^`dvc exp show --json --rev commit` gave no answer in 120 seconds, 5 times"
    ):
        run()


def test_experiment_that_looks_failed_once_has_not_failed(
    queue: Queue, capsys: pytest.CaptureFixture[str]
) -> None:
    queue.flickers = 1
    assert run() == ["one", "two"]
    assert capsys.readouterr().out == "seeds: one success\nseeds: two success\n"

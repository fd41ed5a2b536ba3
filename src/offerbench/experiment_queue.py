"""Run experiments of the last commit through DVC's queue. What has finished is not run again."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from offerbench.errors import OfferbenchError
from offerbench.evaluation.results import Wauc
from offerbench.experiments import (
    FAILED,
    RUNNING,
    SUCCESS,
    Experiment,
    Settings,
    committed_parameters,
    experiments_of,
    settings_text,
    with_other_parameters,
)
from offerbench.schema import METRICS_DIRECTORY, REPORTS_DIRECTORY

RESULTS_FILE = METRICS_DIRECTORY / "wauc.json"
REPORTS = ("seeds", "ablation")  # that are made of experiments and go into none

SECONDS_BETWEEN_LOOKS = 5.0
SECONDS_TO_LOOK = 120.0  # it takes some, more if all cores train
ATTEMPTS_TO_LOOK = 5
LOOKS_WITHOUT_WORKER = 12  # a worker needs some seconds to start


def run_experiments(wanted: Mapping[str, Settings], jobs: int, command: str) -> dict[str, Wauc]:
    """Queue the experiments that have no result yet, wait for all, and read their wAUC.

    Parameters
    ----------
    wanted : mapping of str to Settings
        By name of the experiment.
    jobs : int
        Experiments at a time.
    command : str
        Name of the calling command; its messages begin with it.

    Returns
    -------
    dict of str to Wauc
        By name, in the order of `wanted`.

    Raises
    ------
    OfferbenchError
        If other files have changed since the last commit, an experiment has other parameters than
        wanted or fails, or nothing works on the queue.
    """
    _refuse_uncommitted()
    revision = _head()
    committed, found = _queue(wanted, revision)
    if any(name not in found or found[name].state != SUCCESS for name in wanted):
        _start_workers(jobs)
    return _results(_finish(wanted, command, revision), committed, wanted)


def finished_experiments(wanted: Mapping[str, Settings]) -> dict[str, Wauc]:
    """Read the wAUC of those experiments of the last commit that have finished; wait for nothing.

    Parameter and returns are those of `run_experiments`.

    Raises
    ------
    OfferbenchError
        If none has finished, or one has other parameters than wanted.
    """
    shown = _shown(_head())
    results = _results(experiments_of(shown), committed_parameters(shown), wanted)
    if not results:
        raise OfferbenchError(f"no experiment of {', '.join(wanted)} has finished on this commit yet.")
    return results


def _results(
    found: Mapping[str, Experiment], committed: Mapping[str, Any], wanted: Mapping[str, Settings]
) -> dict[str, Wauc]:
    """Read the wAUC of what has finished; refuse what has other parameters than wanted."""
    _refuse_other_parameters(found, committed, wanted)
    return {
        name: json.loads(_output("git", "show", f"{found[name].revision}:{RESULTS_FILE}"))
        for name in wanted
        if name in found and found[name].state == SUCCESS
    }


def _output(*words: str, seconds: float | None = None) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=seconds)
    if done.returncode:
        message = done.stderr.strip().removeprefix("ERROR: ") or f"status {done.returncode}"
        raise OfferbenchError(f"`{' '.join(words)}` failed: {message}")
    return done.stdout


def _shown(revision: str) -> list[dict[str, Any]]:
    """Ask DVC for the experiments of a commit."""
    shown: list[dict[str, Any]] = json.loads(_asked("dvc", "exp", "show", "--json", "--rev", revision))
    return shown


def _asked(*words: str) -> str:
    """Ask DVC a question that changes nothing; again if there is no answer, or an error.

    pygit2, which DVC reads commits with, has a race: its reader may wait for a chunk that it has overlooked,
    for ever. And DVC fails when a worker removes the copy of a finished experiment that it is about to read.
    Hours of looks meet both sooner or later.
    """
    problem = ""
    for _ in range(ATTEMPTS_TO_LOOK):
        try:
            return _output(*words, seconds=SECONDS_TO_LOOK)
        except subprocess.TimeoutExpired:
            problem = f"`{' '.join(words)}` gave no answer in {SECONDS_TO_LOOK:.0f} seconds"
        except OfferbenchError as error:
            problem = str(error)
            time.sleep(SECONDS_BETWEEN_LOOKS)
    raise OfferbenchError(f"{problem}, {ATTEMPTS_TO_LOOK} times. Run it by hand to see why.")


def _head() -> str:
    """Last commit: what experiments are of, whatever is committed while they run."""
    return _output("git", "rev-parse", "HEAD").strip()


def _refuse_uncommitted() -> None:
    """Experiments take the changes of the work tree with them: their numbers would belong to no commit."""
    others = [f":(exclude){REPORTS_DIRECTORY}/{name}.*" for name in REPORTS]
    changed = _output("git", "diff", "--name-only", "HEAD", "--", ".", *others).split("\n")[:-1]
    if changed:
        raise OfferbenchError(
            f"{', '.join(changed)}: changed since the last commit, which the experiments start from. "
            "Commit or undo the changes, then run it again."
        )


def _queue(wanted: Mapping[str, Settings], revision: str) -> tuple[dict[str, Any], dict[str, Experiment]]:
    """Put into the queue what has no experiment yet, or one that failed.

    Returns
    -------
    dict
        The commit's parameters.
    dict of str to Experiment
        By name, those that are queued now among them.
    """
    shown = _shown(revision)
    committed, found = committed_parameters(shown), experiments_of(shown)
    _refuse_other_parameters(found, committed, wanted)
    for name, settings in wanted.items():
        if name in found:
            if found[name].state != FAILED:
                continue
            _output("dvc", "queue", "remove", name)
        changes = [word for text in settings_text(settings) for word in ("--set-param", text)]
        _output("dvc", "exp", "run", "--queue", "--name", name, *changes)
    found = experiments_of(_shown(revision))
    # A setting that DVC read otherwise than meant would show in the numbers only, if at all.
    _refuse_other_parameters(found, committed, wanted)
    return committed, found


def _refuse_other_parameters(
    found: Mapping[str, Experiment], committed: Mapping[str, Any], wanted: Mapping[str, Settings]
) -> None:
    others = with_other_parameters(found, committed, wanted)
    if others:
        name = others[0]
        raise OfferbenchError(
            f"experiment {name} of this commit has other parameters than params.yaml with "
            f"{', '.join(settings_text(wanted[name]))}. Remove it (`dvc exp remove {name}`), "
            "then run it again."
        )


def _wait(names: Iterable[str], command: str, revision: str) -> dict[str, Experiment]:
    """Wait for the experiments; say in one line when one ends."""
    waiting, failed, idle = set(names), set[str](), 0
    while True:
        found = experiments_of(_shown(revision))
        # Between queue and worker an experiment is for a moment in neither.
        states = {name: found[name].state for name in waiting if name in found}
        # One that is about to succeed may look as if it had failed, but not twice.
        before, failed = failed, {name for name, state in states.items() if state == FAILED}
        ended = {name for name, state in states.items() if state == SUCCESS} | (failed & before)
        for name in sorted(ended):
            print(f"{command}: {name} {found[name].state}", flush=True)
        waiting -= ended
        if not waiting:
            return found
        active = re.search(r"Worker status: (\d+) active", _asked("dvc", "queue", "status"))
        idle = idle + 1 if active is None or active[1] == "0" else 0
        if idle > LOOKS_WITHOUT_WORKER:
            lost = sorted(name for name in waiting if name in found and found[name].state == RUNNING)
            release = f"Run `dvc queue kill --force {' '.join(lost)}`, then run" if lost else "Run"
            raise OfferbenchError(
                f"{', '.join(sorted(waiting))}: no worker of DVC's queue is there any more (was it killed?). "
                f"{release} it again: finished experiments stay."
            )
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _start_workers(jobs: int) -> None:
    """Start workers in the background; they inherit the output, which must be no pipe to wait for."""
    words = ("dvc", "queue", "start", "--jobs", str(jobs))
    silent = subprocess.DEVNULL
    if subprocess.run(words, stdin=silent, stdout=silent, stderr=silent, check=False).returncode:
        raise OfferbenchError(f"`{' '.join(words)}` failed. Run it by hand to see why.")


def _finish(names: Iterable[str], command: str, revision: str) -> dict[str, Experiment]:
    """Wait until all have succeeded."""
    try:
        found = _wait(names, command, revision)
    except KeyboardInterrupt:
        print(f"{command}: the queue goes on without this; `dvc queue stop --kill` ends it", file=sys.stderr)
        raise
    failed = [name for name in names if found[name].state == FAILED]
    if failed:
        logs = ", ".join(f"`dvc queue logs {name}`" for name in failed)
        raise OfferbenchError(
            f"{', '.join(failed)} failed: see {logs}. Run it again: finished experiments stay."
        )
    return found

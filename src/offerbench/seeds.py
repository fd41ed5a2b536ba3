"""Command: train the set-up of params.yaml with several seeds, and report means and deviations.

Every seed is an experiment of the last commit in DVC's queue. What has finished is not run again.
"""

import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from offerbench import command
from offerbench.errors import OfferbenchError
from offerbench.evaluation.results import Wauc
from offerbench.params.evaluate import Evaluate
from offerbench.params.loading import load_parameters
from offerbench.report.tables import SEGMENT_TITLES, segment_meanings, wauc_markdown
from offerbench.schema import METRICS_DIRECTORY, PARAMETERS_FILE, REPORTS_DIRECTORY
from offerbench.storage import whole_file, write_json

RESULTS_FILE = METRICS_DIRECTORY / "wauc.json"
REPORT_FILE = REPORTS_DIRECTORY / "seeds.md"
VALUES_FILE = REPORTS_DIRECTORY / "seeds.json"

FAILED, QUEUED, RUNNING, SUCCESS = "failed", "queued", "running", "success"
STATES = (FAILED, QUEUED, RUNNING, SUCCESS)  # of two experiments of one name, the later state counts
SECONDS_BETWEEN_LOOKS = 5.0
LOOKS_WITHOUT_WORKER = 12  # a worker needs some seconds to start


@dataclass(frozen=True)
class Experiment:
    """An experiment of the last commit, as DVC reports it."""

    revision: str
    state: str
    parameters: Mapping[str, Any]


def experiments_of(shown: Sequence[Mapping[str, Any]]) -> dict[str, Experiment]:
    """Read what `dvc exp show --json` prints.

    Parameters
    ----------
    shown : sequence of mapping
        The work tree, then the last commit with its experiments.

    Returns
    -------
    dict of str to Experiment
        By name. One that failed and was queued again counts as queued.
    """
    found: dict[str, Experiment] = {}
    for entry in shown[1]["experiments"] or []:
        revision = entry["revs"][0]
        state = (entry["executor"] or {}).get("state", SUCCESS)  # run in the work tree: no executor
        state = FAILED if revision.get("error") else state
        experiment = Experiment(revision["rev"], state, _parameters_of(revision))
        known = found.get(entry["name"])
        if known is None or STATES.index(known.state) < STATES.index(state):
            found[entry["name"]] = experiment
    return found


def _parameters_of(revision: Mapping[str, Any]) -> dict[str, Any]:
    files = (revision["data"] or {}).get("params") or {}
    return dict(files.get(str(PARAMETERS_FILE), {}).get("data") or {})


def with_seed(parameters: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Give the content of params.yaml with another `train.seed`."""
    return {**parameters, "train": {**parameters["train"], "seed": seed}}


def seed_statistics(values: Sequence[Wauc]) -> tuple[Wauc, Wauc]:
    """Mean and standard deviation (of a sample) of each wAUC over the seeds.

    Parameters
    ----------
    values : sequence of Wauc
        One for each seed, two at least, all with the same segments, tasks and models.

    Returns
    -------
    Wauc, Wauc
        Means and deviations; None where a segment has no offer.
    """
    return _over_seeds(values, statistics.fmean), _over_seeds(values, statistics.stdev)


def _over_seeds(values: Sequence[Wauc], reduce: Callable[[Sequence[float]], float]) -> Wauc:
    def cell(segment: str, task: str, model: str) -> float | None:
        found = [value for of_seed in values if (value := of_seed[segment][task][model]) is not None]
        return reduce(found) if len(found) == len(values) else None

    return {
        segment: {
            task: {model: cell(segment, task, model) for model in models} for task, models in tasks.items()
        }
        for segment, tasks in values[0].items()
    }


def seeds_markdown(seeds: Sequence[int], values: Sequence[Wauc], evaluate: Evaluate) -> str:
    """Report in Markdown: for each segment a table, a row for each model, a column for each task."""
    means, deviations = seed_statistics(values)
    meaning = segment_meanings(evaluate.popular_min_positives, evaluate.cold_start_min_positives)
    parts = [
        f"# wAUC over {len(seeds)} seeds\n",
        f"Mean ± standard deviation of {len(seeds)} trainings of every model, `train.seed` = "
        f"{', '.join(map(str, seeds))}; the users and batches are the same. "
        "The best mean of a column is bold. Made by `make seeds`.\n",
    ]
    for segment, by_task in means.items():
        table = wauc_markdown(by_task, evaluate.table_decimals, deviations[segment])
        parts.append(f"## {SEGMENT_TITLES[segment]}: {meaning[segment]}\n\n{table}\n")
    return "\n".join(parts)


def _output(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        message = done.stderr.strip().removeprefix("ERROR: ") or f"status {done.returncode}"
        raise OfferbenchError(f"`{' '.join(words)}` failed: {message}")
    return done.stdout


def _shown() -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = json.loads(_output("dvc", "exp", "show", "--json"))
    return shown


def _refuse_uncommitted() -> None:
    """Experiments take the changes of the work tree with them: their numbers would belong to no commit."""
    own = [f":(exclude){file}" for file in (REPORT_FILE, VALUES_FILE)]
    changed = _output("git", "diff", "--name-only", "HEAD", "--", ".", *own).split("\n")[:-1]
    if changed:
        raise OfferbenchError(
            f"{', '.join(changed)}: changed since the last commit, which the experiments start from. "
            "Commit or undo the changes, then run it again."
        )


def _queue(names: Mapping[str, int]) -> None:
    """Put the seeds into the queue that have no experiment yet, or one that failed."""
    shown = _shown()
    wanted, found = _parameters_of(shown[1]), experiments_of(shown)
    for name, seed in names.items():
        experiment = found.get(name)
        if experiment is not None and experiment.state != FAILED:
            if experiment.parameters != with_seed(wanted, seed):
                raise OfferbenchError(
                    f"experiment {name} of this commit has other parameters than params.yaml with "
                    f"train.seed={seed}. Remove it (`dvc exp remove {name}`), then run it again."
                )
            continue
        if experiment is not None:
            _output("dvc", "queue", "remove", name)
        _output("dvc", "exp", "run", "--queue", "--name", name, "--set-param", f"train.seed={seed}")


def _wait(names: Iterable[str]) -> dict[str, Experiment]:
    """Wait for the experiments; say in one line when one ends."""
    waiting, idle = set(names), 0
    while True:
        found = experiments_of(_shown())
        # Between queue and worker an experiment is for a moment in neither.
        ended = {name for name in waiting if name in found and found[name].state in (SUCCESS, FAILED)}
        for name in sorted(ended):
            print(f"seeds: {name} {found[name].state}", flush=True)
        waiting -= ended
        if not waiting:
            return found
        active = re.search(r"Worker status: (\d+) active", _output("dvc", "queue", "status"))
        idle = idle + 1 if active is None or active[1] == "0" else 0
        if idle > LOOKS_WITHOUT_WORKER:
            lost = sorted(name for name in waiting if name in found and found[name].state == RUNNING)
            release = f"Run `dvc queue kill --force {' '.join(lost)}`, then run" if lost else "Run"
            raise OfferbenchError(
                f"{', '.join(sorted(waiting))}: no worker of DVC's queue is there any more (was it killed?). "
                f"{release} it again: finished seeds stay."
            )
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _start_workers(jobs: int) -> None:
    """Start workers in the background; they inherit the output, which must be no pipe to wait for."""
    words = ("dvc", "queue", "start", "--jobs", str(jobs))
    silent = subprocess.DEVNULL
    if subprocess.run(words, stdin=silent, stdout=silent, stderr=silent, check=False).returncode:
        raise OfferbenchError(f"`{' '.join(words)}` failed. Run it by hand to see why.")


def _finish(names: Mapping[str, int], jobs: int) -> list[Wauc]:
    """Start the workers, wait, and read the results of each seed."""
    found = experiments_of(_shown())
    if any(found[name].state != SUCCESS for name in names):
        _start_workers(jobs)
    try:
        found = _wait(names)
    except KeyboardInterrupt:
        print("seeds: the queue goes on without this; `dvc queue stop --kill` ends it", file=sys.stderr)
        raise
    failed = [name for name in names if found[name].state == FAILED]
    if failed:
        logs = ", ".join(f"`dvc queue logs {name}`" for name in failed)
        raise OfferbenchError(f"{', '.join(failed)} failed: see {logs}. Run it again: finished seeds stay.")
    return [json.loads(_output("git", "show", f"{found[name].revision}:{RESULTS_FILE}")) for name in names]


def main(
    seeds: Annotated[int, typer.Option(min=2, help="How many, from train.seed of params.yaml on.")] = 5,
    jobs: Annotated[int, typer.Option(min=1, help="Experiments at a time.")] = 1,
) -> None:
    """Train with several seeds through DVC's queue; write reports/seeds.md and reports/seeds.json."""
    parameters = load_parameters()
    _refuse_uncommitted()
    numbers = [parameters.train.seed + i for i in range(seeds)]
    names = {f"seed-{number}": number for number in numbers}
    _queue(names)
    values = _finish(names, jobs)
    write_json(VALUES_FILE, {"seeds": numbers, "wauc": dict(zip(map(str, numbers), values, strict=True))})
    with whole_file(REPORT_FILE) as temporary:
        temporary.write_text(seeds_markdown(numbers, values, parameters.evaluate), encoding="utf-8")
    print(f"seeds: {REPORT_FILE} and {VALUES_FILE} written")


if __name__ == "__main__":
    command.run(main)

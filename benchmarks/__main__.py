"""Run the benchmarks, each in a process of its own: `python -m benchmarks`.

Writes `benchmarks/results.json` and `benchmarks/results.md`. Needs a finished `dvc repro` for the
models that are evaluated.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import json
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from tabulate import tabulate

from benchmarks.audience import compare_audiences
from benchmarks.augmented_step import compare_augmented_step
from benchmarks.evaluation import compare_evaluations
from benchmarks.hundred_offers import compare_hundred_offers
from benchmarks.measure import Comparison, peak_memory
from benchmarks.preparation import compare_preparations
from benchmarks.set_ups import prepare_beside
from benchmarks.training_step import compare_training_steps
from offerbench.batching.batches import batches_file, read_batches
from offerbench.core import command, logs
from offerbench.core.atomic import atomic_file
from offerbench.core.columns import Split
from offerbench.core.json_files import read_json, write_json
from offerbench.core.paths import MODELS_DIRECTORY, PREPARED_DIRECTORY
from offerbench.core.rows import BOOSTED_MODEL, Role, table_rows
from offerbench.model import runtime
from offerbench.model.ranker import Ranker
from offerbench.model.saved_model import load_model
from offerbench.parameters import Parameters, load_parameters
from offerbench.preparation.prepared import PreparedData, load_prepared

RESULTS = Path("benchmarks/results.json")
TABLE = Path("benchmarks/results.md")
PUBLISHED = Path("presets/complete_journey_published.yaml")
STEP_ROUNDS, PREPARATION_ROUNDS = 9, 2


def _published_data(directory: Path) -> tuple[Parameters, PreparedData]:
    parameters = load_parameters(PUBLISHED)
    return parameters, prepare_beside(parameters, directory)


def training_published(temporary: Path) -> Comparison:
    """Time the step of the full model with the published parameters: the oldest history kept."""
    parameters, data = _published_data(temporary)
    features, training = list(data.offer_sizes), parameters.train_full
    name = "full, published parameters"
    return compare_training_steps(parameters, data, training, features, name, 4, STEP_ROUNDS)


def training_default(temporary: Path) -> Comparison:
    """Time the step of the full model with the default parameters: the latest history kept."""
    parameters, data = load_parameters(), load_prepared(PREPARED_DIRECTORY)
    features, training = list(data.offer_sizes), parameters.train_full
    return compare_training_steps(parameters, data, training, features, "full, defaults", 2.5, STEP_ROUNDS)


def training_mono(temporary: Path) -> Comparison:
    """Time the step of a specialist with the published parameters."""
    parameters, data = _published_data(temporary)
    name = "mono category3, published parameters"
    training = parameters.train_mono
    return compare_training_steps(parameters, data, training, ["category3"], name, 4, STEP_ROUNDS)


def training_augmented(temporary: Path) -> Comparison:
    """Time the step of the augmented model against that of the full model, with the default parameters."""
    return compare_augmented_step(load_parameters(), load_prepared(PREPARED_DIRECTORY), STEP_ROUNDS)


def evaluation(temporary: Path) -> Comparison:
    """Time group_test and evaluate for all models of events and all tasks."""
    parameters = load_parameters()
    batches = read_batches(batches_file(Split.TEST), parameters.rebatch.batch_size)
    data = load_prepared(PREPARED_DIRECTORY)
    return compare_evaluations(parameters, data, batches, _models_of_events(parameters.tasks))


def _models_of_events(tasks: list[str]) -> dict[str, Ranker]:
    """Load the trained models that the published system has: of events and their own products."""
    models = {}
    for row in table_rows(tasks):
        if row.role in (Role.GENERALIST, Role.SPECIALIST) and row.name != BOOSTED_MODEL:
            model = load_model(MODELS_DIRECTORY / ("mono" if row.task else "") / (row.task or row.name))
            if model.specification.training.sees_events_only:
                models[row.name] = model
    return models


def preparation(temporary: Path) -> Comparison:
    """Time prepare with the published parameters."""
    return compare_preparations(load_parameters(PUBLISHED), temporary, PREPARATION_ROUNDS)


def first_audience(temporary: Path) -> Comparison:
    """Time the first audience of a day: what all of them share is made."""
    return compare_audiences(temporary, is_first=True)


def later_audience(temporary: Path) -> Comparison:
    """Time an audience of a day on which there was another one."""
    return compare_audiences(temporary, is_first=False)


def hundred_offers(temporary: Path) -> Comparison:
    """Time the audiences of a hundred offers of one command."""
    return compare_hundred_offers(temporary)


BENCHMARKS: dict[str, Callable[[Path], Comparison]] = {
    "training_published": training_published,
    "training_default": training_default,
    "training_mono": training_mono,
    "training_augmented": training_augmented,
    "evaluation": evaluation,
    "preparation": preparation,
    "first_audience": first_audience,
    "later_audience": later_audience,
    "hundred_offers": hundred_offers,
}


def run_one(name: str) -> dict[str, Any]:
    """Run one benchmark here; its result, with the process's peak memory."""
    runtime.configure(load_parameters().train_full.threads)
    with TemporaryDirectory() as temporary:
        comparison = BENCHMARKS[name](Path(temporary))
    rounded = replace(
        comparison,
        plain_seconds=round(comparison.plain_seconds, 4),
        ours_seconds=round(comparison.ours_seconds, 4),
    )
    return {**asdict(rounded), "ratio": round(comparison.ratio, 2), "peak_memory_mib": peak_memory()}


def machine() -> dict[str, Any]:
    """Describe the machine without naming it."""
    with Path("/proc/cpuinfo").open() as file:
        models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return {"processor": models[0], "cores": os.cpu_count(), "python": platform.python_version()}


def measured(name: str) -> dict[str, Any]:
    """Run one benchmark in a process of its own: its peak memory is its own."""
    command_line = [sys.executable, "-m", "benchmarks", "--here", name]
    done = subprocess.run(command_line, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"benchmarks: {result['figure']}: ratio {result['ratio']}", flush=True)
    return result


def main(
    only: Annotated[list[str] | None, typer.Option(help="Run these, keep the other results.")] = None,
    here: Annotated[str, typer.Option(help="Run this one in this process, print it as JSON.")] = "",
) -> None:
    """Run all benchmarks, or some, and write their results."""
    logs.configure("benchmarks")
    if here:
        print(json.dumps(run_one(here)))
        return
    if unknown := set(only or []) - set(BENCHMARKS):
        raise typer.BadParameter(f"{sorted(unknown)}: there are {', '.join(BENCHMARKS)}")
    results: dict[str, Any] = read_json(RESULTS)["results"] if only else {}
    results |= {name: measured(name) for name in only or BENCHMARKS}
    write_json(RESULTS, {"machine": machine(), "results": results})
    headers = ["figure", "plain", "offerbench", "memory", "ratio", "wanted", "rounds", "agreement"]
    rows = [
        [
            result["figure"],
            f"{result['plain_seconds']:.3f} s",
            f"{result['ours_seconds']:.3f} s",
            f"{peak:,} MiB" if (peak := result.get("ours_peak_mib")) else "",
            f"{result['ratio']:.3g}",
            result["wanted_ratio"],
            result["rounds"],
            result["agreement"],
        ]
        for result in (results[name] for name in BENCHMARKS if name in results)
    ]
    with atomic_file(TABLE) as temporary:
        temporary.write_text(tabulate(rows, headers, tablefmt="pipe") + "\n", encoding="utf-8")
    print(TABLE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    command.run(main)

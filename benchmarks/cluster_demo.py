"""Both engines on one synthetic log: `python -m benchmarks.cluster_demo --rows 300000`.

Starts a standalone Spark cluster of two workers on loopback, prepares the log on it and on this machine, then
evaluates every row of the results on both. Compares every file, count, AUC and bootstrap sample, and prints
what both took. Fails if a bit differs.
"""

import dataclasses
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from tabulate import tabulate

from benchmarks.cluster_evaluation import write_evaluation
from benchmarks.exchanged import bytes_exchanged, event_log_settings
from benchmarks.standalone_cluster import CONF, cpu_seconds, standalone_cluster
from offerbench.core import command
from offerbench.core.atomic import temporary_directory
from offerbench.core.errors import OfferbenchError
from offerbench.datasets.synthetic.generate import generate
from offerbench.engines.evaluation import Evaluation, Results, measure_tasks
from offerbench.engines.preparation import prepare_dataset
from offerbench.evaluation.evaluate import TaskResult
from offerbench.evaluation.pairs import Measure
from offerbench.model import runtime
from offerbench.parameters import Parameters, load_parameters
from offerbench.preparation.resources import Spark

SEED = 7
PRESET = Path("presets/synthetic.yaml")
SHARDS = 10
ONE, OTHER = "one machine", "Spark, two workers of one core"
ROWS_A_BUYER = 170
"""Of the synthetic logs, roughly."""


@dataclass(frozen=True)
class Run:
    """What an engine did."""

    directory: Path
    counts: dict[str, Any]
    cost: "Cost"


@dataclass(frozen=True)
class Cost:
    """What something took, all processes together."""

    seconds: float
    cpu: float


@dataclass
class Stopwatch:
    """Measures a block."""

    cost: Cost = Cost(0, 0)

    def __enter__(self) -> "Stopwatch":
        self._start, self._cpu = time.perf_counter(), cpu_seconds(os.getpid())
        return self

    def __exit__(self, *_: object) -> None:
        self.cost = Cost(time.perf_counter() - self._start, cpu_seconds(os.getpid()) - self._cpu)


def measured(parameters: Parameters, raw: Path, directory: Path) -> Run:
    """Prepare the log on the engine of the parameters."""
    directory.mkdir()
    with Stopwatch() as stopwatch:
        counts = prepare_dataset("synthetic", raw, directory, parameters.prepare, parameters.resources)
    return Run(directory, counts, stopwatch.cost)


def evaluated(evaluation: Evaluation, parameters: Parameters) -> tuple[dict[str, Results], Cost]:
    """Measure every scorer on the engine of the parameters."""
    with Stopwatch() as stopwatch:
        results = dict(measure_tasks(evaluation, parameters.resources))
    return results, stopwatch.cost


def set_up(rows: int, work: Path) -> Parameters:
    """Give the synthetic preset with a split that fits a small log."""
    parameters = load_parameters(PRESET)
    users = max(min(parameters.prepare.split.test_users, rows // 1000), 1)
    split = parameters.prepare.split.model_copy(update={"test_users": users, "validation_users": users})
    prepare = parameters.prepare.model_copy(update={"split": split})
    size = min(parameters.rebatch.batch_size, max(rows // 15_000, 1) * 5)
    rebatch = parameters.rebatch.model_copy(update={"batch_size": size})
    resources = parameters.resources.model_copy(update={"spill_directory": str(work / "spill")})
    return parameters.model_copy(update={"prepare": prepare, "rebatch": rebatch, "resources": resources})


def on_cluster(parameters: Parameters, rows: int, master: str, work: Path) -> Parameters:
    """Give the parameters with a cluster in them."""
    spark = Spark(
        master=master,
        work_directory=str(work / "work"),
        users_per_shard=max(rows // ROWS_A_BUYER // SHARDS, 1),
        conf=CONF | event_log_settings(work),
    )
    resources = parameters.resources.model_copy(update={"spark": spark})
    return parameters.model_copy(update={"resources": resources})


def compare(one: Run, other: Run) -> list[dict[str, Any]]:
    """Compare every file of two runs, and their counts.

    Raises
    ------
    OfferbenchError
        Names what differs.
    """
    names = sorted({path.name for run in (one, other) for path in run.directory.iterdir()})
    table = []
    for name in names:
        pair = [run.directory / name for run in (one, other)]
        same = all(file.exists() for file in pair) and pair[0].read_bytes() == pair[1].read_bytes()
        table.append({"file": name, "bytes": pair[0].stat().st_size, "same": "yes" if same else "NO"})
    different = [row["file"] for row in table if row["same"] == "NO"]
    if one.counts != other.counts:
        different.append("the counts of metrics/prepare.json")
    if different:
        raise OfferbenchError(f"the cluster's {', '.join(different)} differ from this machine's.")
    return table


def compare_results(one: dict[str, Results], other: dict[str, Results]) -> list[dict[str, Any]]:
    """Compare every count, AUC and bootstrap sample of two evaluations, to the last bit.

    Raises
    ------
    OfferbenchError
        Names what differs.
    """
    table, different = [], []
    for task, measures in one.items():
        for measure, expected in measures.items():
            found = other[task][measure]
            same = {
                "counts": expected.counts == found.counts,
                "AUC": _bits(expected) == _bits(found),
                "samples": {name: _sampled(expected, name) for name in expected.samples}
                == {name: _sampled(found, name) for name in found.samples},
            }
            different += [f"{what} of {task}, {measure}" for what, is_same in same.items() if not is_same]
            table.append(
                {
                    "task": task,
                    "measure": measure.value,
                    "pairs": expected.counts["pairs"],
                    "offers": len(expected.offers),
                    "rows": len(expected.offers.columns) - 3,
                    "same": "yes" if all(same.values()) else "NO",
                }
            )
    if different:
        raise OfferbenchError(f"the cluster's {'; '.join(different)} differ from this machine's.")
    return table


def _bits(result: TaskResult) -> dict[str, bytes]:
    return {str(name): column.to_numpy().tobytes() for name, column in result.offers.items()}


def _sampled(result: TaskResult, segment: str) -> dict[str, bytes]:
    return {name: samples.tobytes() for name, samples in result.samples[segment].items()}


def took(stage: str, engine: str, number: int, cost: Cost, exchanged: int | None = None) -> dict[str, Any]:
    """Give a row of the table of times; `exchanged` are bytes between tasks."""
    return {
        "stage": stage,
        "engine": engine,
        "rows or scores": number,
        "seconds": round(cost.seconds, 1),
        "CPU seconds": round(cost.cpu, 1),
        "a second": round(number / cost.seconds),
        "a CPU second": round(number / cost.cpu),
        "MB exchanged": None if exchanged is None else round(exchanged / 1e6, 1),
    }


def main(
    rows: Annotated[int, typer.Option(help="Rows of the synthetic log.")] = 300_000,
    months: Annotated[int, typer.Option(help="Its files, one task each.")] = 3,
) -> None:
    """Compare both engines on `prepare` and `evaluate`, and print what they took."""
    with temporary_directory(Path("data"), "cluster-demo") as directory:
        work = directory.absolute()
        raw = work / "raw"
        generate(raw, rows, months, SEED)
        parameters = set_up(rows, work)
        here = measured(parameters, raw, work / "here")
        (work / "evaluation").mkdir()
        runtime.configure(parameters.evaluate.threads)
        evaluation = write_evaluation(parameters, work / "here", work / "evaluation")
        results, cost = evaluated(evaluation, parameters)
        with standalone_cluster(work / "cluster") as cluster:
            of_cluster = on_cluster(parameters, rows, cluster.url, work)
            there = measured(of_cluster, raw, work / "there")
            by_prepare = bytes_exchanged(work)
            results_there, cost_there = evaluated(
                dataclasses.replace(evaluation, prepared=work / "there"), of_cluster
            )
        print(tabulate(compare(here, there), "keys", tablefmt="pipe", intfmt=","))
        print(tabulate(compare_results(results, results_there), "keys", tablefmt="pipe", intfmt=","))
        read = here.counts["rows"]
        scores = sum(
            of_task[Measure.PUBLISHED].counts["pairs"] * (len(of_task[Measure.PUBLISHED].offers.columns) - 3)
            for of_task in results.values()
        )
        runs = [
            took("prepare", ONE, read, here.cost),
            took("prepare", OTHER, read, there.cost, by_prepare),
            took("evaluate", ONE, scores, cost),
            took("evaluate", OTHER, scores, cost_there, bytes_exchanged(work) - by_prepare),
        ]
        print(tabulate(runs, "keys", tablefmt="pipe", intfmt=","))


if __name__ == "__main__":
    command.run(main)

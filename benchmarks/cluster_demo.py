"""Both engines on one synthetic log: `python -m benchmarks.cluster_demo --rows 300000`.

Starts a standalone Spark cluster of two workers on loopback, prepares the log on it and on this machine,
compares every file and every count, and prints rows a second of both. Fails if a byte differs.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from tabulate import tabulate

from benchmarks.standalone_cluster import CONF, cpu_seconds, standalone_cluster
from offerbench.core import command
from offerbench.core.atomic import temporary_directory
from offerbench.core.errors import OfferbenchError
from offerbench.datasets.synthetic.generate import generate
from offerbench.engines.preparation import prepare_dataset
from offerbench.parameters import Parameters, load_parameters
from offerbench.preparation.resources import Spark

SEED = 7
PRESET = Path("presets/synthetic.yaml")
SHARDS = 10
ROWS_A_BUYER = 170
"""Of the synthetic logs, roughly."""


@dataclass(frozen=True)
class Run:
    """What an engine did."""

    directory: Path
    counts: dict[str, Any]
    seconds: float
    cpu: float


def measured(parameters: Parameters, raw: Path, directory: Path) -> Run:
    """Prepare the log on the engine of the parameters."""
    directory.mkdir()
    start, cpu = time.perf_counter(), cpu_seconds(os.getpid())
    counts = prepare_dataset("synthetic", raw, directory, parameters.prepare, parameters.resources)
    return Run(directory, counts, time.perf_counter() - start, cpu_seconds(os.getpid()) - cpu)


def set_up(rows: int, work: Path) -> Parameters:
    """Give the synthetic preset with a split that fits a small log."""
    parameters = load_parameters(PRESET)
    users = max(min(parameters.prepare.split.test_users, rows // 1000), 1)
    split = parameters.prepare.split.model_copy(update={"test_users": users, "validation_users": users})
    prepare = parameters.prepare.model_copy(update={"split": split})
    resources = parameters.resources.model_copy(update={"spill_directory": str(work / "spill")})
    return parameters.model_copy(update={"prepare": prepare, "resources": resources})


def on_cluster(parameters: Parameters, rows: int, master: str, work: Path) -> Parameters:
    """Give the parameters with a cluster in them."""
    spark = Spark(
        master=master,
        work_directory=str(work / "work"),
        users_per_shard=max(rows // ROWS_A_BUYER // SHARDS, 1),
        conf=CONF,
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


def took(engine: str, run: Run) -> dict[str, Any]:
    """Give a row of the table of times."""
    rows = run.counts["rows"]
    return {
        "engine": engine,
        "rows": rows,
        "seconds": round(run.seconds, 1),
        "CPU seconds": round(run.cpu, 1),
        "rows a second": round(rows / run.seconds),
        "rows a CPU second": round(rows / run.cpu),
    }


def main(
    rows: Annotated[int, typer.Option(help="Rows of the synthetic log.")] = 300_000,
    months: Annotated[int, typer.Option(help="Its files, one task each.")] = 3,
) -> None:
    """Compare both engines and print what they took."""
    with temporary_directory(Path("data"), "cluster-demo") as directory:
        work = directory.absolute()
        raw = work / "raw"
        generate(raw, rows, months, SEED)
        parameters = set_up(rows, work)
        here = measured(parameters, raw, work / "here")
        with standalone_cluster(work / "cluster") as cluster:
            there = measured(on_cluster(parameters, rows, cluster.url, work), raw, work / "there")
        print(tabulate(compare(here, there), "keys", tablefmt="pipe", intfmt=","))
        runs = [took("DuckDB, one machine", here), took("Spark, two workers of one core", there)]
        print(tabulate(runs, "keys", tablefmt="pipe", intfmt=","))


if __name__ == "__main__":
    command.run(main)

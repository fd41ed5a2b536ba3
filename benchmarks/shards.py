"""What a task of a cluster takes by the size of its shard: `python -m benchmarks.shards`.

The tasks themselves, run without Spark, each size in a process of its own, so that its peak memory is its
own: histories of a shard of users, and the sums over a range of scores. What they read is drawn while they
read it, as Spark's workers get it piece by piece. Writes `benchmarks/shards.json`, `.md` and `.png`.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pyarrow as pa
import typer

from benchmarks.measure import write_results
from offerbench.core import command
from offerbench.core.columns import DAY, EVENT_TYPE, USER
from offerbench.engines.exchange import Exchange
from offerbench.engines.score_ranges import NUMBER, SCORE, sum_range, write_weights
from offerbench.engines.scored_shards import IS_POSITIVE, OFFER, USER_NUMBER
from offerbench.engines.shards import SHARD_NUMBER, build_shards
from offerbench.evaluation.pairs import Measure
from offerbench.parameters import Parameters, load_parameters

USERS = (10_000, 30_000, 100_000, 300_000)
SCORES = (250_000, 500_000, 1_000_000, 2_000_000)
EVENTS_A_USER, DAYS, LABELS, OFFERS, TEST_USERS = 10, 200, 5_000, 300, 20_000
USERS_AT_A_TIME = SCORES_AT_A_TIME = 10_000
SEED = 7
TARGET = Path("benchmarks/shards.json")
PRESET = Path("presets/synthetic.yaml")


def encoded_events(users: int, parameters: Parameters) -> Iterator[pa.RecordBatch]:
    """Draw the events of a shard, sorted as Spark gives them: ten a user, uniform over days and labels."""
    generator = np.random.default_rng(SEED)
    for first in range(0, users, USERS_AT_A_TIME):
        user = np.repeat(np.arange(first, min(first + USERS_AT_A_TIME, users)), EVENTS_A_USER)
        day = np.sort(generator.integers(0, DAYS, (len(user) // EVENTS_A_USER, EVENTS_A_USER)), axis=1)
        columns = {SHARD_NUMBER: np.zeros(len(user)), USER: user, DAY: day.reshape(-1)}
        columns[EVENT_TYPE] = generator.integers(0, 2, len(user))
        for name in parameters.prepare.offer_features:
            columns[name] = generator.integers(0, LABELS, len(user))
        yield pa.record_batch({name: values.astype(np.int32) for name, values in columns.items()})


def scored_pairs(scores: int) -> Iterator[pa.RecordBatch]:
    """Draw the scores of a range: of one row, one of five positive."""
    generator = np.random.default_rng(SEED)
    for first in range(0, scores, SCORES_AT_A_TIME):
        some = min(SCORES_AT_A_TIME, scores - first)
        yield pa.record_batch(
            {
                NUMBER: np.zeros(some, np.int32),
                OFFER: generator.integers(0, OFFERS, some, np.int32),
                SCORE: generator.integers(0, 2**40, some),
                IS_POSITIVE: generator.random(some) < 0.2,
                USER_NUMBER: generator.integers(0, TEST_USERS, some, np.int32),
                Measure.CLEAN.value: generator.random(some) < 0.98,
            }
        )


def measure(task: str, size: int, directory: Path) -> dict[str, Any]:
    """Run a task; CPU seconds, and peak memory of this process above what it had before."""
    parameters = load_parameters(PRESET)
    weights = write_weights(directory, TEST_USERS, parameters.evaluate) if task == "sums" else directory
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    if task == "histories":
        events = encoded_events(size, parameters)
        exchange = Exchange(str(directory), parameters.resources.spill_directory)
        done = build_shards(events, exchange, parameters.prepare, parameters.resources.events_per_chunk)
    else:
        done = sum_range(scored_pairs(size), directory, dict.fromkeys(Measure, weights))
    assert len(list(done)) == 1
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "task": task,
        "users or scores": size,
        "CPU seconds": round(seconds, 2),
        "microseconds each": round(seconds / size * 1e6, 2),
        "peak memory, MiB": peak // 1024,  # KiB -> MiB
        "of it by the task, MiB": (peak - before) // 1024,
    }


def draw(results: list[dict[str, Any]], target: Path) -> None:
    """Plot time and memory of each task against the size of its shard."""
    titles = {"histories": "Histories of a shard of users", "sums": "Sums over a range of scores"}
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for left, (task, title) in zip(axes, titles.items(), strict=True):
        mine = [result for result in results if result["task"] == task]
        sizes = [result["users or scores"] / 1e3 for result in mine]
        right = left.twinx()
        left.plot(sizes, [result["CPU seconds"] for result in mine], "o-", color="tab:blue")
        right.plot(sizes, [result["of it by the task, MiB"] for result in mine], "s--", color="tab:orange")
        left.set(xlabel=f"thousand {'users' if task == 'histories' else 'scores'}", title=title)
        left.set_ylabel("CPU seconds", color="tab:blue")
        right.set_ylabel("memory of the task, MiB", color="tab:orange")
        left.set_ylim(bottom=0)
        right.set_ylim(bottom=0)
    figure.savefig(target, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)


def main(
    only: Annotated[str, typer.Option(help="Measure this task and print it as JSON.")] = "",
    size: Annotated[int, typer.Option(help="With --only: users or scores.")] = 0,
) -> None:
    """Measure all sizes and write table and plot."""
    if only:
        with TemporaryDirectory() as directory:
            print(json.dumps(measure(only, size, Path(directory))))
        return
    results = []
    for task, sizes in (("histories", USERS), ("sums", SCORES)):
        for size_of_task in sizes:
            words = ["-m", "benchmarks.shards", "--only", task, "--size", str(size_of_task)]
            done = subprocess.run([sys.executable, *words], stdout=subprocess.PIPE, text=True, check=True)
            results.append(json.loads(done.stdout.splitlines()[-1]))
            print(f"shards: {results[-1]}", flush=True)
    write_results(TARGET, results, draw)


if __name__ == "__main__":
    command.run(main)

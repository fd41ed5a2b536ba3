"""What a training step spends its time on: `python -m benchmarks.step_parts` (after `make repro`).

Each part runs by itself over the same batches, in turn with the others, so nothing runs beside it. In a
training the batches are made in a thread beside the steps. Measured are wall and processor time, with one and
with two threads for TensorFlow. Writes `benchmarks/step_parts.md`.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import tensorflow as tf
from tabulate import tabulate

from benchmarks.augmented_step import make_trainer
from offerbench.core import command
from offerbench.core.atomic import atomic_file
from offerbench.core.paths import PREPARED_DIRECTORY
from offerbench.model import runtime
from offerbench.model.config import TrainParameters
from offerbench.model.layers import Dropout
from offerbench.model.tensors import BatchTensors
from offerbench.model.training import Curve
from offerbench.parameters import Parameters, load_parameters
from offerbench.preparation.prepared import PreparedData, load_prepared

TARGET = Path("benchmarks/step_parts.md")
BATCHES, ROUNDS, THREADS = 10, 5, (1, 2)


def parts_of(
    parameters: Parameters, data: PreparedData, training: TrainParameters
) -> dict[str, Callable[[], object]]:
    """Functions that each do one part of BATCHES steps."""
    trainer, feed = make_trainer(parameters, data, training)
    made = list(islice(feed.training(0), BATCHES))
    outcomes = [trainer.train_step(batch, step) for step, batch in enumerate(made)]

    def loss(batch: BatchTensors, step: tf.Tensor) -> tf.Tensor:
        return trainer.loss(batch, Dropout(training.ranker.dropout, training.seed, step))[0]

    forward = tf.function(loss, [feed.signature, tf.TensorSpec([], tf.int32)], autograph=False)

    def measure() -> None:
        curve = Curve()
        for loss, pairs in outcomes:
            curve.add(loss, pairs)

    return {
        "making the batch": lambda: list(islice(feed.training(0), BATCHES)),
        "forward pass alone": lambda: [forward(batch, step) for step, batch in enumerate(made)],
        "whole step (forward, gradients, optimizer)": lambda: [
            trainer.train_step(batch, step) for step, batch in enumerate(made)
        ],
        "loss and AUC": measure,
    }


def milliseconds(parts: dict[str, Callable[[], object]]) -> dict[str, tuple[float, float]]:
    """Median wall and processor time of each part for one step, all in turn after one warm-up of each."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in parts}
    for _ in range(ROUNDS + 1):
        for name, run in parts.items():
            wall, processor = time.perf_counter(), time.process_time()
            run()
            times[name].append((time.perf_counter() - wall, time.process_time() - processor))
    return {
        name: (median(wall for wall, _ in of[1:]), median(processor for _, processor in of[1:]))
        for name, of in times.items()
    }


def median(seconds: Iterable[float]) -> float:
    """Median of the seconds of BATCHES steps, as milliseconds of one."""
    return statistics.median(seconds) / BATCHES * 1000


def measure_model(model: str, threads: int) -> dict[str, tuple[float, float]]:
    """Measure a model in this process, whose threads can be set once."""
    parameters, data = load_parameters(), load_prepared(PREPARED_DIRECTORY)
    runtime.configure(threads)
    return milliseconds(parts_of(parameters, data, getattr(parameters, f"train_{model}")))


def main() -> None:
    """Measure the parts of the steps of the full and of the augmented model, each in a process of its own."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for model in ("full", "augmented"):
        for threads in THREADS:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                name = f"{model}, {threads} thread{'s' * (threads > 1)}"
                found[name] = pool.apply(measure_model, (model, threads))
    parts = next(iter(found.values()))
    rows = [
        [part, *(f"{wall:.1f} / {cpu:.1f}" for wall, cpu in (of[part] for of in found.values()))]
        for part in parts
    ]
    headers = ["wall / processor, ms of a step", *found]
    with atomic_file(TARGET) as temporary:
        text = tabulate(rows, headers, tablefmt="pipe", colalign=("left", *["right"] * len(found)))
        temporary.write_text(text + "\n", encoding="utf-8")
    print(TARGET.read_text(encoding="utf-8"))


if __name__ == "__main__":
    command.run(main)

"""Choose the defaults of Complete Journey on its validation users; test users are never read.

Trains the full model with each set-up of a grid and writes validation AUC by epoch and the wAUC of
the validation batches' offers to `reports/default_choice.md`: `python -m benchmarks.choose_defaults`.
"""

import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from offerbench.model.stage import two_tower_set_up
from offerbench.model.two_tower import TwoTower
from tabulate import tabulate

from benchmarks.set_ups import PreparedSetUps
from benchmarks.validation import validation_wauc
from offerbench.batching.batches import draw_pass
from offerbench.core.atomic import atomic_file
from offerbench.core.columns import Split
from offerbench.core.rows import FULL_MODEL, HISTORY_AFFINITY
from offerbench.model import runtime
from offerbench.model.training import train_model
from offerbench.parameters import Parameters, load_parameters
from offerbench.preparation.prepared import PreparedData

KEEP = ("oldest", "latest")
MOMENTUM = (0.99, 0.9, 0.8)
TARGET = Path("reports/default_choice.md")


def set_ups(base: Parameters) -> Iterator[tuple[str, float, Parameters]]:
    """Yield each set-up of the grid: all epochs, the best one restored."""
    for keep, momentum in product(KEEP, MOMENTUM):
        train = base.train.model_copy(update={"early_stopping_patience": base.train.epochs})
        model = base.model.model_copy(update={"batch_normalization_momentum": momentum})
        history = base.prepare.history.model_copy(update={"keep": keep})
        prepare = base.prepare.model_copy(update={"history": history})
        yield (
            keep,
            momentum,
            base.model_copy(update={"train": train, "model": model, "prepare": prepare}),
        )


def measure(parameters: Parameters, data: PreparedData) -> list[float | int]:
    """Train the full model; give best epoch, validation AUC by epoch, mean wAUC of model and affinity."""
    rebatch, train = parameters.rebatch, parameters.train
    validation = np.stack(list(draw_pass(data, Split.VALIDATION, rebatch)))
    specification, feed = two_tower_set_up(
        data, validation, list(data.offer_sizes), rebatch, parameters.model
    )
    model = TwoTower(specification, np.random.default_rng(train.seed))
    curves = [epoch.validation_auc for epoch in train_model(model, feed, train, print)]
    wauc = validation_wauc({FULL_MODEL: model}, parameters, data, validation, print)["all"]
    names = (FULL_MODEL, HISTORY_AFFINITY)
    means = [float(np.mean([by_model[name] for by_model in wauc.values()])) for name in names]
    return [int(np.argmax(curves)) + 1, *curves, *means]


def main() -> None:
    """Measure the grid and write the table."""
    base = load_parameters()
    runtime.configure(base.train.threads)
    rows = []
    with TemporaryDirectory() as temporary:
        prepared = PreparedSetUps(Path(temporary), print)
        for keep, momentum, parameters in set_ups(base):
            rows.append([keep, momentum, *measure(parameters, prepared.of(parameters))])
    epochs = [f"epoch {epoch + 1}" for epoch in range(base.train.epochs)]
    headers = ["history kept", "momentum", "best epoch", *epochs, "mean wAUC", "affinity"]
    table = tabulate(rows, headers, tablefmt="pipe", floatfmt=".4f")
    with atomic_file(TARGET) as target:
        target.write_text(
            "# The defaults of Complete Journey, chosen on its validation users\n\n"
            "Full model, validation AUC over the pairs by epoch; mean wAUC over the tasks on the validation\n"
            "batches' offers, at the best epoch. Made by `python -m benchmarks.choose_defaults`.\n\n"
            f"{table}\n",
            encoding="utf-8",
        )
    print(table)


if __name__ == "__main__":
    main()

"""Choose the augmented model of Complete Journey on its validation users; test users are never read.

`python -m benchmarks.search --trials 8` trains a model for each trial (the first ones are given, the
others are Optuna's), measures mean wAUC of the tasks on the validation batches' offers and writes
`reports/search.md` and `reports/search.json`. Trials of `reports/search.json` are not run again.
"""

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import optuna
import typer
from offerbench.model.checkpoint import make_model
from offerbench.model.stage import VALIDATION_FILE, augmented_set_up
from tabulate import tabulate

from benchmarks.set_ups import PreparedSetUps
from benchmarks.validation import validation_wauc
from offerbench.batching.batches import read_batches
from offerbench.core import command
from offerbench.core.atomic import atomic_file
from offerbench.core.rows import AUGMENTED_MODEL, HISTORY_AFFINITY, SEGMENTS
from offerbench.model import runtime
from offerbench.model.progress import best_epoch
from offerbench.model.training import train_model
from offerbench.parameters import Parameters, load_parameters
from offerbench.preparation.prepared import PreparedData

TARGET = Path("reports/search.md")
TRIALS = Path("reports/search.json")


BASE: dict[str, Any] = {
    "number": 3,
    "history_dropout": 0.5,
    "matching": True,
    "hidden_units": 4,
    "l1": 2e-6,
    "weights": "distinct",
    "shared": False,
}
PLAIN = {**BASE, "number": 0, "history_dropout": 0.0, "matching": False, "l1": 2e-7}
GIVEN: list[dict[str, Any]] = [
    BASE,
    {**BASE, "shared": True},
    {**BASE, "weights": "count"},
    {**BASE, "weights": "recency"},
    PLAIN,
    {**PLAIN, "number": 3},
    {**PLAIN, "matching": True},
    {**PLAIN, "number": 3, "matching": True},
]


def draw(trial: optuna.Trial) -> dict[str, Any]:
    """Draw a trial's choice."""
    return {
        "number": trial.suggest_categorical("number", [0, 3]),
        "history_dropout": trial.suggest_categorical("history_dropout", [0.0, 0.3, 0.5]),
        "matching": trial.suggest_categorical("matching", [True, False]),
        "hidden_units": trial.suggest_categorical("hidden_units", [1, 4, 16]),
        "l1": trial.suggest_categorical("l1", [2e-7, 2e-6, 1e-5]),
        "weights": trial.suggest_categorical("weights", ["distinct", "count", "recency"]),
        "shared": trial.suggest_categorical("shared", [False, True]),
    }


def set_up(base: Parameters, choice: dict[str, Any]) -> Parameters:
    """Put a trial's choice into the parameters."""
    content = base.model_dump()
    content["prepare"]["history"]["weights"] = choice["weights"]
    augmented = content["train_augmented"]
    augmented["overrides"]["shared_embeddings"] = choice["shared"]
    augmented["grouping"]["number"] = choice["number"]
    augmented["history_dropout"] = choice["history_dropout"]
    augmented["overrides"]["l1"] = choice["l1"]
    matching = {"windows": [100, None], "hidden_units": choice["hidden_units"]}
    augmented["parts"]["matching"] = matching if choice["matching"] else None
    return Parameters.model_validate(content)


def measure(parameters: Parameters, data: PreparedData) -> dict[str, Any]:
    """Train with a set-up; give wAUC by segment and task, of the model and of affinity, and epochs."""
    batches = read_batches(VALIDATION_FILE, parameters.rebatch.batch_size)
    specification, feed, train = augmented_set_up(
        data,
        batches,
        parameters.rebatch,
        parameters.model,
        parameters.train,
        parameters.train_augmented,
    )
    model = make_model(specification, np.random.default_rng(train.seed))
    curves = train_model(model, feed, train, print)
    models = {AUGMENTED_MODEL: model}
    wauc = validation_wauc(models, parameters, data, batches, lambda _: None)
    best = best_epoch(curves)
    return {
        "best_epoch": best + 1,
        "validation_auc": curves[best].validation_auc,
        "wauc": {
            name: {
                segment: {task: by_model[name] for task, by_model in wauc[segment].items()}
                for segment in SEGMENTS
            }
            for name in (AUGMENTED_MODEL, HISTORY_AFFINITY)
        },
    }


def search_markdown(trials: list[dict[str, Any]]) -> str:
    """Tabulate the trials, the best one first and bold, with history affinity below."""
    ranked = sorted(trials, key=lambda trial: -_mean(trial["wauc"][AUGMENTED_MODEL]["all"]))
    names = list(BASE)
    rows = []
    for place, trial in enumerate(ranked):
        row = [str(trial["choice"][name]) for name in names]
        row += [str(trial["best_epoch"]), *_cells(trial["wauc"][AUGMENTED_MODEL])]
        rows.append([f"**{cell}**" for cell in row] if place == 0 else row)
    affinity = trials[0]["wauc"][HISTORY_AFFINITY]
    rows.append(["history affinity", *[""] * len(names), *_cells(affinity)])
    headers = [*names, "best epoch", *(f"mean, {segment}" for segment in SEGMENTS), *affinity["all"]]
    return (
        "# The augmented model of Complete Journey, chosen on its validation users\n\n"
        f"{len(trials)} set-ups, made by `python -m benchmarks.search`: wAUC on the validation batches' "
        "offers at the\nbest epoch; means over the tasks by segment, and the tasks of all offers. "
        "`number`: groupings of a batch\n(0: none); `matching`: matches in the last 100 events and in the "
        "whole past are an input to the score;\n`hidden_units`: learned functions of them; `weights`: of a "
        "history's values;\n`shared`: a user feature and its offer feature have one embedding table.\n\n"
        + tabulate(rows, headers, tablefmt="pipe", disable_numparse=True)
        + "\n"
    )


def _cells(wauc: dict[str, dict[str, float]]) -> list[str]:
    means = [f"{_mean(wauc[segment]):.4f}" for segment in SEGMENTS]
    return means + [f"{value:.3f}" for value in wauc["all"].values()]


def _mean(values: dict[str, float]) -> float:
    return float(np.mean(list(values.values())))


def main(trials: Annotated[int, typer.Option(help="Set-ups in all.")] = 8) -> None:
    """Search, and write the table after every trial."""
    parameters = load_parameters()
    runtime.configure(parameters.train.threads)
    done: list[dict[str, Any]] = json.loads(TRIALS.read_text()) if TRIALS.exists() else []
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1))
    for choice in GIVEN:
        study.enqueue_trial(choice)

    with TemporaryDirectory() as temporary:
        prepared = PreparedSetUps(Path(temporary), print)

        def objective(trial: optuna.Trial) -> float:
            choice = draw(trial)
            known = next((one for one in done if one["choice"] == choice), None)
            if known is None:
                tried = set_up(parameters, choice)
                known = {"choice": choice, **measure(tried, prepared.of(tried))}
                done.append(known)
                with atomic_file(TRIALS) as target:
                    target.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
                with atomic_file(TARGET) as target:
                    target.write_text(search_markdown(done), encoding="utf-8")
            value = _mean(known["wauc"][AUGMENTED_MODEL]["all"])
            print(f"search: {choice} mean wAUC {value:.4f}", flush=True)
            return value

        study.optimize(objective, n_trials=trials)
    print(search_markdown(done))


if __name__ == "__main__":
    command.run(main)

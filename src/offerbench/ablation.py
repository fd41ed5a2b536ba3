"""Command: train the augmented model with and without three of its parts, as its study's ablation did.

Every combination is an experiment of the last commit in DVC's queue. What has finished is not run again.
"""

import itertools
import statistics
from collections.abc import Mapping
from typing import Annotated, NamedTuple

import typer
from tabulate import tabulate

from offerbench import command
from offerbench.evaluation.results import Wauc
from offerbench.experiment_queue import finished_experiments, run_experiments
from offerbench.experiments import Settings, settings_text
from offerbench.params.evaluate import Evaluate
from offerbench.params.loading import load_parameters
from offerbench.report.tables import SEGMENT_TITLES, best_values, format_wauc, segment_sections
from offerbench.schema import AUGMENTED_MODEL, FULL_MODEL, REPORTS_DIRECTORY, mono_model
from offerbench.storage import whole_file, write_json

REPORT_FILE = REPORTS_DIRECTORY / "ablation.md"
VALUES_FILE = REPORTS_DIRECTORY / "ablation.json"

PARTS = ("group-by augmentation", "mask network", "bi-linear interaction")
MEAN = "mean"
COMMON: Settings = {
    "train_augmented.parts.variance": True,
    "train_augmented.parts.user_meta_features": 5,
    "train_augmented.parts.offer_meta_features": 3,
    "train_augmented.parts.matching": None,  # the score must not see what the parts are to find
    "train_augmented.history_dropout": 0.0,
    "train_augmented.overrides.embedding_dim": 30,  # a row takes minutes, not half an hour
    "train_augmented.overrides.shared_embeddings": None,
    "train_augmented.overrides.l1": None,
}
"""The study's richer model, but for its dimension. Without the mask it still has the compression."""


class Combination(NamedTuple):
    """A row of the ablation: which parts the model has, in the order of `PARTS`."""

    grouping: bool
    mask: bool
    bilinear: bool

    @property
    def name(self) -> str:
        """Name of the experiment."""
        words = (
            "groupby" if self.grouping else "nogroupby",
            "mask" if self.mask else "nomask",
            "bilinear" if self.bilinear else "dot",
        )
        return "-".join(("ablation", *words))

    @property
    def settings(self) -> Settings:
        """What the experiment sets in params.yaml, with what is common to all."""
        return {
            **COMMON,
            "train_augmented.grouping.number": 3 if self.grouping else 0,
            "train_augmented.parts.mask": self.mask,
            "train_augmented.parts.interaction": "bilinear" if self.bilinear else "dot",
        }


COMBINATIONS = tuple(itertools.starmap(Combination, itertools.product((False, True), repeat=3)))
"""All eight, in the order of the study's table (which leaves out the mask without group-by)."""


def ablation_markdown(values: Mapping[str, Wauc], evaluate: Evaluate) -> str:
    """Report in Markdown: for each segment a table, a row for each combination, a column for each task.

    Parameters
    ----------
    values : mapping of str to Wauc
        By name of the experiment, all with the same segments, tasks and models; some may be missing.
    evaluate : Evaluate
        Bounds of the segments and digits of a wAUC.
    """
    common = ", ".join(f"`{text}`" for text in settings_text(COMMON))
    parts = [
        "# Ablation of the augmented model\n",
        "wAUC of the augmented model, trained once for each row, with and without three of its parts: "
        "`train_augmented.grouping.number` 3 or 0, `parts.mask` true or false, `parts.interaction` bilinear "
        f"or dot. Common to these rows: {common}; all else is as in params.yaml.\n",
        "The best of these rows is bold in each column. The full model and the specialist, which do not "
        "change with the parts and have the embedding of params.yaml, stand below them for reference. The "
        "numbers are those of the test users and serve no choice. Made by `make ablation`.\n",
    ]
    if missing := [combination.name for combination in COMBINATIONS if combination.name not in values]:
        parts.append(f"Not run yet, and so without numbers: {', '.join(missing)}.\n")
    tables = {
        segment: segment_markdown(values, segment, evaluate.table_decimals) for segment in SEGMENT_TITLES
    }
    sections = segment_sections(tables, evaluate.popular_min_positives, evaluate.cold_start_min_positives)
    return "\n".join([*parts, *sections])


def segment_markdown(values: Mapping[str, Wauc], segment: str, decimals: int) -> str:
    """Tabulate one segment in Markdown, with the models that the combinations compare with below."""
    by_name = {
        name: {task: models[AUGMENTED_MODEL] for task, models in of_experiment[segment].items()}
        for name, of_experiment in values.items()
    }
    columns = {name: with_mean(by_task) for name, by_task in by_name.items()}
    tasks = list(next(iter(columns.values())))
    best = best_values({task: {name: row[task] for name, row in columns.items()} for task in tasks})
    rows = []
    for combination in COMBINATIONS:
        row = columns.get(combination.name, dict.fromkeys(tasks))
        marks = {task: "**" if row[task] == best[task] is not None else "" for task in tasks}
        texts = [f"{marks[task]}{format_wauc(row[task], decimals)}{marks[task]}" for task in tasks]
        rows.append([*("yes" if part else "no" for part in combination), *texts])
    for title, reference in _references(next(iter(values.values())), segment).items():
        rows.append([title, "", "", *(format_wauc(reference[task], decimals) for task in tasks)])
    return tabulate(rows, [*PARTS, *tasks], tablefmt="pipe", disable_numparse=True)


def _references(wauc: Wauc, segment: str) -> dict[str, dict[str, float | None]]:
    by_task = wauc[segment]
    return {
        "full model": with_mean({task: models[FULL_MODEL] for task, models in by_task.items()}),
        "specialist of the task": with_mean(
            {task: models[mono_model(task)] for task, models in by_task.items()}
        ),
    }


def with_mean(by_task: Mapping[str, float | None]) -> dict[str, float | None]:
    """Add the mean over the tasks that have offers in the segment; None if none has."""
    found = [value for value in by_task.values() if value is not None]
    return {**by_task, MEAN: statistics.fmean(found) if found else None}


def main(
    jobs: Annotated[int, typer.Option(min=1, help="Experiments at a time.")] = 1,
    finished: Annotated[bool, typer.Option(help="Report what has finished, train nothing.")] = False,
) -> None:
    """Train all combinations through DVC's queue; write reports/ablation.md and reports/ablation.json."""
    parameters = load_parameters()
    wanted = {combination.name: combination.settings for combination in COMBINATIONS}
    values = finished_experiments(wanted) if finished else run_experiments(wanted, jobs, "ablation")
    write_json(VALUES_FILE, {"settings": wanted, "wauc": values})
    with whole_file(REPORT_FILE) as temporary:
        temporary.write_text(ablation_markdown(values, parameters.evaluate), encoding="utf-8")
    print(f"ablation: {REPORT_FILE} and {VALUES_FILE} written")


if __name__ == "__main__":
    command.run(main)

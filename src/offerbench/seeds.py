"""Command: train the set-up of params.yaml with several seeds, and report means and deviations.

Every seed is an experiment of the last commit in DVC's queue. What has finished is not run again.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from offerbench import command
from offerbench.evaluation.results import Wauc
from offerbench.experiment_queue import run_experiments
from offerbench.params.evaluate import Evaluate
from offerbench.params.loading import load_parameters
from offerbench.report.tables import segment_sections, wauc_markdown
from offerbench.schema import REPORTS_DIRECTORY
from offerbench.storage import whole_file, write_json

REPORT_FILE = REPORTS_DIRECTORY / "seeds.md"
VALUES_FILE = REPORTS_DIRECTORY / "seeds.json"


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
    parts = [
        f"# wAUC over {len(seeds)} seeds\n",
        f"Mean ± standard deviation of {len(seeds)} trainings of every model, `train.seed` = "
        f"{', '.join(map(str, seeds))}; the users and batches are the same. "
        "The best mean of a column is bold. Made by `make seeds`.\n",
    ]
    tables = {
        segment: wauc_markdown(by_task, evaluate.table_decimals, deviations[segment])
        for segment, by_task in means.items()
    }
    sections = segment_sections(tables, evaluate.popular_min_positives, evaluate.cold_start_min_positives)
    return "\n".join([*parts, *sections])


def main(
    seeds: Annotated[int, typer.Option(min=2, help="How many, from train.seed of params.yaml on.")] = 5,
    jobs: Annotated[int, typer.Option(min=1, help="Experiments at a time.")] = 1,
) -> None:
    """Train with several seeds through DVC's queue; write reports/seeds.md and reports/seeds.json."""
    parameters = load_parameters()
    numbers = [parameters.train.seed + i for i in range(seeds)]
    wanted = {f"seed-{number}": {"train.seed": number} for number in numbers}
    values = list(run_experiments(wanted, jobs, "seeds").values())
    write_json(VALUES_FILE, {"seeds": numbers, "wauc": dict(zip(map(str, numbers), values, strict=True))})
    with whole_file(REPORT_FILE) as temporary:
        temporary.write_text(seeds_markdown(numbers, values, parameters.evaluate), encoding="utf-8")
    print(f"seeds: {REPORT_FILE} and {VALUES_FILE} written")


if __name__ == "__main__":
    command.run(main)

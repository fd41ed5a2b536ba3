"""What each row of the results costs, to fit and to score: `python -m benchmarks.costs` (after `make repro`).

Each stage that fits something runs once more in a process of its own, in a directory beside the checkout,
so that nothing of the pipeline changes. Then each row scores the test users' pairs of every task, from
nothing: no row uses what another has counted. Writes `benchmarks/costs.json` and `.md`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import typer
from tabulate import tabulate

from offerbench.batching.batches import batches_file, read_batches
from offerbench.core import command
from offerbench.core.atomic import atomic_file
from offerbench.core.columns import Split
from offerbench.core.json_files import write_json
from offerbench.core.paths import (
    BATCHES_DIRECTORY,
    GROUP_TEST_DIRECTORY,
    MODELS_DIRECTORY,
    PREPARED_DIRECTORY,
)
from offerbench.core.rows import (
    AUGMENTED_MODEL,
    BOOSTED_MODEL,
    FULL_MODEL,
    LEAST_SQUARES,
    LIGHTGBM,
    LIGHTGBM_BY_TASK,
    table_rows,
)
from offerbench.evaluation.negatives import group_neighbours
from offerbench.features.offers import read_offers
from offerbench.model import runtime
from offerbench.parameters import load_parameters
from offerbench.preparation.prepared import load_prepared
from offerbench.scorers.contexts import Contexts
from offerbench.scorers.pairs import TaskPairs
from offerbench.scorers.registry import load_scorers

TARGET = Path("benchmarks/costs.json")
STAGES = {
    FULL_MODEL: ("train_full", ["stages/train.py", "train_full"]),
    AUGMENTED_MODEL: ("train_augmented", ["stages/train.py", "train_augmented"]),
    BOOSTED_MODEL: ("train_boosted", ["stages/train_boosted.py"]),
    LIGHTGBM_BY_TASK: (f"train_peer@{LIGHTGBM}", ["stages/train_peer.py"]),
    LIGHTGBM: (f"train_peer@{LIGHTGBM}", ["stages/train_peer.py"]),
    LEAST_SQUARES: (f"train_peer@{LEAST_SQUARES}", ["stages/train_peer.py"]),
}
"""Stage of each row that is fitted for all tasks together, and its script. Both of LightGBM are of one."""


@cache
def fit_seconds(stage: str, *script: str) -> float:
    """Run a stage's script beside the checkout; wall seconds, with the start of its process."""
    checkout = Path.cwd()
    with TemporaryDirectory() as temporary:
        Path(temporary, "data").mkdir()
        for name in ("stages", "params.yaml", "campaigns.yaml", PREPARED_DIRECTORY, BATCHES_DIRECTORY):
            Path(temporary, name).symlink_to(checkout / name)
        models = Path(temporary, MODELS_DIRECTORY)
        models.mkdir()
        if stage == "train_boosted":  # the only one that needs another's model
            (models / AUGMENTED_MODEL).symlink_to(checkout / MODELS_DIRECTORY / AUGMENTED_MODEL)
        environment = {**os.environ, "DVC_STAGE": stage, "PYTHONPATH": str(checkout / "src")}
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, *script], cwd=temporary, env=environment, check=True, capture_output=True
        )
        return time.perf_counter() - start


def score_seconds() -> Iterator[tuple[str, str, float, int]]:
    """Score all pairs of the test users by every row; its name and title, wall seconds, pairs."""
    parameters = load_parameters()
    runtime.configure(parameters.evaluate.threads)
    rows = table_rows(list(parameters.tasks))
    evaluate = parameters.evaluate
    scorers = load_scorers(
        rows, MODELS_DIRECTORY, evaluate.yardsticks, parameters.train_boosted.features, parameters.train_peer
    )
    data = load_prepared(PREPARED_DIRECTORY)
    batches = read_batches(batches_file(Split.TEST), parameters.rebatch.batch_size)
    events = group_neighbours(data, Split.TEST, batches, evaluate.number_of_negatives + 1).offers
    tables = {task: read_offers(GROUP_TEST_DIRECTORY / f"{task}.parquet") for task in parameters.tasks}
    for row in rows:
        start, pairs = time.perf_counter(), 0
        contexts = Contexts.of_events(data, Split.TEST, events)
        for task, table in tables.items():
            offers = table.keys.searchsorted(data.events[task][events]).astype("int32")
            pairs += scorers[row.name].score(TaskPairs(task, table, contexts, offers)).size
        yield row.name, row.title, time.perf_counter() - start, pairs


def main(here: Annotated[bool, typer.Option(help="Score only, and print seconds as JSON.")] = False) -> None:
    """Measure what each row costs, and write the results."""
    if here:
        print(json.dumps(list(score_seconds())))
        return
    fitted = {name: fit_seconds(stage, *script) for name, (stage, script) in STAGES.items()}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.costs", "--here"], stdout=subprocess.PIPE, text=True, check=True
    )
    results: list[dict[str, Any]] = [
        {
            "row": title,
            "fit_seconds": round(fitted[name], 1) if name in fitted else None,
            "score_seconds": round(seconds, 2),
            "microseconds_per_pair": round(seconds / pairs * 1e6, 2),
        }
        for name, title, seconds, pairs in json.loads(done.stdout.splitlines()[-1])
    ]
    write_json(TARGET, {"pairs": "all tasks of the test users", "results": results})
    headers = {"row": "row", "fit_seconds": "fit, s", "score_seconds": "score, s"}
    headers["microseconds_per_pair"] = "score, µs a pair"
    with atomic_file(TARGET.with_suffix(".md")) as temporary:
        text = tabulate(results, headers=headers, tablefmt="pipe", missingval="")
        temporary.write_text(text + "\n", encoding="utf-8")
    print(TARGET.with_suffix(".md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    command.run(main)

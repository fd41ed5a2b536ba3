"""Wall and processor seconds of every stage, and of all: `python -m benchmarks.stages [--jobs 2]`.

Every stage runs anew by `dvc repro --force --single-item`, as `offerbench repro` runs it, so that DVC's own
time is in it. Nothing may change: the results of a forced run are those of `dvc.lock`. Writes
`benchmarks/stages.json` and `.md`, with the runs under other labels that are there already.
"""

import os
import subprocess
import time
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from offerbench.commands.repro import run_stages, stage_command, stages_of_pipeline
from offerbench.core import command
from offerbench.core.atomic import atomic_file
from offerbench.core.json_files import read_json, write_json

RESULTS, TABLE = Path("benchmarks/stages.json"), Path("benchmarks/stages.md")
ALL = "all"


def timed_run(jobs: int) -> list[dict[str, Any]]:
    """Run all stages; wall and processor seconds of each with all that it started, then those of the run."""
    rows: list[dict[str, Any]] = []

    def run(name: str) -> bool:
        start = time.perf_counter()
        process = subprocess.Popen(
            stage_command(name, force=True), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        rows.append(_row(name, time.perf_counter() - start, usage.ru_utime + usage.ru_stime))
        print("stages: {stage} {wall} s, processor {processor} s".format(**rows[-1]), flush=True)
        return process.returncode == 0

    start = time.perf_counter()
    run_stages(stages_of_pipeline(), jobs, run)
    return [*rows, _row(ALL, time.perf_counter() - start, sum(row["processor"] for row in rows))]


def _row(stage: str, wall: float, processor: float) -> dict[str, Any]:
    return {"stage": stage, "wall": round(wall, 1), "processor": round(processor, 1)}


def table_of(runs: dict[str, list[dict[str, Any]]]) -> pd.DataFrame:
    """Put runs side by side: a row for each stage, in the order of the last run, and that of all."""
    tables = {label: pd.DataFrame(rows).set_index("stage") for label, rows in runs.items()}
    for label, table in tables.items():
        table.columns = pd.Index([f"{label}: {column}, s" for column in table.columns])
    joined = pd.concat([tables[label] for label in runs], axis=1)
    last = [row["stage"] for row in list(runs.values())[-1] if row["stage"] != ALL]
    former = [stage for stage in joined.index if stage not in last and stage != ALL]
    table = joined.loc[[*last, *former, ALL]].reset_index(names="stage")
    return table.astype(object).where(table.notna(), None)  # an empty cell, not "nan"


def main(
    jobs: Annotated[int, typer.Option(min=1, help="Stages at a time.")] = 1,
    label: Annotated[str, typer.Option(help="Name of the run; by default the number of jobs.")] = "",
) -> None:
    """Time a run of all stages."""
    label = label or (f"{jobs} at a time" if jobs > 1 else "in turn")
    runs = read_json(RESULTS)["runs"] if RESULTS.exists() else {}
    runs = {**{name: rows for name, rows in runs.items() if name != label}, label: timed_run(jobs)}
    write_json(RESULTS, {"runs": runs})
    with atomic_file(TABLE) as file:
        table = table_of(runs)
        file.write_text(table.to_markdown(index=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    command.run(main)

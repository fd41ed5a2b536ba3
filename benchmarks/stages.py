"""Wall and processor seconds of every stage, and of all: `python -m benchmarks.stages [--jobs 2]`.

Every stage runs anew, one after the other, each by `dvc repro --force --single-item`, so that DVC's own time
is in it; with more jobs all of them side by side, by `offerbench repro --force`. Nothing may change: the
results of a forced run are those of `dvc.lock`. Writes `benchmarks/stages.json` and `.md`; a run with jobs
keeps the stages of the last run without.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from offerbench.commands.repro import chain_lengths, stages_of_pipeline
from offerbench.core import command
from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import read_json, write_json

RESULTS, TABLE = Path("benchmarks/stages.json"), Path("benchmarks/stages.md")
ALL = "all, {jobs} at a time"


def seconds_of(name: str, words: list[str]) -> dict[str, Any]:
    """Run a command; its wall seconds, and processor seconds of it and of all that it started.

    Raises
    ------
    OfferbenchError
        If it fails; with the end of what it said.
    """
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise OfferbenchError(f"{name} failed: {(done.stdout + done.stderr)[-2000:]}")
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"stages: {name} {wall:.1f} s, processor {processor:.1f} s", flush=True)
    return {"stage": name, "wall_seconds": round(wall, 1), "processor_seconds": round(processor, 1)}


def in_turn() -> list[dict[str, Any]]:
    """Time each stage by itself, in an order in which DVC could run them; then their sum."""
    lengths = chain_lengths(stages_of_pipeline())
    dvc = [sys.executable, "-m", "dvc", "repro", "--force", "--single-item"]
    rows = [seconds_of(name, [*dvc, name]) for name in sorted(lengths, key=lambda name: -lengths[name])]
    sums = {
        column: round(sum(row[column] for row in rows), 1) for column in ("wall_seconds", "processor_seconds")
    }
    return [*rows, {"stage": ALL.format(jobs=1), **sums}]


def side_by_side(jobs: int) -> dict[str, Any]:
    """Time a whole run with jobs."""
    words = [sys.executable, "-m", "offerbench", "repro", "--force", "--jobs", str(jobs)]
    return seconds_of(ALL.format(jobs=jobs), words)


def main(jobs: Annotated[int, typer.Option(min=1, help="Stages at a time.")] = 1) -> None:
    """Time the stages, or a run of all of them."""
    if jobs == 1:
        rows = in_turn()
    else:
        row = side_by_side(jobs)
        known = read_json(RESULTS)["stages"] if RESULTS.exists() else []
        rows = [each for each in known if each["stage"] != row["stage"]] + [row]
    write_json(RESULTS, {"stages": rows})
    with atomic_file(TABLE) as file:
        headers = {"stage": "stage", "wall_seconds": "wall, s", "processor_seconds": "processor, s"}
        table = pd.DataFrame(rows).rename(columns=headers)
        file.write_text(table.to_markdown(index=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    command.run(lambda: typer.run(main))

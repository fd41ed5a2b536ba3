"""prepare and rebatch on 1 to 100 million synthetic rows: `python -m benchmarks.scaling`.

For each size, synthetic REES46 files are written, and both steps run in a process of their own, so
that its peak memory is theirs. Writes `benchmarks/scaling.json`, `.md` and `.png`.
"""

import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import typer

from benchmarks.measure import write_results
from offerbench.batching.batches import draw_pass, write_batches
from offerbench.core import command
from offerbench.core.columns import Split
from offerbench.datasets.synthetic.generate import generate
from offerbench.parameters import load_parameters
from offerbench.preparation.prepare import prepare_dataset
from offerbench.preparation.prepared import load_prepared

MILLIONS = (1, 3, 10, 30, 100)
MONTHS, SEED = 7, 7
TARGET = Path("benchmarks/scaling.json")
PRESET = Path("presets/synthetic.yaml")


def measure(raw: Path, directory: Path) -> dict[str, Any]:
    """Prepare and rebatch the files of a directory; seconds, rows and peak memory of this process."""
    parameters = load_parameters(PRESET)
    start = time.perf_counter()
    counts = prepare_dataset("synthetic", raw, directory, parameters.prepare, parameters.resources)
    prepared = time.perf_counter()
    data = load_prepared(directory)
    for split in Split:
        write_batches(directory / f"{split.part}.arrow", draw_pass(data, split, parameters.rebatch))
    stopped = time.perf_counter()
    return {
        "rows": counts["rows"],
        "events_kept": counts["events_kept"],
        "prepare_seconds": round(prepared - start, 2),
        "rebatch_seconds": round(stopped - prepared, 2),
        "rows_per_second": round(counts["rows"] / (stopped - start)),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,  # KiB -> MiB
    }


def draw(results: list[dict[str, Any]], target: Path) -> None:
    """Plot time and memory against rows."""
    rows = [result["rows"] / 1e6 for result in results]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    left.plot(rows, [result["prepare_seconds"] + result["rebatch_seconds"] for result in results], "o-")
    left.plot(rows, rows, "--", color="grey", label="1 million rows a second")
    left.set(xlabel="million rows", ylabel="seconds", title="Time of prepare and rebatch")
    left.legend()
    right.plot(rows, [result["peak_memory_mib"] / 1024 for result in results], "o-")
    right.axhline(8, linestyle="--", color="grey", label="limit of 8 GiB")
    right.set(xlabel="million rows", ylabel="GiB", title="Peak memory", ylim=(0, 8.5))
    right.legend()
    figure.savefig(target, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)


def main(
    largest: Annotated[int, typer.Option(help="Stop after so many million rows.")] = MILLIONS[-1],
    only: Annotated[str, typer.Option(help="Measure this directory and print it as JSON.")] = "",
) -> None:
    """Measure all sizes and write table and plot."""
    if only:
        with TemporaryDirectory() as directory:
            print(json.dumps(measure(Path(only), Path(directory))))
        return
    results = []
    for millions in (size for size in MILLIONS if size <= largest):
        with TemporaryDirectory() as raw:
            generate(Path(raw), millions * 1_000_000, MONTHS, SEED)
            words = [sys.executable, "-m", "benchmarks.scaling", "--only", raw]
            done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
            shutil.rmtree(raw)
            Path(raw).mkdir()
        results.append(json.loads(done.stdout.splitlines()[-1]))
        print(f"scaling: {results[-1]}", flush=True)
    write_results(TARGET, results, draw)


if __name__ == "__main__":
    command.run(main)

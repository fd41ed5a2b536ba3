"""The ratios of each release, side by side: `python -m benchmarks.history` (after `python -m benchmarks`).

Writes the ratios of `benchmarks/results.json` into `benchmarks/history.jsonl` as those of this version, in
place of what the version had there, and draws `benchmarks/history.png`.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import seaborn

from offerbench import __version__
from offerbench.core import command
from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import read_json

RESULTS = Path("benchmarks/results.json")
HISTORY, PICTURE = Path("benchmarks/history.jsonl"), Path("benchmarks/history.png")
Release = dict[str, Any]


def read_history(source: Path) -> list[Release]:
    """Read one release a line: version, date, ratios by name.

    Raises
    ------
    OfferbenchError
        If a line is no release; names it.
    """
    releases = []
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found = json.loads(line)
            release = {
                "version": str(found["version"]),
                "date": date.fromisoformat(found["date"]).isoformat(),
                "ratios": {str(name): float(ratio) for name, ratio in found["ratios"].items()},
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise OfferbenchError(
                f"{source}, line {number}: no release ({error!r}). Mend the line."
            ) from None
        releases.append(release)
    return releases


def with_release(history: list[Release], release: Release) -> list[Release]:
    """Put a release behind the others, in place of one of the same version."""
    return [each for each in history if each["version"] != release["version"]] + [release]


def draw(history: list[Release], target: Path) -> None:
    """Draw a line for each ratio over the releases, on a logarithmic scale."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    table = pd.DataFrame(
        [
            {"version": release["version"], "benchmark": name, "ratio": ratio}
            for release in history
            for name, ratio in release["ratios"].items()
        ]
    )
    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    seaborn.lineplot(table, x="version", y="ratio", hue="benchmark", style="benchmark", markers=True, ax=axes)
    axes.set(yscale="log", xlabel="", ylabel="times faster than the plain twin")
    axes.legend(bbox_to_anchor=(1, 1), loc="upper left", frameon=False, fontsize="small")
    seaborn.despine(figure)
    with atomic_file(target) as file:
        figure.savefig(file, format="png", dpi=120, metadata={"Software": None})
    pyplot.close(figure)


def main() -> None:
    """Note the ratios of this version, and draw those of all."""
    ratios = {name: result["ratio"] for name, result in read_json(RESULTS)["results"].items()}
    release = {"version": __version__, "date": date.today().isoformat(), "ratios": ratios}
    history = with_release(read_history(HISTORY) if HISTORY.exists() else [], release)
    with atomic_file(HISTORY) as file:
        file.write_text("".join(json.dumps(each) + "\n" for each in history), encoding="utf-8")
    draw(history, PICTURE)
    print(f"history: {len(history)} releases in {HISTORY} and {PICTURE}")


if __name__ == "__main__":
    command.run(main)

"""Alternate the plain twin and ours, several rounds, and take medians; write what was measured."""

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from offerbench.core.atomic import atomic_file
from offerbench.core.json_files import write_json


@dataclass(frozen=True)
class Comparison:
    """One figure of the benchmarks."""

    figure: str
    """What was timed."""
    plain_seconds: float
    """Median time of the plain twin."""
    ours_seconds: float
    """Median time of offerbench."""
    rounds: int
    """Times each was run, in turn."""
    rows: int
    """Rows, pairs or events of one run."""
    wanted_ratio: float
    """The ratio that the project promises."""
    agreement: str
    """How the two results were compared."""
    ours_peak_mib: int | None = None
    """Peak memory of ours, mapped files included, if it was measured before the plain twin ran."""

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.plain_seconds / self.ours_seconds


def peak_memory() -> int:
    """Peak memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024  # KiB -> MiB


def alternate(plain: Callable[[], object], ours: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds of both, run in turn after one warm-up of each, so that noise hits both."""
    plain()
    ours()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for function, seconds in zip((plain, ours), times, strict=True):
            start = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


def write_results(target: Path, results: Sequence[dict[str, Any]], draw: Callable[[Any, Path], None]) -> None:
    """Write results as JSON, and as a table (.md) and a picture (.png) beside it."""
    write_json(target, {"results": results})
    with atomic_file(target.with_suffix(".md")) as temporary:
        temporary.write_text(tabulate(results, "keys", tablefmt="pipe", intfmt=",") + "\n", encoding="utf-8")
    with atomic_file(target.with_suffix(".png")) as temporary:
        draw(results, temporary)

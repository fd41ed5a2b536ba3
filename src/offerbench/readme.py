"""Command: put the committed results into README.md, between its markers.

A marker pair `<!-- results: NAME -->` ... `<!-- end -->` holds what this module makes of the
metrics, so that no figure in the README is typed by hand. `--check` only compares.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from offerbench import command
from offerbench.ablation import VALUES_FILE as ABLATION_FILE
from offerbench.ablation import segment_markdown
from offerbench.errors import OfferbenchError
from offerbench.report.tables import gap_markdown, wauc_markdown
from offerbench.schema import METRICS_DIRECTORY, REPORTS_DIRECTORY
from offerbench.seeds import VALUES_FILE as SEEDS_FILE
from offerbench.seeds import seed_statistics
from offerbench.storage import read_json, whole_file

README = Path("README.md")
MARKED = re.compile(r"(<!-- results: (?P<name>[a-z_]+) -->\n).*?(<!-- end -->)", re.DOTALL)
DECIMALS = 3


def _table(directory: Path, segment: str) -> str:
    intervals = read_json(directory / "intervals.json")[segment]
    return wauc_markdown(read_json(directory / "wauc.json")[segment], DECIMALS, intervals)


def _counts() -> str:
    prepared = read_json(METRICS_DIRECTORY / "prepare.json")
    batches = read_json(METRICS_DIRECTORY / "rebatch.json")
    users = prepared["users"]
    return (
        f"{prepared['events_kept']:,} purchases of {sum(users.values()):,} households "
        f"({users['train']:,} train, {users['validation']:,} validation, {users['test']:,} test); "
        f"{batches['test']['events_in_batches']:,} test events in {batches['test']['batches']} batches."
    )


def _gaps() -> str:
    """Mean gaps of the single models, and their gap in each task."""
    gaps = read_json(METRICS_DIRECTORY / "gaps.json")["all"]
    return gap_markdown(gaps, DECIMALS, read_json(METRICS_DIRECTORY / "summary.json")["all"])


def _seeds() -> str:
    """Mean and standard deviation over the seeds, all offers."""
    of_seeds = read_json(SEEDS_FILE)["wauc"]
    means, deviations = seed_statistics(list(of_seeds.values()))
    return wauc_markdown(means["all"], DECIMALS, deviations["all"])


PUBLISHED = REPORTS_DIRECTORY / "presets" / "complete_journey_published"
RESULTS: dict[str, Callable[[], str]] = {
    "wauc_all": lambda: _table(METRICS_DIRECTORY, "all"),
    "wauc_cold_start": lambda: _table(METRICS_DIRECTORY, "cold_start"),
    "published_all": lambda: wauc_markdown(read_json(PUBLISHED / "wauc.json")["all"], DECIMALS),
    "counts": _counts,
    "seeds_all": _seeds,
    "ablation_all": lambda: segment_markdown(read_json(ABLATION_FILE)["wauc"], "all", DECIMALS),
    "gaps_all": _gaps,
    "benchmarks": lambda: Path("benchmarks/results.md").read_text(encoding="utf-8").rstrip(),
    "scaling": lambda: Path("benchmarks/scaling.md").read_text(encoding="utf-8").rstrip(),
}


def fill(text: str) -> str:
    """Replace what stands between markers by the results of that name.

    Raises
    ------
    OfferbenchError
        If a marker names no result.
    """

    def replace(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in RESULTS:
            raise OfferbenchError(f"{README}: no result is called '{name}'. There are {', '.join(RESULTS)}.")
        return f"{match[1]}{RESULTS[name]()}\n{match[3]}"

    return MARKED.sub(replace, text)


def main(check: Annotated[bool, typer.Option(help="Compare only, change nothing.")] = False) -> None:
    """Bring README.md up to date with the committed results."""
    text = README.read_text(encoding="utf-8")
    filled = fill(text)
    if check and filled != text:
        raise OfferbenchError(f"{README}: not what the metrics say. Run `make readme`.")
    if filled != text:
        with whole_file(README) as temporary:
            temporary.write_text(filled, encoding="utf-8")
    print(f"readme: {README} is up to date")


if __name__ == "__main__":
    command.run(main)

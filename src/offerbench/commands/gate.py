"""`offerbench gate`: fail when a wAUC fell below that of another git revision."""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated

import typer

from offerbench.core.errors import OfferbenchError
from offerbench.evaluation.pairs import Measure
from offerbench.gate.campaigns import SEGMENT, campaigns_not_paired
from offerbench.gate.compare import Verdict, compare, not_paired
from offerbench.gate.config import Tolerance
from offerbench.gate.lock import value_at
from offerbench.gate.results import Results, load_results
from offerbench.gate.table import comparison_table, summary
from offerbench.gate.version import at_revision, working_tree


def _tolerances(given: float | None, before: Results) -> Mapping[str, float | None]:
    """By segment: the one given on the command line, else those of the baseline's params.yaml.

    Not those of the working tree: a change would set the measure that it is judged by.
    """
    if given is None:
        tolerances: dict[str, float | None] = before.tolerance().model_dump()
        return tolerances
    if not (math.isfinite(given) and given >= 0):
        raise OfferbenchError(f"--tolerance: must be a number of at least 0, got {given}.")
    return dict.fromkeys(Tolerance.model_fields, given)


def _notes(before: Results, now: Results, tolerances: Mapping[str, float | None]) -> Iterator[str]:
    """Say what whoever reads the verdict must know."""
    old, new = (str(value_at(version.parameters, "gate.tolerance")) for version in (before, now))
    if old != new:
        yield f"gate: gate.tolerance is changed, from {old} to {new}: that of {before.name} counts."
    if None in tolerances.values() and (reason := not_paired(before, now)):
        yield f"gate: not compared user by user, but with the baseline's own intervals: {reason}."
    campaigns = [(version.name, version.campaigns) for version in (before, now)]
    if tolerances[SEGMENT] is None and (reason := campaigns_not_paired(*campaigns)):
        yield f"gate: campaigns are compared with the baseline's own intervals: {reason}."


def gate(
    baseline: Annotated[str, typer.Option(help="Git revision to compare with.")] = "main",
    tolerance: Annotated[
        float | None, typer.Option(help="How far a wAUC may fall; without it, the baseline's gate.tolerance.")
    ] = None,
    markdown: Annotated[bool, typer.Option(help="Print a table for a pull request.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Print every wAUC, not only what fell.")] = False,
) -> None:
    """Compare metrics/ and the backtest with a revision; exit 1: a wAUC fell, 2: they can't be compared."""
    before, now = load_results(at_revision(baseline)), load_results(working_tree(), needed=tuple(Measure))
    tolerances = _tolerances(tolerance, before)
    comparisons = compare(before, now, tolerances)
    fallen = [row for row in comparisons if row.verdict is Verdict.FELL]
    if shown := comparisons if every else fallen:
        print(comparison_table(shown, markdown), end="\n\n")
    for note in _notes(before, now, tolerances):
        print(note, end="\n\n" if markdown else "\n")
    print(summary(comparisons, before.name))
    if fallen:
        raise SystemExit(1)

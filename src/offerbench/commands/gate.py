"""`offerbench gate`: fail when a wAUC fell below that of another git revision."""

import math
from collections.abc import Mapping
from typing import Annotated

import typer

from offerbench.core.errors import OfferbenchError
from offerbench.evaluation.pairs import Measure
from offerbench.gate.compare import Verdict, compare
from offerbench.gate.config import Tolerance
from offerbench.gate.results import load_results
from offerbench.gate.table import comparison_table, summary
from offerbench.gate.version import at_revision, working_tree
from offerbench.parameters import load_parameters


def _tolerances(given: float | None) -> Mapping[str, float | None]:
    """By segment: the one given on the command line, else those of params.yaml."""
    if given is None:
        tolerances: dict[str, float | None] = load_parameters().gate.tolerance.model_dump()
        return tolerances
    if not (math.isfinite(given) and given >= 0):
        raise OfferbenchError(f"--tolerance: must be a number of at least 0, got {given}.")
    return dict.fromkeys(Tolerance.model_fields, given)


def gate(
    baseline: Annotated[str, typer.Option(help="Git revision to compare with.")] = "main",
    tolerance: Annotated[
        float | None, typer.Option(help="How far a wAUC may fall; without it, gate.tolerance.")
    ] = None,
    markdown: Annotated[bool, typer.Option(help="Print a table for a pull request.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Print every wAUC, not only what fell.")] = False,
) -> None:
    """Compare metrics/ by both measures with a revision; exit 1: a wAUC fell, 2: they can't be compared."""
    tolerances = _tolerances(tolerance)
    before = load_results(at_revision(baseline))
    comparisons = compare(before, load_results(working_tree(), needed=tuple(Measure)), tolerances)
    fallen = [row for row in comparisons if row.verdict is Verdict.FELL]
    if shown := comparisons if every else fallen:
        print(comparison_table(shown, markdown), end="\n\n")
    print(summary(comparisons, before.name))
    if fallen:
        raise SystemExit(1)

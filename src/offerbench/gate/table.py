"""The comparison as text: a table and one line that sums it up."""

from collections import Counter
from collections.abc import Sequence

from tabulate import tabulate

from offerbench.evaluation.results import DIGITS
from offerbench.gate.compare import Comparison, Verdict

HEADERS = ("measure", "segment", "task", "model", "baseline", "now", "difference", "tolerance", "verdict")


def comparison_table(comparisons: Sequence[Comparison], markdown: bool) -> str:
    """One row for each comparison, in plain text or as a Markdown table."""
    rows = [
        (
            *(row.measure, row.segment, row.task, row.model, _number(row.baseline), _number(row.now)),
            "-" if row.difference is None else f"{row.difference:+.{DIGITS}f}",
            *(_number(row.tolerance), row.verdict),
        )
        for row in comparisons
    ]
    style = "pipe" if markdown else "simple"
    numbers = ("left",) * 4 + ("right",) * 4 + ("left",)
    return tabulate(rows, HEADERS, tablefmt=style, disable_numparse=True, colalign=numbers)


def summary(comparisons: Sequence[Comparison], baseline: str) -> str:
    """How many fell, stayed and rose, in one line."""
    counts = Counter(row.verdict for row in comparisons)
    parts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    return f"gate: {len(comparisons)} wAUC against {baseline}: {parts}."


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.{DIGITS}f}"

"""wAUC tables in Markdown."""

from collections.abc import Mapping

from tabulate import tabulate

from offerbench.evaluation.results import Wauc
from offerbench.schema import FULL_MODEL, HISTORY_AFFINITY

SEGMENT_TITLES = {
    "all": "All offers",
    "popular": "Popular offers",
    "cold_start": "Cold start",
}


def model_title(name: str) -> str:
    """Name of a model as readers know it."""
    titles = {FULL_MODEL: "full model (all features)", HISTORY_AFFINITY: "history affinity (no training)"}
    return titles.get(name, name.replace("mono_", "mono: "))


def format_wauc(value: float | None, decimals: int) -> str:
    """`.762`, or a dash where a segment has no offer."""
    return "-" if value is None else f"{value:.{decimals}f}".removeprefix("0")


def wauc_markdown(segment: Mapping[str, Mapping[str, float | None]], decimals: int) -> str:
    """Table of one segment: a row for each model, a column for each task, the best of a column bold."""
    tasks = list(segment)
    models = list(segment[tasks[0]])
    best = {task: max((v for v in segment[task].values() if v is not None), default=None) for task in tasks}
    rows = []
    for model in models:
        row = [model_title(model)]
        for task in tasks:
            text = format_wauc(segment[task][model], decimals)
            row.append(f"**{text}**" if segment[task][model] == best[task] is not None else text)
        rows.append(row)
    return tabulate(rows, ["model \\ offers", *tasks], tablefmt="pipe", disable_numparse=True)


def report_markdown(wauc: Wauc, popular: int, cold_start: int, decimals: int) -> str:
    """All segments' tables, with what a segment holds."""
    meaning = {
        "all": "every offer of the vocabulary",
        "popular": f"offers with more than {popular} positives",
        "cold_start": f"offers with more than {cold_start} and at most {popular} positives",
    }
    parts = ["# wAUC on the test users\n"]
    for segment, tasks in wauc.items():
        table = wauc_markdown(tasks, decimals)
        parts.append(f"## {SEGMENT_TITLES[segment]}: {meaning[segment]}\n\n{table}\n")
    return "\n".join(parts)

"""wAUC and its gaps as text, and as tables in Markdown."""

from collections.abc import Iterable, Mapping, Sequence

from tabulate import tabulate

from offerbench.evaluation.results import Gap, Gaps, Wauc, is_certain
from offerbench.schema import AUGMENTED_MODEL, FULL_MODEL, HISTORY_AFFINITY, SINGLE_MODELS, mono_model

Values = Mapping[str, Mapping[str, float | None]]
"""A number for each task and model."""
TaskGaps = Mapping[str, Mapping[str, Mapping[str, Gap | None]]]
"""A gap for each task, single model and rival."""

SEGMENT_TITLES = {
    "all": "All offers",
    "popular": "Popular offers",
    "cold_start": "Cold start",
}
MODEL_TITLES = {
    FULL_MODEL: "full model (all features)",
    AUGMENTED_MODEL: "augmented model",
    HISTORY_AFFINITY: "history affinity (no training)",
}
RIVAL_TITLES = {"specialist": "to the specialist", "affinity": "to history affinity"}
AHEAD, BEHIND = "▲", "▼"
INTERVAL_NOTE = "± is half of the 95% interval: a bootstrap over the test users."
MARK_NOTE = (
    f"{AHEAD} ahead, {BEHIND} behind: the 95% interval of the gap excludes 0. "
    "A gap without a mark may be chance."
)


def model_title(name: str) -> str:
    """Name of a model as readers know it."""
    return MODEL_TITLES.get(name, name.replace(mono_model(""), "mono: "))


def short_title(name: str) -> str:
    """Name of a model without what it is made of."""
    return model_title(name).partition(" (")[0]


def single_models(names: Iterable[str]) -> list[str]:
    """Those of the models that serve every task, in the order of the tables."""
    names = set(names)
    return [name for name in SINGLE_MODELS if name in names]


def segment_meanings(popular: int, cold_start: int) -> dict[str, str]:
    """Say which offers a segment holds."""
    return {
        "all": "every offer of the vocabulary",
        "popular": f"offers with more than {popular} positives",
        "cold_start": f"offers with more than {cold_start} and at most {popular} positives",
    }


def format_wauc(value: float | None, decimals: int) -> str:
    """`.762`, or a dash where a segment has no offer."""
    return "-" if value is None else f"{value:.{decimals}f}".removeprefix("0")


def format_half_width(half_width: float | None, decimals: int) -> str:
    """`±.004`, or nothing where no interval is known."""
    return "" if half_width is None else f"±{format_wauc(half_width, decimals)}"


def format_difference(difference: float, decimals: int) -> str:
    """`+.019`, always with its sign."""
    text = f"{difference:+.{decimals}f}"
    return text[0] + text[1:].removeprefix("0")


def format_gap(gap: Gap | None, decimals: int) -> str:
    """`+.019 ±.004`, always with its sign, or a dash where there is none."""
    if gap is None:
        return "-"
    return f"{format_difference(gap['gap'], decimals)} {format_half_width(gap['half_width'], decimals)}"


def gap_mark(gap: Gap | None) -> str:
    """`AHEAD` or `BEHIND` if the interval of a gap excludes 0, else nothing."""
    if gap is None or not is_certain(gap):
        return ""
    return AHEAD if gap["gap"] > 0 else BEHIND


def best_values(values: Values) -> dict[str, float | None]:
    """Highest value of each task."""
    return {
        task: max((value for value in models.values() if value is not None), default=None)
        for task, models in values.items()
    }


def wauc_markdown(values: Values, decimals: int, half_widths: Values | None = None) -> str:
    """Table of one segment: a row for each model, a column for each task, the best of a column bold."""
    best = best_values(values)
    rows = []
    for model in next(iter(values.values())):
        row = [model_title(model)]
        for task in values:
            value = values[task][model]
            text = format_wauc(value, decimals)
            if half_widths is not None:
                text = f"{text} {format_half_width(half_widths[task][model], decimals)}".rstrip()
            row.append(f"**{text}**" if value == best[task] is not None else text)
        rows.append(row)
    return _markdown("model \\ offers", list(values), rows)


def gap_markdown(
    gaps: TaskGaps, decimals: int, means: Mapping[str, Mapping[str, float]] | None = None
) -> str:
    """Gaps of one segment: a row for each single model and rival, a column for each task.

    `means` of the tasks, by model and `gap_to_<rival>`, stand in a column before them.
    """
    rows = []
    for model in next(iter(gaps.values())):
        for rival, title in RIVAL_TITLES.items():
            found = [by_model[model][rival] for by_model in gaps.values()]
            texts = [f"{format_gap(gap, decimals)} {gap_mark(gap)}".rstrip() for gap in found]
            if means is not None:
                texts.insert(0, format_difference(means[model][f"gap_to_{rival}"], decimals))
            rows.append([f"{short_title(model)} {title}", *texts])
    return _markdown("gap \\ offers", [*(["mean"] if means is not None else []), *gaps], rows)


def report_markdown(
    wauc: Wauc,
    popular: int,
    cold_start: int,
    decimals: int,
    intervals: Wauc | None = None,
    gaps: Gaps | None = None,
) -> str:
    """All segments' tables, with what a segment holds."""
    parts = ["# wAUC on the test users\n"]
    notes = [INTERVAL_NOTE] if intervals else []
    notes += [MARK_NOTE] if gaps else []
    if notes:
        parts.append(" ".join(notes) + "\n")
    tables = {}
    for segment, values in wauc.items():
        tables[segment] = wauc_markdown(values, decimals, intervals[segment] if intervals else None)
        if gaps:
            tables[segment] += f"\n\n{gap_markdown(gaps[segment], decimals)}"
    return "\n".join([*parts, *segment_sections(tables, popular, cold_start)])


def segment_sections(tables: Mapping[str, str], popular: int, cold_start: int) -> list[str]:
    """Put the tables of each segment under a heading that says what it holds."""
    meaning = segment_meanings(popular, cold_start)
    return [
        f"## {SEGMENT_TITLES[segment]}: {meaning[segment]}\n\n{table}\n" for segment, table in tables.items()
    ]


def _markdown(corner: str, tasks: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return tabulate(rows, [corner, *tasks], tablefmt="pipe", disable_numparse=True)

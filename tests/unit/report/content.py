"""A small page: two tasks, a generalist that may be joined by another, names that want escaping."""

from typing import Any

import numpy as np
import pandas as pd

from offerbench.core.findings import Finding
from offerbench.core.rows import AUGMENTED_MODEL, BOOSTED_MODEL, Role, Row, table_rows
from offerbench.evaluation.pairs import Measure
from offerbench.parameters import Parameters
from offerbench.report.measures import MeasureResults
from offerbench.report.page import PageContent

from ..parameters import COMPLETE

TASKS = ("brand", "category2")
SEGMENTS = ("all", "popular", "cold_start")
HOSTILE = "<b>&\"'http://shop.example</b>"  # the name of a brand, of an event type, of a data set


def rows(augmented: bool = True) -> list[Row]:
    """Some rows of the results, with one generalist or with two; no peers."""
    some = [row for row in table_rows(TASKS) if row.name != BOOSTED_MODEL and row.role is not Role.PEER]
    return [row for row in some if augmented or row.name != AUGMENTED_MODEL]


def models(augmented: bool = True) -> list[str]:
    return [row.name for row in rows(augmented)]


def trained(augmented: bool = True) -> list[str]:
    return [row.name for row in rows(augmented) if row.role in (Role.GENERALIST, Role.SPECIALIST)]


def titles(augmented: bool = True) -> dict[str, str]:
    return {row.name: row.title for row in rows(augmented)}


def parameters(**changes: Any) -> Parameters:
    """Parameters of two tasks; changes are not validated, so that a data set may have any name."""
    content = Parameters.model_validate({**COMPLETE, "tasks": list(TASKS)})
    return content.model_copy(update={"dataset": HOSTILE, **changes})


def wauc_rows(augmented: bool = True) -> pd.DataFrame:
    """wAUC and half widths, all different; the segment `popular` has no offer of category2."""
    found = [
        (segment, task, name, 0.511 + 0.1 * t + 0.031 * s + 0.017 * m, 0.001 * (1 + m + 10 * t + 20 * s))
        for s, segment in enumerate(SEGMENTS)
        for t, task in enumerate(TASKS)
        for m, name in enumerate(models(augmented))
    ]  # the ceiling is the last row, and the highest
    return _emptied(pd.DataFrame(found, columns=["segment", "task", "model", "wauc", "half_width"]))


def gap_rows(augmented: bool = True) -> pd.DataFrame:
    """Ahead of the specialist of brand, behind that of category2, too close to affinity; none if empty."""
    both = {
        "brand": {"specialist": (0.0213, 0.0101), "yardstick": (-0.0042, 0.0043)},
        "category2": {"specialist": (-0.0324, 0.0321), "yardstick": (0.0081, 0.0092)},
    }
    found = []
    for segment in SEGMENTS:
        for task in TASKS:
            for row in rows(augmented):
                if row.role is Role.GENERALIST:
                    for role, gap in both[task].items():
                        other = f"mono_{task}" if role == "specialist" else "history_affinity"
                        found.append((segment, task, row.name, role, other, *gap))
    names = ["segment", "task", "model", "compared_with", "other", "gap", "half_width"]
    return _emptied(pd.DataFrame(found, columns=names))


def measured(augmented: bool = True) -> list[MeasureResults]:
    """Results by both measures, different in each number: the published ones, and somewhat higher ones."""
    wauc, gaps = wauc_rows(augmented), gap_rows(augmented)
    evaluated = {task: {"offers": 4711 + t, "pairs": 8000 + t} for t, task in enumerate(TASKS)}
    fewer = {task: {**counts, "pairs": counts["pairs"] - 1000} for task, counts in evaluated.items()}
    clean = wauc.assign(wauc=wauc["wauc"] + 0.0123, half_width=wauc["half_width"] + 0.0002)
    clean_gaps = gaps.assign(gap=gaps["gap"] - 0.0405)
    return [
        MeasureResults(Measure.PUBLISHED, wauc, gaps, evaluated),
        MeasureResults(Measure.CLEAN, clean, clean_gaps, fewer),
    ]


def _emptied(table: pd.DataFrame) -> pd.DataFrame:
    """Take the numbers of the one cell without offers away."""
    empty = (table["segment"] == "popular") & (table["task"] == "category2")
    numbers = table.select_dtypes("number").columns
    return table.assign(**{name: table[name].mask(empty) for name in numbers})


def of_segment(table: pd.DataFrame, segment: str = "all") -> pd.DataFrame:
    return table[table["segment"] == segment]


def offers(augmented: bool = True) -> pd.DataFrame:
    generator = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "task": ["brand"] * 30 + ["category2"] * 12,
            "label": np.arange(42, dtype=np.int32),
            "value": [HOSTILE, *(f"value {index}" for index in range(1, 42))],
            "positives": np.r_[1000, generator.integers(1, 500, 41)],
            "negatives": 2000,
        }
    )
    for name in models(augmented):
        frame[name] = generator.random(42).round(6)
    return frame


def curves(names: list[str], epochs: int = 3) -> pd.DataFrame:
    """The same loss and AUC in each epoch of each model."""
    row = {"train_loss": 0.6, "train_auc": 0.5, "validation_loss": 0.58, "validation_auc": 0.51}
    found = [{"model": name, "epoch": epoch + 1, **row} for name in names for epoch in range(epochs)]
    return pd.DataFrame(found, columns=["model", "epoch", *row])


def page_content(augmented: bool = True, **changes: Any) -> PageContent:
    content: dict[str, Any] = {
        "rows": rows(augmented),
        "data_version": "d41d8cd98f00b204e9800998ecf8427e.dir",
        "parameters": parameters(),
        "results": measured(augmented),
        "offers": offers(augmented),
        "curves": curves(trained(augmented)),
        "prepared": {
            "rows": 54321,
            "event_types": {HOSTILE: 54321},
            "left_out": {},
            "users": {"train": 71, "validation": 72, "test": 73},
            "vocabulary": {"brand": {"values": 91, "in_vocabulary": 82, "events_covered": 0.987654}},
        },
        "batches": {"train": {"events": 61, "batches": 62}, "test": {"events": 63, "batches": 64}},
        "findings": [Finding(f"{HOSTILE} is rare", "more than 30%: lower it"), Finding("1.0% are own")],
    }
    return PageContent(**{**content, **changes})

"""A small page: two tasks, a single model that may be joined by another, names that want escaping."""

from typing import Any

import numpy as np
import pandas as pd

from offerbench.evaluation.results import Gaps, Wauc
from offerbench.report.page import PageContent

from ..parameters import COMPLETE

TASKS = ("brand", "category2")
HOSTILE = "<b>&\"'http://shop.example</b>"  # the name of a brand, of an event type, of a data set


def models(augmented: bool) -> list[str]:
    return ["full", *["augmented"][:augmented], "mono_brand", "mono_category2", "history_affinity"]


def tables(augmented: bool) -> tuple[Wauc, Wauc]:
    """wAUC and half widths, all different; the segment `popular` has no offer of category2."""
    wauc: Wauc = {}
    half_widths: Wauc = {}
    for s, segment in enumerate(("all", "popular", "cold_start")):
        wauc[segment], half_widths[segment] = {}, {}
        for t, task in enumerate(TASKS):
            empty = segment == "popular" and task == "category2"
            names = models(augmented)
            wauc[segment][task] = {
                name: None if empty else 0.511 + 0.1 * t + 0.031 * s + 0.017 * m
                for m, name in enumerate(names)
            }
            half_widths[segment][task] = {
                name: None if empty else 0.001 * (1 + m + 10 * t + 20 * s) for m, name in enumerate(names)
            }
    return wauc, half_widths


def gaps(augmented: bool) -> Gaps:
    """Ahead of the specialist of brand, behind that of category2, too close to affinity; none if empty."""
    both: dict[str, Any] = {
        "brand": {
            "specialist": {"gap": 0.0213, "half_width": 0.0101},
            "affinity": {"gap": -0.0042, "half_width": 0.0043},
        },
        "category2": {
            "specialist": {"gap": -0.0324, "half_width": 0.0321},
            "affinity": {"gap": 0.0081, "half_width": 0.0092},
        },
    }
    nothing = {"specialist": None, "affinity": None}
    single = models(augmented)[: 1 + augmented]
    return {
        segment: {
            task: dict.fromkeys(
                single, nothing if segment == "popular" and task == "category2" else both[task]
            )
            for task in TASKS
        }
        for segment in ("all", "popular", "cold_start")
    }


def offers(augmented: bool) -> pd.DataFrame:
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


def page_content(augmented: bool = True, **changes: Any) -> PageContent:
    wauc, intervals = tables(augmented)
    row = {"train_loss": 0.6, "train_auc": 0.55, "validation_loss": 0.58, "validation_auc": 0.57}
    content: dict[str, Any] = {
        "dataset": HOSTILE,
        "data_version": "d41d8cd98f00b204e9800998ecf8427e.dir",
        "parameters": {**COMPLETE, "tasks": list(TASKS)},
        "wauc": wauc,
        "intervals": intervals,
        "gaps": gaps(augmented),
        "offers": offers(augmented),
        "curves": {name: [{"epoch": epoch, **row} for epoch in (1, 2, 3)] for name in models(augmented)[:-1]},
        "prepared": {
            "rows": 54321,
            "event_types": {HOSTILE: 54321},
            "left_out": {},
            "users": {"train": 71, "validation": 72, "test": 73},
            "vocabulary": {"brand": {"values": 91, "in_vocabulary": 82, "events_covered": 0.987654}},
        },
        "batches": {"train": {"events": 61, "batches": 62}, "test": {"events": 63, "batches": 64}},
        "evaluated": {task: {"offers": 4711 + t, "pairs": 8000 + t} for t, task in enumerate(TASKS)},
    }
    return PageContent(**{**content, **changes})

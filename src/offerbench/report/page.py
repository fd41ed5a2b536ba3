"""The results as one HTML page that needs nothing but itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from offerbench.evaluation.results import Gaps, Wauc
from offerbench.report.colours import highest_shade
from offerbench.report.curves import Curves, curve_lines, curve_panels
from offerbench.report.data_card import card_tables, parameter_table
from offerbench.report.html_tables import HtmlTable, gap_html, largest_offers_html, wauc_html
from offerbench.report.popularity import LEAST_POSITIVES, popularity_lines, popularity_panels
from offerbench.report.tables import (
    AHEAD,
    BEHIND,
    INTERVAL_NOTE,
    MARK_NOTE,
    SEGMENT_TITLES,
    TaskGaps,
    format_difference,
    gap_mark,
    segment_meanings,
    short_title,
)
from offerbench.storage import whole_file

LARGEST_OFFERS = 10
RIVALS = {"specialist": "the specialist of the task", "affinity": "history affinity"}


@dataclass(frozen=True)
class PageContent:
    """Everything that the page shows."""

    dataset: str
    data_version: str | None
    """MD5 of the raw directory, if DVC knows it."""
    parameters: Mapping[str, Any]
    """params.yaml; its section `evaluate` gives the borders of the segments and the digits."""
    wauc: Wauc
    intervals: Wauc
    """Half widths of the 95% intervals, nested like `wauc`."""
    gaps: Gaps
    offers: pd.DataFrame
    """One row for each evaluated offer: task, value, positives and an AUC column for each model."""
    curves: Curves
    prepared: Mapping[str, Any]
    batches: Mapping[str, Any]
    evaluated: Mapping[str, Any]
    """Contents of prepare.json, rebatch.json and evaluate.json."""


@dataclass(frozen=True)
class Segment:
    """The results of one segment."""

    name: str
    title: str
    meaning: str
    wauc: HtmlTable
    gaps: list[HtmlTable]


def write_page(target: Path, content: PageContent) -> None:
    """Write the page. The same content gives the same bytes.

    Parameters
    ----------
    target : Path
        The HTML file; its directory is made.
    content : PageContent
        What the page shows. Text in it may hold any character.
    """
    text = page_html(content)
    with whole_file(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def page_html(content: PageContent) -> str:
    """Give the page as text."""
    environment = Environment(
        loader=PackageLoader("offerbench.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = breakable
    tasks, models = list(content.wauc["all"]), list(next(iter(content.wauc["all"].values())))
    decimals = content.parameters["evaluate"]["table_decimals"]
    largest = [
        largest_offers_html(content.offers, task, _offer_models(task, models), LARGEST_OFFERS, decimals)
        for task in tasks
    ]
    return environment.get_template("page.html.j2").render(
        dataset=content.dataset,
        users=content.prepared["users"],
        sentences=verdicts(content.gaps["all"], decimals),
        notes=[INTERVAL_NOTE, MARK_NOTE],
        segments=_segments(content, decimals),
        popularity_legend=popularity_lines(tasks[0], models),
        least_positives=LEAST_POSITIVES,
        popularity=popularity_panels(content.offers, tasks, models),
        largest=largest,
        curve_legend=curve_lines(content.curves),
        curves=curve_panels(content.curves),
        card=card_tables(
            content.dataset, content.data_version, content.prepared, content.batches, content.evaluated
        ),
        params=parameter_table(content.parameters),
    )


def breakable(text: str) -> Markup:
    """Escape a name, and let a line end after its underscores and dots."""
    return Markup(re.sub(r"([_.])(?=[a-z])", r"\1<wbr>", str(escape(text))))


def _offer_models(task: str, models: list[str]) -> dict[str, str]:
    return {line.model: line.title for line in popularity_lines(task, models)}


def _segments(content: PageContent, decimals: int) -> list[Segment]:
    evaluate = content.parameters["evaluate"]
    meanings = segment_meanings(evaluate["popular_min_positives"], evaluate["cold_start_min_positives"])
    highest = highest_shade(content.wauc)
    segments = []
    for name, values in content.wauc.items():
        gaps = content.gaps[name]
        segments.append(
            Segment(
                name=name,
                title=SEGMENT_TITLES[name],
                meaning=meanings[name],
                wauc=wauc_html(name, values, content.intervals[name], decimals, highest),
                gaps=[gap_html(name, gaps, model, decimals) for model in next(iter(gaps.values()))],
            )
        )
    return segments


def verdicts(gaps: TaskGaps, decimals: int) -> list[str]:
    """Say for each single model and rival in how many tasks the model is ahead, behind or neither."""
    sentences = []
    for model in next(iter(gaps.values())):
        for rival, name in RIVALS.items():
            found = [gap for by_model in gaps.values() if (gap := by_model[model][rival]) is not None]
            marks = [gap_mark(gap) for gap in found]
            if found:
                mean = sum(gap["gap"] for gap in found) / len(found)
                sentences.append(
                    f"The {short_title(model)} against {name}: ahead in {marks.count(AHEAD)} of "
                    f"{len(marks)} tasks, behind in {marks.count(BEHIND)}, too close to call in "
                    f"{marks.count('')}; mean gap {format_difference(mean, decimals)}."
                )
    return sentences

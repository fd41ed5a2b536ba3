"""The results as one HTML page that needs nothing but itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from offerbench.core.columns import COMPARED_WITH, GAP, MODEL, SEGMENT, TASK
from offerbench.core.rows import Row
from offerbench.evaluation.popularity import MIN_POSITIVES
from offerbench.evaluation.results import SPECIALIST
from offerbench.evaluation.wauc import SEGMENTS
from offerbench.parameters import Parameters
from offerbench.report.colours import highest_shade
from offerbench.report.curves import curve_lines, curve_panels
from offerbench.report.data_card import card_tables, parameter_tables
from offerbench.report.html_tables import gap_html, largest_offers_html, wauc_html
from offerbench.report.popularity import popularity_lines, popularity_panels
from offerbench.report.tables import (
    AHEAD,
    BEHIND,
    INTERVAL_NOTE,
    MARK_NOTE,
    SEGMENT_TITLES,
    format_difference,
    gap_marks,
    mean_gaps,
    other_title,
    segment_meanings,
)

SHOWN_OFFERS = 10


@dataclass(frozen=True)
class PageContent:
    """Everything that the page shows."""

    rows: Sequence[Row]
    """The rows of the results, in the order of the tables."""
    data_version: str | None
    """MD5 of the raw directory, if DVC knows it."""
    parameters: Parameters
    """params.yaml; the bounds of the segments and the digits are those of its sections."""
    wauc: pd.DataFrame
    """segment, task, model, wauc, half_width."""
    gaps: pd.DataFrame
    """segment, task, model, compared_with, other, gap, half_width."""
    offers: pd.DataFrame
    """One row for each evaluated offer: task, value, positives and an AUC column for each row."""
    curves: pd.DataFrame
    """model, epoch and loss and AUC of both, of the rows that were trained."""
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
    wauc: Markup
    gaps: list[Markup]


def page_html(content: PageContent) -> str:
    """Give the page as text, the same for the same content; text in that may hold any character."""
    environment = Environment(
        loader=PackageLoader("offerbench.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    parameters, rows = content.parameters, content.rows
    tasks, decimals = list(content.wauc[TASK].unique()), parameters.report.table_decimals
    trained = [row for row in rows if row.name in set(content.curves[MODEL])]
    all_offers = content.gaps[content.gaps[SEGMENT] == SEGMENTS[0]]
    return environment.get_template("page.html.j2").render(
        dataset=parameters.dataset,
        part=parameters.evaluate.users,
        users=content.prepared["users"][parameters.evaluate.users],
        sentences=verdicts(all_offers, rows, decimals),
        notes=[INTERVAL_NOTE, MARK_NOTE],
        segments=_segments(content, decimals),
        popularity_legend=popularity_lines(tasks[0], rows),
        min_positives=MIN_POSITIVES,
        popularity=popularity_panels(content.offers, tasks, rows),
        largest=[
            largest_offers_html(content.offers, task, popularity_lines(task, rows), SHOWN_OFFERS, decimals)
            for task in tasks
        ],
        curve_legend=curve_lines(trained),
        curves=curve_panels(content.curves, trained),
        card=card_tables(
            parameters.dataset, content.data_version, content.prepared, content.batches, content.evaluated
        ),
        parameters=parameter_tables(parameters),
    )


def _segments(content: PageContent, decimals: int) -> list[Segment]:
    rows, highest = content.rows, highest_shade(content.wauc)
    meanings = segment_meanings(content.parameters.evaluate)
    segments = []
    for key, table in content.wauc.groupby(SEGMENT, sort=False):
        name = str(key)
        gaps = content.gaps[content.gaps[SEGMENT] == name]
        of_models = [(row, of_model) for row in rows if len(of_model := gaps[gaps[MODEL] == row.name])]
        segments.append(
            Segment(
                name=name,
                title=SEGMENT_TITLES[name],
                meaning=meanings[name],
                wauc=wauc_html(name, table, rows, decimals, highest),
                gaps=[gap_html(name, of_model, rows, row, decimals) for row, of_model in of_models],
            )
        )
    return segments


def verdicts(gaps: pd.DataFrame, rows: Sequence[Row], decimals: int) -> list[str]:
    """Say in how many tasks a model is ahead, behind or neither, against each role that it is compared with.

    Parameters
    ----------
    gaps : DataFrame
        From `gap_table`, of one segment.
    rows : sequence of Row
        What the models are called.
    decimals : int
        Digits of a mean gap.
    """
    titles = {row.name: row.short_title for row in rows}
    means = mean_gaps(gaps)
    sentences = []
    for key, of_pair in gaps[gaps[GAP].notna()].groupby([MODEL, COMPARED_WITH], sort=False):
        model, role = map(str, key)
        marks = list(gap_marks(of_pair))
        other = other_title(role) + (" of the task" if role == SPECIALIST else "")
        sentences.append(
            f"The {titles[model]} against {other}: ahead in {marks.count(AHEAD)} of {len(marks)} tasks, "
            f"behind in {marks.count(BEHIND)}, too close to call in {marks.count('')}; "
            f"mean gap {format_difference(means[model, role], decimals)}."
        )
    return sentences

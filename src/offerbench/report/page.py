"""The results as one HTML page that needs nothing but itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from offerbench.core.columns import COMPARED_WITH, GAP, MODEL, SEGMENT, TASK
from offerbench.core.findings import Finding
from offerbench.core.rows import Row
from offerbench.evaluation.popularity import MIN_POSITIVES
from offerbench.evaluation.wauc import SEGMENTS
from offerbench.parameters import Parameters
from offerbench.report.colours import highest_shade
from offerbench.report.curves import curve_lines, curve_panels
from offerbench.report.data_card import card_tables, parameter_tables
from offerbench.report.html_tables import gap_html, largest_offers_html, wauc_html
from offerbench.report.measures import (
    CEILING_NOTE,
    MEASURE_MEANINGS,
    MEASURE_TITLES,
    MeasureResults,
    names_not_ranked,
)
from offerbench.report.numbers import format_difference
from offerbench.report.popularity import popularity_lines, popularity_panels
from offerbench.report.tables import (
    AHEAD,
    INTERVAL_NOTE,
    LOST,
    MARK_NOTE,
    SEGMENT_TITLES,
    gap_marks,
    mean_gaps,
    named_others,
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
    results: Sequence[MeasureResults]
    """By each measure; the first is the published one."""
    offers: pd.DataFrame
    """One row for each evaluated offer: task, value, positives and an AUC column for each row, by the
    published measure."""
    curves: pd.DataFrame
    """model, epoch and loss and AUC of both, of the rows that were trained."""
    prepared: Mapping[str, Any]
    batches: Mapping[str, Any]
    """Contents of prepare.json and rebatch.json."""
    findings: Sequence[Finding] = ()
    """What to know of the results, warnings first."""


@dataclass(frozen=True)
class Segment:
    """The results of one segment by one measure."""

    name: str
    """Of the measure and the segment, unique in the page."""
    title: str
    meaning: str
    wauc: Markup
    gaps: list[Markup]


@dataclass(frozen=True)
class Section:
    """The results by one measure."""

    name: str
    title: str
    meaning: str
    sentences: list[str]
    segments: list[Segment]


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
    tasks, decimals = list(parameters.tasks), parameters.report.table_decimals
    trained = [row for row in rows if row.name in set(content.curves[MODEL])]
    return environment.get_template("page.html.j2").render(
        dataset=parameters.dataset,
        has_backtest=bool(parameters.backtest.dates),
        part=parameters.evaluate.users,
        users=content.prepared["users"][parameters.evaluate.users],
        interval_note=INTERVAL_NOTE,
        mark_note=MARK_NOTE,
        ceiling_note=CEILING_NOTE,
        measures=_sections(content, decimals),
        findings=content.findings,
        warnings=sum(found.warning is not None for found in content.findings),
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
            parameters.dataset,
            content.data_version,
            content.prepared,
            content.batches,
            {found.measure: found.evaluated for found in content.results},
        ),
        parameters=parameter_tables(parameters),
    )


def _sections(content: PageContent, decimals: int) -> list[Section]:
    highest = max(highest_shade(found.wauc) for found in content.results)  # a colour means the same in all
    return [
        Section(
            name=str(found.measure),
            title=MEASURE_TITLES[found.measure],
            meaning=MEASURE_MEANINGS[found.measure],
            sentences=verdicts(found.gaps[found.gaps[SEGMENT] == SEGMENTS[0]], content.rows, decimals),
            segments=_segments(content, found, decimals, highest),
        )
        for found in content.results
    ]


def _segments(content: PageContent, found: MeasureResults, decimals: int, highest: float) -> list[Segment]:
    rows, not_ranked = content.rows, names_not_ranked(content.rows)
    meanings = segment_meanings(content.parameters.evaluate)
    segments = []
    for key, table in found.wauc.groupby(SEGMENT, sort=False):
        segment, name = str(key), f"{found.measure}-{key}"
        gaps = found.gaps[found.gaps[SEGMENT] == segment]
        of_models = [(row, of_model) for row in rows if len(of_model := gaps[gaps[MODEL] == row.name])]
        segments.append(
            Segment(
                name=name,
                title=SEGMENT_TITLES[segment],
                meaning=meanings[segment],
                wauc=wauc_html(name, table, rows, not_ranked, decimals, highest),
                gaps=[gap_html(name, of_model, rows, row, decimals) for row, of_model in of_models],
            )
        )
    return segments


def verdicts(gaps: pd.DataFrame, rows: Sequence[Row], decimals: int) -> list[str]:
    """Say in how many tasks a model is ahead, has lost or neither, against each role it is compared with.

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
    means, others = mean_gaps(gaps), named_others(gaps)
    sentences = []
    for key, of_pair in gaps[gaps[GAP].notna()].groupby([MODEL, COMPARED_WITH], sort=False):
        model, role = map(str, key)
        marks = gap_marks(of_pair)
        names = others[role].map(titles) if role in others else None
        other = other_title(role, names) + (
            "" if names is not None and names.nunique() == 1 else " of the task"
        )
        lost = ", ".join(of_pair[TASK][marks == LOST])
        sentences.append(
            f"The {titles[model]} against {other}: ahead in {(marks == AHEAD).sum()} of {len(marks)} tasks, "
            f"lost in {(marks == LOST).sum()}{f' ({lost})' * bool(lost)}, "
            f"too close to call in {(marks == '').sum()}; "
            f"mean gap {format_difference(means[model, role], decimals)}."
        )
    return sentences

"""What the report says of the two measures, and of the row that is not to be ranked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from offerbench.core.rows import Role, Row
from offerbench.evaluation.pairs import Measure

MEASURE_TITLES = {Measure.PUBLISHED: "Published measure", Measure.CLEAN: "Clean measure"}
MEASURE_MEANINGS = {
    Measure.PUBLISHED: "every negative counts but those with the offer of the user's own event",
    Measure.CLEAN: "every negative counts but those whose user bought the offer on that day, and those that "
    "pair a user with another of the user's own events",
}
CEILING_NOTE = (
    "The ceiling, in italics, counts the user's events of the whole period but those of the day, later ones "
    "among them. Nobody can know these on that day: the row shows how far counting could come. It is never "
    "the best of a column, and compared with no row."
)


@dataclass(frozen=True)
class MeasureResults:
    """What `evaluate` found by one measure, but for the single offers."""

    measure: Measure
    wauc: pd.DataFrame
    """segment, task, model, wauc, half_width."""
    gaps: pd.DataFrame
    """segment, task, model, compared_with, other, gap, half_width."""
    evaluated: Mapping[str, Any]
    """Content of evaluate.json."""


def names_not_ranked(rows: Iterable[Row]) -> frozenset[str]:
    """Names of the rows that are shown apart from the others, and never as the best."""
    return frozenset(row.name for row in rows if row.role is Role.CEILING)

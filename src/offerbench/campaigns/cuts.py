"""Cuts: days before which everything was made, as if nothing later were known; and the present."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from offerbench.campaigns.as_of import day_number
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import MODELS_DIRECTORY, PAST_DIRECTORY, PREPARED_DIRECTORY
from offerbench.core.rows import AUGMENTED_MODEL

PRESENT = "present"
ACTIVITY_DIRECTORY = MODELS_DIRECTORY / "activity"
HEAD_DIRECTORY = MODELS_DIRECTORY / "head"
PAST_MODELS_DIRECTORY = MODELS_DIRECTORY / "past"


@dataclass(frozen=True)
class Cut:
    """What was made of the data before a day: where it is."""

    name: str
    """The day, or `PRESENT`."""
    day: int | None
    """Days since 1970-01-01: nothing from this day on was known. None: all data were."""

    @property
    def prepared(self) -> Path:
        """Directory of the prepared data."""
        return PREPARED_DIRECTORY if self.day is None else PAST_DIRECTORY / self.name

    @property
    def ranker(self) -> Path:
        """Directory of the ranker."""
        return MODELS_DIRECTORY / AUGMENTED_MODEL if self.day is None else PAST_MODELS_DIRECTORY / self.name

    @property
    def activity(self) -> Path:
        """File of the activity model."""
        return ACTIVITY_DIRECTORY / f"{self.name}.json"

    @property
    def head(self) -> Path:
        """File of the head."""
        return HEAD_DIRECTORY / f"{self.name}.json"


def past_cuts(days: Sequence[str]) -> list[Cut]:
    """Give the cuts of some days."""
    return [Cut(day, day_number(day)) for day in days]


def all_cuts(days: Sequence[str]) -> list[Cut]:
    """Give the cuts of some days, and the present."""
    return [*past_cuts(days), Cut(PRESENT, None)]


def cut_of(date: str, cuts: Sequence[Cut]) -> Cut:
    """Give the last cut that is not later than a date.

    Raises
    ------
    OfferbenchError
        If there is none.
    """
    earlier = [cut for cut in cuts if cut.day is not None and cut.day <= day_number(date)]
    if not earlier:
        raise OfferbenchError(
            f"backtest.dates: {date} is before every day in prepare_past.cuts. Add a cut that is not later."
        )
    return max(earlier, key=lambda cut: cut.day or 0)

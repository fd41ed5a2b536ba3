"""Which columns of a shop's log and its tables params.yaml names, and what each is read as."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.config import Custom


class Use(StrEnum):
    """What a column is read as."""

    TEXT = "text"
    """VARCHAR; NULL where it is missing."""
    NUMBER = "number"
    """DOUBLE; NULL where it is missing or no number."""
    TIME = "time"
    """BIGINT, seconds since 1970 on the clock of `custom.time_zone`; NULL where it can't be read."""


@dataclass(frozen=True)
class Wanted:
    """A column that a key of params.yaml names, read as one thing."""

    column: str
    use: Use


def wanted_columns(custom: Custom) -> dict[Wanted, str]:
    """Give what params.yaml wants to read, each with the first key that names it."""
    wanted: dict[Wanted, str] = {}

    def want(column: str | None, use: Use, key: str) -> None:
        if column is not None:
            wanted.setdefault(Wanted(column, use), key)

    want(custom.user, Use.TEXT, "custom.user")
    want(custom.time, Use.TIME, "custom.time")
    want(custom.event_type.column, Use.TEXT, "custom.event_type.column")
    for name, feature in custom.features.items():
        want(feature.column, Use.TEXT, f"custom.features.{name}")
    for name, number in custom.numbers.items():
        want(number.column, Use.NUMBER, f"custom.numbers.{name}")
    for place, condition in enumerate(custom.keep):
        key = f"custom.keep.{place}.column"
        if condition.values is not None or condition.other_than is not None:
            want(condition.column, Use.TEXT, key)
        bounds = (condition.above, condition.at_least, condition.below, condition.at_most)
        if any(bound is not None for bound in bounds):
            want(condition.column, Use.NUMBER, key)
        if condition.first_day is not None or condition.last_day is not None:
            want(condition.column, Use.TIME, key)
    for place, table in enumerate(custom.tables):
        key = "key" if table.log_key is None else "log_key"
        want(table.log_key or table.key, Use.TEXT, f"custom.tables.{place}.{key}")
    return wanted


def place_of(column: str, columns: Sequence[str], file: Path, key: str) -> int:
    """Give the place of a column in a file.

    Raises
    ------
    OfferbenchError
        If the file does not have it, or has it twice: names the key that wants it.
    """
    places = [place for place, name in enumerate(columns) if name == column]
    if not places:
        raise OfferbenchError(
            f"{key}: {file} has no column '{column}'. It has {list(columns)}. Set the key in params.yaml."
        )
    if len(places) > 1:
        raise OfferbenchError(
            f"{key}: {file} has {len(places)} columns '{column}'; every column needs a name of its own, got "
            f"{list(columns)}."
        )
    return places[0]

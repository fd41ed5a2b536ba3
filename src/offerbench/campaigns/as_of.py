"""The as-of day of a campaign: known is what happened before it."""

from datetime import date, timedelta
from pathlib import Path

from offerbench.core.columns import DAY
from offerbench.core.errors import OfferbenchError
from offerbench.core.tables import read_arrow

EPOCH = date(1970, 1, 1)


def data_days(prepared: Path) -> tuple[date, date]:
    """Give the first and the last day with a target event in a prepared data set."""
    days = read_arrow(prepared / "target_events.arrow")[DAY]
    return tuple(EPOCH + timedelta(days=int(day)) for day in (days.min(), days.max()))  # type: ignore[return-value]


def day_number(day: date | str) -> int:
    """Days since 1970-01-01, as the prepared tables count them; text is such as 2017-12-01."""
    return ((date.fromisoformat(day) if isinstance(day, str) else day) - EPOCH).days


def parse_day(text: str, option: str) -> date:
    """Read a day written as 2017-12-01.

    Raises
    ------
    OfferbenchError
        If it is none; names the option.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise OfferbenchError(f"{option}: {text!r} is no day. Write it as 2017-12-01.") from None


def choose_as_of(wanted: date | None, days: tuple[date, date], option: str = "--as-of") -> date:
    """Give the as-of day: the day after the data's end unless another is wanted.

    Parameters
    ----------
    wanted : date or None
        The day asked for.
    days : tuple of date
        First and last day of the data.
    option : str
        What asked for it, for messages.

    Raises
    ------
    OfferbenchError
        If nothing is known before the day, or the day is later than the data reach.
    """
    first, last = days
    latest = last + timedelta(days=1)
    if wanted is None:
        return latest
    if wanted <= first:
        raise OfferbenchError(
            f"{option}: nothing is known before {wanted}: the data begin on {first}. Name a later day, up to "
            f"{latest}."
        )
    if wanted > latest:
        raise OfferbenchError(
            f"{option}: the data end on {last}, so what happened just before {wanted} isn't known. Name a "
            f"day up to {latest}, or prepare newer data."
        )
    return wanted

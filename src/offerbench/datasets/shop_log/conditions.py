"""What `custom.keep` and the bounds of `custom.numbers` say of a row, as SQL conditions by reason."""

from collections.abc import Mapping, Sequence
from datetime import date

from offerbench.datasets.canonical import is_one_of
from offerbench.datasets.config import Keep, Number
from offerbench.datasets.shop_log.columns import Use, Wanted

SECONDS_OF_A_DAY = 86400
Names = Mapping[Wanted, str]


def not_kept(conditions: Sequence[Keep], names: Names) -> dict[str, str]:
    """Give the conditions of rows that are not wanted: reason -> condition.

    A number or time that can't be read meets no condition here: such a row is rejected.
    """
    unmet: dict[str, str] = {}
    for keep in conditions:
        reason = f"not_kept_by_{keep.column}"
        parts = [unmet[reason]] if reason in unmet else []
        parts += _unmet_texts(keep, names) + _unmet_numbers(keep, names) + _unmet_days(keep, names)
        unmet[reason] = " OR ".join(parts)
    return unmet


def _unmet_texts(keep: Keep, names: Names) -> list[str]:
    unmet = []
    text = names.get(Wanted(keep.column, Use.TEXT), "")
    if keep.values is not None:
        unmet.append(f"NOT {is_one_of(text, keep.values)}")
    if keep.other_than is not None:
        unmet.append(is_one_of(text, keep.other_than))
    return unmet


def _unmet_numbers(keep: Keep, names: Names) -> list[str]:
    number = names.get(Wanted(keep.column, Use.NUMBER), "")
    bounds = {"<=": keep.above, "<": keep.at_least, ">=": keep.below, ">": keep.at_most}
    return [f"{number} {sign} {bound!r}" for sign, bound in bounds.items() if bound is not None]


def _unmet_days(keep: Keep, names: Names) -> list[str]:
    second = names.get(Wanted(keep.column, Use.TIME), "")
    unmet = []
    if keep.first_day is not None:
        unmet.append(f"{second} < {_first_second(keep.first_day)}")
    if keep.last_day is not None:
        unmet.append(f"{second} >= {_first_second(keep.last_day) + SECONDS_OF_A_DAY}")
    return unmet


def _first_second(day: str) -> int:
    return (date.fromisoformat(day) - date(1970, 1, 1)).days * SECONDS_OF_A_DAY


def keep_faults(conditions: Sequence[Keep], names: Names) -> dict[str, str]:
    """Give what can be wrong with the columns of conditions: reason -> condition."""
    faults = {}
    for keep in conditions:
        if number := names.get(Wanted(keep.column, Use.NUMBER)):
            faults[f"{keep.column}_missing_or_not_a_number"] = f"{number} IS NULL"
        if second := names.get(Wanted(keep.column, Use.TIME)):
            faults[f"{keep.column}_missing_or_unreadable"] = f"{second} IS NULL"
    return faults


def bound_faults(name: str, value: str, number: Number) -> dict[str, str]:
    """Give what can be wrong with the number `name`, an SQL expression: reason -> condition."""
    bounds = [f"NOT isfinite({value})"]
    bounds += [f"{value} < {number.min!r}"] if number.min is not None else []
    bounds += [f"{value} > {number.max!r}"] if number.max is not None else []
    usual = Number(column=number.column)
    is_usual = (number.min, number.max) == (usual.min, usual.max)
    return {
        f"{name}_missing_or_not_a_number": f"{value} IS NULL",
        f"{name}_negative_or_absurd" if is_usual else f"{name}_out_of_bounds": " OR ".join(bounds),
    }

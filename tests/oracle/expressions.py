"""Conditions on an event as SQL has them, one event at a time: an event is a dict, a condition nested tuples.

    ("=", name, value)  ("in", name, values)  ("<", name, number), also <=, >, >=
    ("between", name, low, high)  ("null", name)  ("not", part)  ("and", parts)  ("or", parts)

A value is text, the missing one "", a rare one that nobody can name `RARE`. The answer is True, False or
None: unknown.
"""

from collections.abc import Mapping
from typing import Any

RARE = object()


def holds(condition: tuple[Any, ...], event: Mapping[str, Any]) -> bool | None:
    """Whether a condition holds for an event."""
    kind = condition[0]
    if kind == "not":
        part = holds(condition[1], event)
        return None if part is None else not part
    if kind in ("and", "or"):
        decisive = kind == "or"
        parts = [holds(part, event) for part in condition[1]]
        if decisive in parts:
            return decisive
        return None if None in parts else not decisive
    value = event[condition[1]]
    if kind == "=":
        return value is not RARE and equal(value, condition[2])
    if kind == "in":
        return value is not RARE and any(equal(value, one) for one in condition[2])
    if kind == "null":
        return value == ""
    if value is RARE or value == "":
        return None
    number = float(value)
    if kind == "between":
        return condition[2] <= number <= condition[3]
    if kind == "<":
        return number < condition[2]
    if kind == "<=":
        return number <= condition[2]
    if kind == ">":
        return number > condition[2]
    return number >= condition[2]


def equal(value: str, wanted: str | float) -> bool:
    """Text is the same text; a number without quotes is any value of that size."""
    if isinstance(wanted, str):
        return value == wanted
    return value != "" and float(value) == wanted


def written(condition: tuple[Any, ...], quote: str = "'") -> str:
    """The condition as an expression."""
    kind = condition[0]
    if kind == "not":
        return f"NOT ({written(condition[1], quote)})"
    if kind in ("and", "or"):
        return "(" + f" {kind} ".join(written(part, quote) for part in condition[1]) + ")"
    name = condition[1]
    if kind == "in":
        return f"{name} IN ({', '.join(literal(one, quote) for one in condition[2])})"
    if kind == "null":
        return f"{name} IS NULL"
    if kind == "between":
        return f"{name} BETWEEN {condition[2]} AND {condition[3]}"
    return f"{name} {kind} {literal(condition[2], quote)}"


def literal(value: str | float, quote: str) -> str:
    if isinstance(value, str):
        return quote + value.replace(quote, quote * 2) + quote
    return str(value)

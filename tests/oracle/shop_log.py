"""A shop's log read row by row: what becomes of each."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

MISSING = ("", "NA", "N/A", "NULL", "null", "\\N", "nan", "None")


@dataclass
class Read:
    """Events in the order of their times: user, day, type, product, brand, price."""

    events: list[tuple[str, int, str, str, str, float]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)


def known(text: str) -> str | None:
    return None if text.strip() in MISSING else text


def number(text: str) -> float | None:
    """Digits, a sign, a point, an exponent: what Python reads beside that is no number."""
    if not text.strip() or set(text.strip()) - set("0123456789+-.eE"):
        return None
    try:
        return float(text)
    except ValueError:
        return None


def second(text: str) -> int | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    return math.floor(time.timestamp())


def read_log(
    rows: Sequence[Sequence[str]],
    types: Mapping[str, str],
    brands: Mapping[str, str] | None,
    *,
    leave_anonymous_out: bool,
    above: float | None,
) -> Read:
    """Read rows of user, time, action, sku, maker, price, quantity.

    Parameters
    ----------
    rows : sequence of sequence of str
        The log.
    types : mapping of str to str
        Event type by action.
    brands : mapping of str to str, optional
        Brand by sku, of a table of products; else the maker is the brand.
    leave_anonymous_out : bool
        Else they are rejected.
    above : float, optional
        A quantity has to be above this.
    """
    read = Read()
    timed = []
    for place, (user, time, action, sku, maker, price, quantity) in enumerate(rows):
        kind, customer, at, amount = known(action), known(user), second(time), number(quantity)
        if kind is None:
            read.rejected["event_type_missing"] += 1
        elif kind not in types:
            read.left_out[f"event_type_{kind}"] += 1
        elif brands is not None and known(sku) not in brands:
            read.left_out["no_record_in_products.csv"] += 1
        elif customer is None and leave_anonymous_out:
            read.left_out["user_missing"] += 1
        elif above is not None and amount is not None and not amount > above:
            read.left_out["not_kept_by_quantity"] += 1
        elif customer is None:
            read.rejected["user_missing"] += 1
        elif at is None:
            read.rejected["time_missing_or_unreadable"] += 1
        elif not 0 <= at // 86400 <= 47481:
            read.rejected["time_before_1970_or_after_2099"] += 1
        elif above is not None and amount is None:
            read.rejected["quantity_missing_or_not_a_number"] += 1
        elif known(sku) is None:
            read.rejected["product_missing"] += 1
        elif (value := number(price)) is None:
            read.rejected["price_missing_or_not_a_number"] += 1
        elif not 0 <= value <= 1e9:
            read.rejected["price_negative_or_absurd"] += 1
        else:
            brand = (known(maker) or "") if brands is None else brands[sku]
            timed.append((at, place, (customer, at // 86400, types[kind], sku, brand, value)))
    read.events = [event for _, _, event in sorted(timed)]
    return read

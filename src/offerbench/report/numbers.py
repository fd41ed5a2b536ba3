"""How a wAUC, its interval and a difference are written."""

import math


def format_wauc(value: float | None, decimals: int) -> str:
    """`.762`, or a dash where a segment has no offer."""
    return "-" if value is None or math.isnan(value) else f"{value:.{decimals}f}".removeprefix("0")


def format_half_width(half_width: float | None, decimals: int) -> str:
    """`±.004`, or nothing where no interval is known."""
    return "" if half_width is None or math.isnan(half_width) else f"±{format_wauc(half_width, decimals)}"


def format_difference(difference: float, decimals: int) -> str:
    """`+.019`, always with its sign, or a dash where there is none."""
    text = f"{difference:+.{decimals}f}"
    return "-" if math.isnan(difference) else text[0] + text[1:].removeprefix("0")

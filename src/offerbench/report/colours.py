"""Colours of wAUC cells, with a text colour that stands out from them."""

import math

import matplotlib
from matplotlib.colors import to_hex, to_rgb

from offerbench.evaluation.results import Wauc

LOWEST = 0.5  # wAUC of drawing lots
LEAST_HIGHEST = 0.75


def highest_shade(wauc: Wauc) -> float:
    """Give the wAUC that has the last colour: .75, or the next twentieth above the best value."""
    values = [
        value
        for tasks in wauc.values()
        for models in tasks.values()
        for value in models.values()
        if value is not None
    ]
    return max(LEAST_HIGHEST, math.ceil(max(values, default=0.0) * 20) / 20)


def shade(value: float, highest: float) -> str:
    """Colour of a wAUC as `#rrggbb`: dark at .5 and below, bright at `highest`."""
    share = (value - LOWEST) / (highest - LOWEST)
    return str(to_hex(matplotlib.colormaps["viridis"](min(max(share, 0.0), 1.0))))


def ink(background: str) -> str:
    """Black or white, whichever has the higher contrast to `background`."""
    light = _luminance(background)
    return "#000000" if (light + 0.05) / 0.05 > 1.05 / (light + 0.05) else "#ffffff"


def _luminance(colour: str) -> float:
    """Relative luminance of a colour, as the accessibility guidelines (WCAG 2) define it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

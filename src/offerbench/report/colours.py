"""Colours of wAUC cells: light enough all for black text."""

import math

import pandas as pd
import seaborn

from offerbench.core.columns import WAUC

INK = "#000000"
NO_OFFER = "#e3e6ea"
COLOURS = seaborn.blend_palette(["#fff6d5", "#a5d8a0", "#1f9e89"], as_cmap=True).with_extremes(bad=NO_OFFER)
"""From wAUC .5 and below to `highest_shade`."""
MIN_SHADE = 0.5  # wAUC of drawing lots
MIN_TOP = 0.75


def highest_shade(table: pd.DataFrame) -> float:
    """Give the wAUC that has the last colour: .75, or the next twentieth above the best of the table."""
    return float(max(MIN_TOP, math.ceil(table[WAUC].fillna(0).max() * 20) / 20))

"""Figures as SVG inside an HTML page, in the colours of the page; the same figure gives the same bytes.

Matplotlib knows no colour of a style sheet. So a figure is drawn in colours in place of those of
the page, and the drawing's text is changed afterwards: that way it suits a dark and a light page.
"""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#010203"  # in place of the colour of the page's text
SERIES = [f"#0a0b{slot:02x}" for slot in range(10)]
"""In place of the colours `--series-0` and so on of page.css."""
MARKERS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "X": "✖", "*": "★"}  # with their text
RASTER_DOTS_PER_INCH = 160
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "offerbench",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.alpha": 0.14,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@dataclass(frozen=True)
class Line:
    """A series of a figure, as its legend shows it."""

    model: str
    title: str
    slot: int
    marker: str

    @property
    def sign(self) -> str:
        """The marker as a character."""
        return MARKERS[self.marker]


@dataclass(frozen=True)
class Panel:
    """A figure with its caption."""

    title: str
    svg: Markup


def numbered_lines(titles: Mapping[str, str]) -> list[Line]:
    """Give each model a colour and a marker; colours repeat only with another marker."""
    markers = list(MARKERS)  # their number and that of the colours have no common divisor
    return [
        Line(model, title, index % len(SERIES), markers[index % len(markers)])
        for index, (model, title) in enumerate(titles.items())
    ]


def new_axes(width: float, height: float) -> tuple[Figure, Axes]:
    """Make an empty figure of one panel, `width` and `height` in inches. Call it within `SETTINGS`."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def draw_line(axes: Axes, line: Line, x: Sequence[float], y: Sequence[float]) -> None:
    """Draw one series with its colour and marker."""
    axes.plot(x, y, color=SERIES[line.slot], marker=line.marker, markersize=4, linewidth=1.6)


def inline_svg(figure: Figure, name: str, description: str) -> Markup:
    """Give a figure as an `<svg>` element.

    Parameters
    ----------
    figure : Figure
        Drawn with `INK` and `SERIES`.
    name : str
        Put before the identifiers in the drawing, which must be unique in the page.
    description : str
        What readers are told who don't see the figure.
    """
    buffer = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with matplotlib.rc_context(SETTINGS):
        figure.savefig(buffer, format="svg", transparent=True, dpi=RASTER_DOTS_PER_INCH, metadata=nothing)
    text = buffer.getvalue()
    box = re.search(r'viewBox="[^"]+"', text)
    assert box is not None, "Matplotlib writes a viewBox"
    body = text[text.index(">", box.end()) + 1 :].strip()
    body = re.sub(r'\b(id="|xlink:href="#|url\(#)', rf"\g<1>{name}-", body).replace("xlink:href", "href")
    body = body.replace(INK, "currentColor")
    for slot, colour in enumerate(SERIES):
        body = body.replace(colour, f"var(--series-{slot})")
    return Markup(f'<svg {box[0]} role="img" aria-label="{escape(description)}">{body}')

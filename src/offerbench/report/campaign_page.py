"""The backtest as an HTML page that needs nothing but itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from offerbench.campaigns.rows import CampaignRow
from offerbench.report.campaign_figures import calibration_panels, chance_lines, gain_panels, row_lines
from offerbench.report.campaign_tables import NO_BACKTEST, SEGMENT_HEADINGS, has_offers, offers_sentence
from offerbench.report.html_tables import MARKS, NUMBER, html_table
from offerbench.report.numbers import format_difference, format_half_width, format_wauc
from offerbench.report.tables import AHEAD, INTERVAL_NOTE, LOST, MARK_NOTE

MIN_TOP = 0.75  # wAUC that has the last colour at least
SHOWN_SHARES = (0.05, 0.1, 0.2)
"""Of the users, in the table by size."""


@dataclass(frozen=True)
class Segment:
    """The tables of one segment of the offers."""

    name: str
    title: str
    counts: str
    wauc: Markup
    gaps: Markup


def campaigns_html(
    content: Mapping[str, Any], curves: Mapping[str, Any], sizes: Mapping[str, Any], decimals: int
) -> str:
    """Give the page as text, the same for the same content.

    Parameters
    ----------
    content, curves, sizes : mapping
        Of metrics/campaign.json, campaign_curves.json and campaign_sizes.json.
    decimals : int
        Digits of a wAUC.
    """
    environment = Environment(
        loader=PackageLoader("offerbench.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("campaigns.html.j2")
    if not content["counts"]:
        return template.render(segments=[], no_backtest=NO_BACKTEST)
    return template.render(
        dates=_listed(list(next(iter(content["counts"].values()))["dates"])),
        segments=_segments(content, decimals),
        interval_note=INTERVAL_NOTE,
        mark_note=MARK_NOTE,
        reach=reach_html(content),
        lines=row_lines(),
        gains=gain_panels(curves),
        calibration=calibration_html(content),
        chance_lines=chance_lines(),
        calibrations=calibration_panels(curves),
        sizes=sizes_html(sizes) if sizes["sizes"] else "",
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " * (len(names) > 1) + names[-1]


def _segments(content: Mapping[str, Any], decimals: int) -> list[Segment]:
    return [
        Segment(
            segment,
            heading,
            offers_sentence(content, segment),
            wauc_html(content, segment, decimals),
            gaps_html(content, segment, decimals),
        )
        for segment, heading in SEGMENT_HEADINGS.items()
        if content["wauc"][segment] and has_offers(content, segment)
    ]


def _table(by_task: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Rows by task; what is None becomes NaN."""
    return pd.DataFrame(by_task).astype(float)


def _titled(cells: pd.DataFrame) -> pd.DataFrame:
    return cells.rename(index={str(row): row.heading for row in CampaignRow})


def wauc_html(content: Mapping[str, Any], segment: str, decimals: int) -> Markup:
    """Heat map of wAUC: a row of the backtest by task."""
    values, widths = _table(content["wauc"][segment]), _table(content["half_widths"][segment])
    texts = values.map(format_wauc, decimals=decimals)
    texts = texts.mask(values == values.max(), "<strong>" + texts + "</strong>")
    small = widths.map(lambda width: f" <small>{format_half_width(width, decimals)}</small>")
    highest = max(MIN_TOP, float(np.ceil(np.nanmax(values.to_numpy(), initial=0) * 20) / 20))
    cells, shades = _titled(texts + small), _titled(values)
    caption = f"wAUC of row by task: {SEGMENT_HEADINGS[segment].lower()}"
    return html_table(f"wauc-{segment}", caption, "row", cells, NUMBER, (shades, highest))


def gaps_html(content: Mapping[str, Any], segment: str, decimals: int) -> Markup:
    """Gaps of the campaign score to each other row, with their intervals and marks."""
    gaps, widths = (
        _table(
            {
                task: {row: found[key] for row, found in rows.items()}
                for task, rows in content["gaps"][segment].items()
            }
        )
        for key in ("gap", "half_width")
    )
    marks = np.select([gaps > widths, -gaps > widths], [MARKS[AHEAD], MARKS[LOST]], MARKS[""])
    small = widths.map(lambda width: f" <small>{format_half_width(width, decimals)}</small> ")
    cells = gaps.map(lambda gap: format_difference(gap, decimals)) + small + marks
    caption = f"Campaign score less row: {SEGMENT_HEADINGS[segment].lower()}"
    return html_table(f"gaps-{segment}", caption, "row", _titled(cells), NUMBER)


def reach_html(content: Mapping[str, Any]) -> Markup:
    """Share of the buyers that audiences of several sizes reach, mean of the tasks."""
    values = _table(content["reach"]["mean"]).T
    cells = values.map(lambda value: _percent(value, 1)).mask(
        values == values.max(), lambda shown: "<strong>" + shown + "</strong>"
    )
    cells = cells.rename(columns=lambda share: f"{float(share):.0%} of the users")
    return html_table("reach", "Buyers reached, mean of the tasks", "row", _titled(cells), NUMBER)


def calibration_html(content: Mapping[str, Any]) -> Markup:
    """Tabulate expected over actual buyers by task, row and date, and the error over the bins."""
    cells = {}
    for task, by_row in content["calibration"].items():
        for row, found in by_row.items():
            whole, error = found["expected_over_actual"], found["error"]
            numbers = {"all dates": whole, **found["by_date"], "error": error}
            name = f"{task}: {CampaignRow(row).heading}"
            cells[name] = {column: _ratio(value) for column, value in numbers.items()}
    table = pd.DataFrame.from_dict(cells, orient="index")
    return html_table("calibration", "Expected buyers for each actual one", "task and row", table, NUMBER)


def sizes_html(sizes: Mapping[str, Any]) -> Markup:
    """Offers, buyers, calibration and reach by the share of the users that bought an offer before."""
    cells = {}
    for size in sizes["sizes"]:
        low, high = size["bought_before_from"], size["bought_before_below"]
        name = f"{_percent(low, 1)} and more" if high > 1 else f"{_percent(low, 1)} to {_percent(high, 1)}"
        reached = np.interp(SHOWN_SHARES, sizes["users"], size["buyers_reached"])
        cells[name] = {
            "offers": f"{size['offers']:,}",
            "buyers": f"{size['buyers']:,}",
            "expected / actual": _ratio(size["expected_over_actual"]),
            **{
                f"reached with {share:.0%} of the users": _percent(value, 1)
                for share, value in zip(SHOWN_SHARES, reached.tolist(), strict=True)
            },
        }
    table = pd.DataFrame.from_dict(cells, orient="index")
    return html_table("sizes", "Campaign score by size of the offer", "bought before by", table, NUMBER)


def _percent(value: float, decimals: int) -> str:
    return "-" if np.isnan(value) else f"{value:.{decimals}%}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"

"""The backtest's tables in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from offerbench.campaigns.rows import CampaignRow

NO_BACKTEST = "No campaign of the past was scored: `backtest.dates` in params.yaml is empty."
MEANING = (
    "As of a day only earlier events are known. All test users with a past are ranked for each offer; a "
    "buyer buys it within the horizon. wAUC: ROC AUC of each offer over the users, weighted by its "
    "buyers, all dates together. Gap: campaign score less row, with its 95% interval (the users drawn "
    "again with replacement); bold: the interval excludes 0."
)
RATIO_NOTE = "± is half of the 95% interval, from the same draws of the users."
SEGMENT_HEADINGS = {
    "all": "All offers",
    "few_buyers": "Offers that few train users had bought",
    "new": "Offers first sold shortly before the day",
    "best_sellers": "The best-selling offers, which have models of their own",
}


def campaigns_markdown(content: Mapping[str, Any], decimals: int) -> str:
    """Give all tables of the backtest.

    Parameters
    ----------
    content : mapping
        Of metrics/campaign.json.
    decimals : int
        Digits of a wAUC.
    """
    parts = ["# Campaigns of the past\n"]
    if not content["counts"]:
        return "\n".join([*parts, NO_BACKTEST + "\n"])
    parts += [MEANING + "\n"]
    for segment, heading in SEGMENT_HEADINGS.items():
        if content["wauc"][segment] and has_offers(content, segment):
            parts += [f"## {heading}\n", *_segment_parts(content, segment, decimals)]
    parts += ["## Share of the buyers among the best users\n", reach_table(content) + "\n"]
    parts += [
        "## Expected buyers for each actual one\n",
        RATIO_NOTE + "\n",
        calibration_table(content) + "\n",
    ]
    return "\n".join(parts)


def campaign_sections(content: Mapping[str, Any], decimals: int) -> list[str]:
    """Give what one section of another report shows: all offers, reach and calibration.

    Parameters
    ----------
    content : mapping
        Of metrics/campaign.json.
    decimals : int
        Digits of a wAUC.
    """
    if not content["counts"]:
        return [NO_BACKTEST + "\n"]
    return [
        MEANING + "\n",
        *_segment_parts(content, "all", decimals),
        "Share of the buyers among the best users:\n",
        reach_table(content) + "\n",
        f"Expected buyers for each actual one. {RATIO_NOTE}\n",
        calibration_table(content) + "\n",
    ]


def _segment_parts(content: Mapping[str, Any], segment: str, decimals: int) -> list[str]:
    return [
        offers_sentence(content, segment) + "\n",
        wauc_table(content, segment, decimals) + "\n",
        "Campaign score less row:\n",
        gap_table(content, segment, decimals) + "\n",
    ]


def has_offers(content: Mapping[str, Any], segment: str) -> bool:
    """Say whether any offer of a segment had a buyer."""
    return any(counts["bought_offers"][segment] for counts in content["counts"].values())


def offers_sentence(content: Mapping[str, Any], segment: str) -> str:
    """Say how many offers of a segment had a buyer."""
    offers = ", ".join(
        f"{task} {counts['bought_offers'][segment]:,}" for task, counts in content["counts"].items()
    )
    return f"Offers with a buyer, counted for each date: {offers}."


def wauc_table(content: Mapping[str, Any], segment: str, decimals: int) -> str:
    """Give wAUC of row by task."""
    table = content["wauc"][segment]
    tasks = list(table)
    rows = [
        [_heading(row), *(_number(table[task][row], decimals) for task in tasks)] for row in table[tasks[0]]
    ]
    return _markdown(rows, tasks)


def gap_table(content: Mapping[str, Any], segment: str, decimals: int) -> str:
    """Give the gap of the campaign score to each row, by task."""
    table = content["gaps"][segment]
    tasks = list(table)
    rows = [[_heading(row), *(_gap(table[task][row], decimals) for task in tasks)] for row in table[tasks[0]]]
    return _markdown(rows, tasks)


def reach_table(content: Mapping[str, Any]) -> str:
    """Give the share of the buyers that audiences of several sizes reach, mean of the tasks."""
    table = content["reach"]["mean"]
    shares = list(next(iter(table.values())))
    rows = [[_heading(row), *(_number(found[share], 3) for share in shares)] for row, found in table.items()]
    return _markdown(rows, [f"{float(share):.0%} of the users" for share in shares])


def calibration_table(content: Mapping[str, Any]) -> str:
    """Give expected over actual buyers by task and date with their intervals, and the error over the bins."""
    rows, dates = [], list(next(iter(content["counts"].values()))["dates"])
    for task, by_row in content["calibration"].items():
        for row, found in by_row.items():
            widths = found["half_widths_by_date"]
            by_date = [_with_width(found["by_date"][date], widths[date]) for date in dates]
            whole = _with_width(found["expected_over_actual"], found["half_width"])
            rows.append([task, _heading(row), whole, *by_date, _number(found["error"], 2)])
    return tabulate(rows, ["task", "row", "all dates", *dates, "error"], "pipe", disable_numparse=True)


def _markdown(rows: Sequence[Sequence[str]], columns: Sequence[str]) -> str:
    return tabulate(rows, ["row", *columns], "pipe", disable_numparse=True)


def _heading(row: str) -> str:
    return CampaignRow(row).heading


def _number(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}".removeprefix("0") or "0"


def _with_width(value: float | None, half_width: float | None) -> str:
    text = _number(value, 2)
    return text if half_width is None or not text else f"{text} ± {_number(half_width, 2)}"


def _gap(found: Mapping[str, float | None], decimals: int) -> str:
    gap, width = found["gap"], found["half_width"]
    if gap is None or width is None:
        return ""
    text = f"{gap:+.{decimals}f} ± {width:.{decimals}f}"
    return f"**{text}**" if abs(gap) > width else text

"""The backtest's tables and picture: every number where it belongs, the same bytes each time."""

from pathlib import Path
from typing import Any

from offerbench.campaigns.rows import CampaignRow
from offerbench.report.campaign_picture import draw_campaigns
from offerbench.report.campaign_tables import NO_BACKTEST, campaigns_markdown, gap_table, wauc_table

ALL = [str(row) for row in CampaignRow.of_all_offers()]
DATES = ["2017-07-01", "2017-12-01"]


def content() -> dict[str, Any]:
    """Results in which every number differs."""
    wauc = {"brand": {row: 0.7 + place / 100 for place, row in enumerate(ALL)}}
    wauc["mean"] = {row: value + 0.001 for row, value in wauc["brand"].items()}
    gaps = {
        task: {row: {"gap": 0.01 * place, "half_width": 0.015} for place, row in enumerate(ALL) if place}
        for task in wauc
    }
    nothing: dict[str, Any] = {"few_buyers": {}, "new": {}, "best_sellers": {}}
    return {
        "wauc": {"all": wauc, **nothing},
        "half_widths": {"all": wauc, **nothing},
        "gaps": {"all": gaps, **nothing},
        "reach": {"mean": {row: {"0.1": 0.4 + place / 100} for place, row in enumerate(ALL)}},
        "calibration": {
            "brand": {
                "campaign": {
                    "expected_over_actual": 0.973,
                    "error": 0.042,
                    "by_date": {"2017-07-01": 0.888, "2017-12-01": None},
                }
            }
        },
        "counts": {
            "brand": {
                "bought_offers": {"all": 1234, "few_buyers": 0, "new": 0, "best_sellers": 0},
                "dates": dict.fromkeys(DATES),
            }
        },
    }


def cells(table: str, row: CampaignRow) -> list[str]:
    line = next(line for line in table.splitlines() if row.heading in line)
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_tables() -> None:
    found = content()
    assert cells(wauc_table(found, "all", 3), CampaignRow.RANKER) == [".720", ".721"]
    assert cells(gap_table(found, "all", 3), CampaignRow.ACTIVITY_SHARE)[0] == "+0.010 ± 0.015"
    assert cells(gap_table(found, "all", 3), CampaignRow.RANKER)[0] == "**+0.020 ± 0.015**"
    text = campaigns_markdown(found, 3)
    assert "brand 1,234" in text and "10% of the users" in text
    assert "| .97 " in text and "| .89 " in text and "few train users" not in text


def test_no_backtest() -> None:
    nothing = {**content(), "counts": {}}
    assert NO_BACKTEST in campaigns_markdown(nothing, 3)


def test_the_picture_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    points = [0.0, 0.5, 1.0]
    bins = {"expected": [0.01, 0.1], "actual": [0.02, 0.0]}
    curves = {
        "users": points,
        "gains": {"brand": dict.fromkeys(ALL, points), "category1": dict.fromkeys(ALL, points)},
        "calibration": {"brand": {"campaign": bins}, "category1": {"campaign": bins}},
    }
    for name in ("one.png", "other.png"):
        draw_campaigns(curves, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
    draw_campaigns({"users": points, "gains": {}, "calibration": {}}, tmp_path / "empty.png")

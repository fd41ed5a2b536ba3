"""The backtest's tables and picture: every number where it belongs, the same bytes each time."""

from pathlib import Path
from typing import Any

from offerbench.campaigns.rows import CampaignRow
from offerbench.report.campaign_figures import calibration_panels
from offerbench.report.campaign_page import campaigns_html
from offerbench.report.campaign_picture import draw_campaigns
from offerbench.report.campaign_tables import NO_BACKTEST, campaigns_markdown, gap_table, wauc_table
from offerbench.report.tables import AHEAD, LOST

from .test_page import Reader

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
                    "half_width": 0.031,
                    "error": 0.042,
                    "by_date": {"2017-07-01": 0.888, "2017-12-01": None},
                    "half_widths_by_date": {"2017-07-01": 0.067, "2017-12-01": None},
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


def curves_of(task: str) -> dict[str, Any]:
    points = [0.0, 0.1, 1.0]
    gains = {row: [0.0, 0.2 + place / 100, 1.0] for place, row in enumerate(ALL)}
    bins: dict[str, Any] = {"expected": [0.01, None, 0.1], "actual": [0.02, None, 0.0]}
    rows = CampaignRow.with_chances()
    return {"users": points, "gains": {task: gains}, "calibration": {task: dict.fromkeys(rows, bins)}}


SIZES = {
    "users": [0.0, 0.1, 0.3, 1.0],
    "sizes": [
        {
            "bought_before_from": 0.01,
            "bought_before_below": 0.02,
            "offers": 1234,
            "buyers": 5678,
            "expected_over_actual": 0.876,
            "buyers_reached": [0.0, 0.4, 0.6, 1.0],
        },
        {
            "bought_before_from": 0.5,
            "bought_before_below": 1.01,
            "offers": 3,
            "buyers": 9,
            "expected_over_actual": None,
            "buyers_reached": [0.0, 0.1, 0.3, 1.0],
        },
    ],
}


def test_the_page_has_every_number_and_fetches_nothing() -> None:
    found = content()
    found["gaps"]["all"]["brand"][CampaignRow.RANKER] = {"gap": -0.04, "half_width": 0.015}
    found["gaps"]["all"]["brand"][CampaignRow.COUNT] = {"gap": None, "half_width": None}
    text = campaigns_html(found, curves_of("brand"), SIZES, 3)
    assert text == campaigns_html(found, curves_of("brand"), SIZES, 3)
    page = Reader(text)
    assert set(page.tables) == {"wauc-all", "gaps-all", "reach", "calibration", "sizes"}

    def line(table: str, name: str) -> list[str]:
        return next(cells[1:] for cells in page.tables[table] if cells[0] == name)

    best, ranker = CampaignRow.of_all_offers()[-1].heading, CampaignRow.RANKER.heading
    assert [cell[:4] for cell in line("wauc-all", ranker)] == [".720", ".721"]
    assert "<strong>.760</strong>" in text and line("wauc-all", best)[0].startswith(".760")
    assert line("gaps-all", ranker)[0] == f"-.040 ±.015 {LOST}"
    assert line("gaps-all", ranker)[1] == f"+.020 ±.015 {AHEAD}"
    assert line("gaps-all", CampaignRow.ACTIVITY_SHARE.heading)[0].strip() == "+.010 ±.015"
    assert line("gaps-all", CampaignRow.COUNT.heading)[0].strip() == "-"
    assert line("reach", ranker) == ["42.0%"]
    assert line("calibration", f"brand: {CampaignRow.CAMPAIGN.heading}") == ["0.97", "0.89", "-", "0.04"]
    assert line("sizes", "1.0% to 2.0%") == ["1,234", "5,678", "0.88", "20.0%", "40.0%", "50.0%"]
    assert line("sizes", "50.0% and more")[:3] == ["3", "9", "-"]
    assert "As of 2017-07-01 and 2017-12-01 only earlier events" in page.words
    assert f"{ranker} 22%" in text  # what those are told who don't see the figure
    for tag, name, value in page.attributes:
        if name in ("src", "href", "xlink:href"):
            assert value.startswith("#") or (tag, value) == ("a", "index.html")
    identifiers = [value for _, name, value in page.attributes if name == "id"]
    assert len(identifiers) == len(set(identifiers))
    assert {value[1:] for tag, name, value in page.attributes if name == "href" and value[0] == "#"} <= set(
        identifiers
    )


def test_the_page_without_a_backtest() -> None:
    nothing = {**content(), "counts": {}}
    empty: dict[str, Any] = {"users": [], "gains": {}, "calibration": {}}
    assert NO_BACKTEST in Reader(campaigns_html(nothing, empty, {"sizes": []}, 3)).words


def test_a_task_in_which_nobody_bought_has_an_empty_figure() -> None:
    curves = curves_of("brand")
    for bins in curves["calibration"]["brand"].values():
        bins["actual"] = [0.0, None, 0.0]
    assert len(calibration_panels(curves)) == 1


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

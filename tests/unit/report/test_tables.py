"""wAUC and gaps in Markdown."""

import pytest

from offerbench.report.tables import (
    AHEAD,
    BEHIND,
    format_gap,
    format_half_width,
    format_wauc,
    gap_mark,
    gap_markdown,
    report_markdown,
    single_models,
    wauc_markdown,
)

from .content import gaps, tables


@pytest.mark.parametrize(
    ("value", "half_width", "text"),
    [(0.7624, 0.0042, ".762 ±.004"), (1.0, 0.0, "1.000 ±.000"), (0.5, None, ".500 "), (None, None, "- ")],
)
def test_format(value: float | None, half_width: float | None, text: str) -> None:
    assert f"{format_wauc(value, 3)} {format_half_width(half_width, 3)}" == text


@pytest.mark.parametrize(
    ("gap", "half_width", "text", "mark"),
    [
        (0.0191, 0.0041, "+.019 ±.004", AHEAD),
        (-0.0191, 0.0041, "-.019 ±.004", BEHIND),
        (0.0041, 0.0041, "+.004 ±.004", ""),  # 0 is the end of the interval
        (-0.0041, 0.0042, "-.004 ±.004", ""),
        (0.0, 0.0, "+.000 ±.000", ""),
        (1.0, 0.5, "+1.000 ±.500", AHEAD),
    ],
)
def test_gap_and_its_mark(gap: float, half_width: float, text: str, mark: str) -> None:
    found = {"gap": gap, "half_width": half_width}
    assert (format_gap(found, 3), gap_mark(found)) == (text, mark)


def test_no_gap_where_there_is_no_offer() -> None:
    assert (format_gap(None, 3), gap_mark(None)) == ("-", "")


def test_table_without_intervals_is_that_of_the_readme() -> None:
    table = wauc_markdown({"brand": {"full": 0.61, "mono_brand": 0.62}}, 2).splitlines()
    assert [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[2:]] == [
        ["full model (all features)", ".61"],
        ["mono: brand", "**.62**"],
    ]


def test_table_with_intervals() -> None:
    values = {"brand": {"full": 0.61, "history_affinity": None}}
    half_widths = {"brand": {"full": 0.0123, "history_affinity": None}}
    table = wauc_markdown(values, 3, half_widths).splitlines()
    assert [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[2:]] == [
        ["full model (all features)", "**.610 ±.012**"],
        ["history affinity (no training)", "-"],
    ]


def test_gap_table() -> None:
    table = gap_markdown(gaps(augmented=True)["all"], 3).splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table]
    assert cells[0] == ["gap \\ offers", "brand", "category2"]
    assert cells[2:4] == [
        ["full model to the specialist", "+.021 ±.010 ▲", "-.032 ±.032 ▼"],
        ["full model to history affinity", "-.004 ±.004", "+.008 ±.009"],
    ]
    assert [row[0].split(" to ")[0] for row in cells[4:]] == ["augmented model"] * 2


def test_report_with_and_without_intervals_and_gaps() -> None:
    wauc, half_widths = tables(augmented=False)
    plain = report_markdown(wauc, 200, 10, 3)
    assert "±" not in plain and AHEAD not in plain
    full = report_markdown(wauc, 200, 10, 3, half_widths, gaps(augmented=False))
    assert full.count("| gap \\ offers") == 3
    assert f"{AHEAD} ahead, {BEHIND} behind" in full
    assert "## Cold start: offers with more than 10 and at most 200 positives" in full
    first = f"{format_wauc(wauc['all']['brand']['full'], 3)} ±.001"
    assert first in full and first not in plain


def test_single_models_are_those_found() -> None:
    assert single_models(["mono_brand", "full", "history_affinity"]) == ["full"]
    assert single_models(["history_affinity", "augmented", "full"]) == ["full", "augmented"]

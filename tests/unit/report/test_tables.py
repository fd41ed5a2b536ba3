"""wAUC and gaps in Markdown."""

import numpy as np
import pandas as pd
import pytest

from offerbench.report.config import Report
from offerbench.report.tables import (
    AHEAD,
    BEHIND,
    format_difference,
    format_half_width,
    format_wauc,
    gap_markdown,
    gap_marks,
    report_markdown,
    segment_section,
    segment_sections,
    wauc_markdown,
)

from ..parameters import evaluate_parameters
from .content import gap_rows, of_segment, titles, wauc_rows


def cells(table: str) -> list[list[str]]:
    """Text of a Markdown table without its rule."""
    lines = table.splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in (lines[0], *lines[2:])]


def wauc_frame(*found: tuple[str, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(found, columns=["task", "model", "wauc", "half_width"])


@pytest.mark.parametrize(
    ("value", "half_width", "text"),
    [
        (0.7624, 0.0042, ".762 ±.004"),
        (1.0, 0.0, "1.000 ±.000"),
        (0.5, None, ".500 "),
        (None, None, "- "),
        (np.nan, np.nan, "- "),
    ],
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
        (np.nan, np.nan, "- ", ""),  # no offer
    ],
)
def test_gap_and_its_mark(gap: float, half_width: float, text: str, mark: str) -> None:
    assert f"{format_difference(gap, 3)} {format_half_width(half_width, 3)}" == text
    assert list(gap_marks(pd.DataFrame({"gap": [gap], "half_width": [half_width]}))) == [mark]


def test_table_without_intervals() -> None:
    table = wauc_frame(("brand", "full", 0.61, 0.0), ("brand", "mono_brand", 0.62, 0.0))
    assert cells(wauc_markdown(table.drop(columns="half_width"), titles(), 2)) == [
        ["model \\ offers", "brand"],
        ["full model (all features)", ".61"],
        ["mono: brand", "**.62**"],
    ]


def test_table_with_intervals() -> None:
    table = wauc_frame(("brand", "full", 0.61, 0.0123), ("brand", "history_affinity", np.nan, np.nan))
    assert cells(wauc_markdown(table, titles(), 3))[1:] == [
        ["full model (all features)", "**.610 ±.012**"],
        ["history affinity (no training)", "-"],
    ]


def test_rows_and_columns_keep_their_order_and_a_model_without_title_its_name() -> None:
    table = wauc_frame(
        ("b", "z", 0.6, np.nan), ("b", "full", 0.5, 0.01), ("a", "z", 0.7, 0.02), ("a", "full", 0.7, 0.03)
    )
    assert cells(wauc_markdown(table, titles(), 1)) == [
        ["model \\ offers", "b", "a"],
        ["z", "**.6**", "**.7 ±.0**"],
        ["full model (all features)", ".5 ±.0", "**.7 ±.0**"],  # two are best
    ]


def test_gap_table() -> None:
    found = cells(gap_markdown(of_segment(gap_rows()), {"full": "full model"}, 3))
    assert found == [
        ["gap \\ offers", "brand", "category2"],
        ["full model to the specialist", "+.021 ±.010 ▲", "-.032 ±.032 ▼"],
        ["full model to the best yardstick", "-.004 ±.004", "+.008 ±.009"],
        ["augmented to the specialist", "+.021 ±.010 ▲", "-.032 ±.032 ▼"],
        ["augmented to the best yardstick", "-.004 ±.004", "+.008 ±.009"],
    ]
    empty = cells(gap_markdown(of_segment(gap_rows(), "popular"), {}, 3))
    assert {row[2] for row in empty[1:]} == {"-"}


def test_gap_table_with_means() -> None:
    gaps = of_segment(gap_rows())
    gaps = gaps.assign(gap=gaps["gap"].where(gaps["model"] == "full", gaps["gap"] + 0.1))
    found = cells(gap_markdown(gaps, {}, 3, with_mean=True))
    assert found[0] == ["gap \\ offers", "mean", "brand", "category2"]
    assert [row[1] for row in found[1:]] == ["-.006", "+.002", "+.094", "+.102"]
    assert [row[2:] for row in found[1:3]] == [
        row[1:] for row in cells(gap_markdown(of_segment(gap_rows()), {}, 3))[1:3]
    ]


def test_report_has_every_segment_with_intervals_and_gaps() -> None:
    wauc, evaluate = wauc_rows(augmented=False), evaluate_parameters()
    text = report_markdown(wauc, gap_rows(augmented=False), titles(), evaluate, Report(table_decimals=3))
    assert text.startswith("# wAUC on the test users\n")
    assert text.count("| gap \\ offers") == text.count("| model \\ offers") == 3
    assert f"{AHEAD} ahead, {BEHIND} behind" in text
    assert "## Cold start: offers with more than 4 and at most 20 positives" in text
    assert "full model to the best yardstick" in text
    for segment in ("all", "popular", "cold_start"):
        assert wauc_markdown(of_segment(wauc, segment), titles(), 3) in text
    validation = evaluate_parameters(users="validation")
    text = report_markdown(wauc, gap_rows(False), titles(), validation, Report(table_decimals=2))
    assert "wAUC on the validation users" in text and "+.02 ±.01 ▲" in text


def test_a_segment_can_be_taken_out_of_a_report() -> None:
    tables = {"all": "| a |\n\n| more |", "cold_start": "| c |"}
    text = "\n".join(["# Title\n", "Words.\n", *segment_sections(tables, evaluate_parameters())])
    assert {name: segment_section(text, name) for name in tables} == tables
    assert segment_section(text, "popular") is None

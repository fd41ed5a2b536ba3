"""wAUC and gaps in Markdown."""

import numpy as np
import pandas as pd
import pytest

from offerbench.report.config import Report
from offerbench.report.numbers import format_difference, format_half_width, format_wauc
from offerbench.report.tables import (
    AHEAD,
    LOST,
    gap_markdown,
    gap_marks,
    report_markdown,
    segment_section,
    segment_sections,
    wauc_markdown,
)

from ..parameters import evaluate_parameters
from .content import gap_rows, measured, of_segment, rows, titles


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
        (-0.0191, 0.0041, "-.019 ±.004", LOST),
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
        ["full model to the best yardstick, history_affinity", "-.004 ±.004", "+.008 ±.009"],
        ["augmented to the specialist", "+.021 ±.010 ▲", "-.032 ±.032 ▼"],
        ["augmented to the best yardstick, history_affinity", "-.004 ±.004", "+.008 ±.009"],
    ]
    empty = cells(gap_markdown(of_segment(gap_rows(), "popular"), {}, 3))
    assert {row[2] for row in empty[1:]} == {"-"}


def with_recency_best_of_brand(gaps: pd.DataFrame) -> pd.DataFrame:
    is_other = (gaps["task"] == "brand") & (gaps["compared_with"] == "yardstick")
    return gaps.assign(other=gaps["other"].mask(is_other, "recency"))


@pytest.mark.parametrize("with_mean", [False, True])
def test_the_best_yardstick_of_each_task_is_named_where_it_is_not_the_same_in_all(with_mean: bool) -> None:
    gaps, mean = with_recency_best_of_brand(gap_rows()), [""] * with_mean
    found = cells(gap_markdown(of_segment(gaps), {"recency": "a recency"}, 3, with_mean))
    assert [row[0] for row in found[1:]] == [
        "full to the specialist",
        "full to the best yardstick",
        "augmented to the specialist",
        "augmented to the best yardstick",
        "best yardstick",
    ]
    assert found[-1][1:] == [*mean, "a recency", "history_affinity"]
    assert [row[1 + with_mean :] for row in found[:-1]] == [
        row[1 + with_mean :] for row in cells(gap_markdown(of_segment(gap_rows()), {}, 3, with_mean))
    ]


def test_a_task_without_offers_has_no_best_yardstick() -> None:
    popular = of_segment(with_recency_best_of_brand(gap_rows()), "popular")  # no offer of category2
    assert cells(gap_markdown(popular, {}, 3))[2][0] == "full to the best yardstick, recency"
    third = popular[popular["task"] == "brand"].assign(task="price_cluster", other="frequency")
    assert cells(gap_markdown(pd.concat([popular, third]), {}, 3))[-1] == [
        "best yardstick",
        "recency",
        "-",
        "frequency",
    ]
    nothing = cells(gap_markdown(popular.assign(gap=np.nan, half_width=np.nan), {}, 3))
    assert nothing[2] == ["full to the best yardstick", "-", "-"] and len(nothing) == 5


def test_a_gap_that_is_surely_negative_is_printed_as_lost() -> None:
    gaps = of_segment(gap_rows(augmented=False))
    lost = gaps.assign(gap=gaps["gap"].where(gaps["compared_with"] == "specialist", -0.0044))
    assert cells(gap_markdown(lost, {}, 3))[2][1:] == ["-.004 ±.004 ▼", "-.004 ±.009"]


def test_the_ceiling_is_last_in_italics_and_never_the_best() -> None:
    table = wauc_frame(
        ("brand", "ceiling", 0.9, 0.01),
        ("brand", "full", 0.6, 0.01),
        ("brand", "recency", 0.7, 0.02),
        ("category2", "ceiling", 0.5, 0.01),
        ("category2", "full", 0.8, 0.03),
        ("category2", "recency", 0.8, 0.04),
    )
    expected = [
        ["model \\ offers", "brand", "category2"],
        ["full", ".600 ±.010", "**.800 ±.030**"],
        ["recency", "**.700 ±.020**", "**.800 ±.040**"],
        ["*a ceiling*", "*.900 ±.010*", "*.500 ±.010*"],
    ]
    assert cells(wauc_markdown(table, {"ceiling": "a ceiling"}, 3)) == expected
    assert cells(wauc_markdown(table, {"ceiling": "a ceiling"}, 3, {"ceiling"})) == expected


def test_which_rows_are_not_ranked_can_be_said() -> None:
    table = wauc_frame(("a", "x", 0.9, 0.01), ("a", "ceiling", 0.8, 0.01), ("a", "y", 0.7, 0.01))
    assert cells(wauc_markdown(table, {}, 1, not_ranked=()))[1:] == [
        ["x", "**.9 ±.0**"],
        ["ceiling", ".8 ±.0"],
        ["y", ".7 ±.0"],
    ]
    assert cells(wauc_markdown(table, {}, 1, not_ranked=["x"]))[1:] == [
        ["ceiling", "**.8 ±.0**"],
        ["y", ".7 ±.0"],
        ["*x*", "*.9 ±.0*"],
    ]


def test_a_task_may_be_called_as_a_column_of_the_results() -> None:
    assert cells(wauc_markdown(wauc_frame(("model", "full", 0.6, 0.01)), {}, 2)) == [
        ["model \\ offers", "model"],
        ["full", "**.60 ±.01**"],
    ]


def test_gap_table_with_means() -> None:
    gaps = of_segment(gap_rows())
    gaps = gaps.assign(gap=gaps["gap"].where(gaps["model"] == "full", gaps["gap"] + 0.1))
    found = cells(gap_markdown(gaps, {}, 3, with_mean=True))
    assert found[0] == ["gap \\ offers", "mean", "brand", "category2"]
    assert [row[1] for row in found[1:]] == ["-.006", "+.002", "+.094", "+.102"]
    assert [row[2:] for row in found[1:3]] == [
        row[1:] for row in cells(gap_markdown(of_segment(gap_rows()), {}, 3))[1:3]
    ]


def test_report_has_both_measures_every_segment_with_intervals_and_gaps() -> None:
    results, evaluate = measured(augmented=False), evaluate_parameters()
    text = report_markdown(results, rows(augmented=False), evaluate, Report(table_decimals=3))
    assert text.startswith("# wAUC on the test users\n")
    assert text.count("| gap \\ offers") == text.count("| model \\ offers") == 6
    assert f"{AHEAD} ahead, {LOST} lost" in text
    assert "The ceiling, in italics, counts" in text and "*ceiling (sees the future)*" in text
    head, published, clean = text.split("\n## ")
    assert "model" not in head
    assert published.startswith(
        "Published measure: every negative counts but those with the offer of the user's own event\n"
    )
    assert clean.startswith(
        "Clean measure: every negative counts but those whose user bought the offer on that"
    )
    for part, found in zip((published, clean), results, strict=True):
        assert "### Cold start: offers with more than 4 and at most 20 positives" in part
        assert "full model to the best yardstick, history affinity" in part
        for segment in ("all", "popular", "cold_start"):
            assert wauc_markdown(of_segment(found.wauc, segment), titles(), 3) in part
            assert gap_markdown(of_segment(found.gaps, segment), short_titles(), 3) in part
    validation = evaluate_parameters(users="validation")
    text = report_markdown(results, rows(False), validation, Report(table_decimals=2))
    assert "wAUC on the validation users" in text and "+.02 ±.01 ▲" in text


def short_titles() -> dict[str, str]:
    return {row.name: row.short_title for row in rows()}


def test_a_segment_can_be_taken_out_of_a_report() -> None:
    tables = {"all": "| a |\n\n| more |", "cold_start": "| c |"}
    text = "\n".join(["# Title\n", "Words.\n", *segment_sections(tables, evaluate_parameters())])
    assert {name: segment_section(text, name) for name in tables} == tables
    assert segment_section(text, "popular") is None
    below = "\n".join(["# Title\n", *segment_sections(tables, evaluate_parameters(), level=3)])
    assert "\n### All offers: every offer" in below
    assert segment_section(below, "all") is None  # a part of a section

"""Colours, the heat map and the figures of the page."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.image
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from offerbench.core.rows import Role, Row
from offerbench.report.colours import COLOURS, INK, NO_OFFER, highest_shade
from offerbench.report.curves import curve_lines, curve_panels
from offerbench.report.heat_map import draw_heat_map
from offerbench.report.inline_svg import INK as STROKE
from offerbench.report.inline_svg import SERIES
from offerbench.report.measures import MeasureResults
from offerbench.report.numbers import format_wauc
from offerbench.report.popularity import popularity_lines, popularity_panels
from offerbench.report.tables import SEGMENT_TITLES

from .content import curves, measured, offers, page_content, rows, trained


def luminance(colour: str | tuple[float, ...]) -> float:
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@given(st.one_of(st.floats(-1, 2), st.just(np.nan)))
def test_text_of_a_cell_is_legible(share: float) -> None:
    light, dark = luminance(COLOURS(share)[:3]), luminance(INK)
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # what WCAG asks of text


def test_no_offer_has_a_colour_of_its_own() -> None:
    assert COLOURS(np.nan)[:3] == to_rgb(NO_OFFER)
    assert luminance(COLOURS(0.0)[:3]) > luminance(COLOURS(0.5)[:3]) > luminance(COLOURS(1.0)[:3])


@pytest.mark.parametrize(("best", "highest"), [(None, 0.75), (0.6, 0.75), (0.751, 0.8), (0.99, 1.0)])
def test_colours_reach_the_best_value(best: float | None, highest: float) -> None:
    assert highest_shade(pd.DataFrame({"wauc": [np.nan, best]}, dtype=float)) == pytest.approx(highest)


@pytest.mark.parametrize("augmented", [False, True])
def test_heat_map_with_intervals_differs_and_repeats(tmp_path: Path, augmented: bool) -> None:
    results = measured(augmented)[0]
    plain = replace(results, wauc=results.wauc.assign(half_width=np.nan))
    for name, shown in (("a", results), ("b", results), ("plain", plain)):
        draw_heat_map(shown, rows(augmented), 3, tmp_path / f"{name}.png")
    first, second, plain = ((tmp_path / f"{name}.png").read_bytes() for name in ("a", "b", "plain"))
    assert first == second != plain
    assert b"tIME" not in first and b"Software" not in first
    height, width, _ = matplotlib.image.imread(tmp_path / "a.png").shape
    assert width > height > 200


def drawn(results: MeasureResults, target: Path, monkeypatch: pytest.MonkeyPatch) -> Figure:
    """The figure that is written, still open to be asked."""
    figures: list[Figure] = []
    monkeypatch.setattr(plt, "close", figures.append)
    draw_heat_map(results, rows(), 3, target)
    monkeypatch.undo()
    (figure,) = figures
    plt.close(figure)
    return figure


@pytest.mark.parametrize("measure", [0, 1])
def test_heat_map_says_its_measure_and_sets_the_ceiling_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measure: int
) -> None:
    results = measured()[measure]
    shuffled = replace(results, wauc=results.wauc.iloc[::-1].reset_index(drop=True))
    for shown in (results, shuffled):
        figure = drawn(shown, tmp_path / "a.png", monkeypatch)
        assert figure.get_suptitle() == f"wAUC, {results.measure} measure"
        labels = figure.axes[0].get_yticklabels()
        assert labels[-1].get_text() == "ceiling (sees the future)"
        assert [label.get_fontstyle() for label in labels] == ["normal"] * (len(labels) - 1) + ["italic"]
        for axis in figure.axes[:3]:
            italic = {text.get_text().split()[0] for text in axis.texts if text.get_fontstyle() == "italic"}
            of_ceiling = shown.wauc[shown.wauc["model"] == "ceiling"].set_index(["segment", "task"])["wauc"]
            segment = next(key for key, title in SEGMENT_TITLES.items() if title == axis.get_title())
            assert italic == {format_wauc(value, 3) for value in of_ceiling[segment].dropna()}
            assert [line.get_ydata()[0] for line in axis.lines] == [len(labels) - 1]


def test_names_and_numbers_of_a_heat_map_with_many_rows_do_not_overlap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = drawn(measured()[0], tmp_path / "a.png", monkeypatch)
    FigureCanvasAgg(figure).draw()
    names = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert min(box.x0 for box in names) >= 0
    for axis in figure.axes[:3]:
        numbers = [text.get_window_extent() for text in axis.texts]
        for boxes in (names, numbers):
            assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def all_svgs() -> list[str]:
    content = page_content()
    panels = popularity_panels(content.offers, ["brand", "category2"], content.rows)
    with_curve = [row for row in content.rows if row.name in trained()]
    return [str(panel.svg) for panel in (*panels, *curve_panels(content.curves, with_curve))]


def test_figures_take_the_colours_of_the_page() -> None:
    for svg in all_svgs():
        assert "currentColor" in svg and "var(--series-0)" in svg
        assert not any(colour in svg for colour in (STROKE, *SERIES, "#000000"))


def test_figures_are_well_formed_with_identifiers_of_their_own() -> None:
    found: list[str] = []
    for svg in all_svgs():
        identifiers = re.findall(r'\bid="([^"]+)"', svg)
        uses = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg)
        assert uses and {a or b for a, b in uses} <= set(identifiers)
        assert ElementTree.fromstring(svg).attrib["aria-label"]
        found += identifiers
    assert len(found) == len(set(found))


def test_figure_says_what_it_shows() -> None:
    frame = offers(augmented=False)
    (panel,) = popularity_panels(frame, ["brand"], rows(augmented=False))
    brand = frame[frame["task"] == "brand"]
    mean = np.average(brand["full"], weights=brand["positives"])
    assert (
        f"AUC of 30 offers of brand against their positives ({brand['positives'].min()} to 1,000)"
        in panel.svg
    )
    assert f"full model {mean:.3f}".replace("0.", ".") in panel.svg


def test_task_without_offer_has_an_empty_figure() -> None:
    (panel,) = popularity_panels(offers(augmented=False).iloc[:0], ["brand"], rows(augmented=False))
    assert "No offer of brand was evaluated." in panel.svg


def test_figure_of_a_task_has_the_rows_of_every_task_and_its_own_specialist() -> None:
    more = [*rows(), Row("another", "another (whole past)", Role.YARDSTICK)]
    assert [(line.model, line.title) for line in popularity_lines("category2", more)] == [
        ("full", "full model"),
        ("augmented", "augmented model"),
        ("mono_category2", "specialist"),
        ("history_affinity", "history affinity"),
        ("frequency", "frequency"),
        ("recency", "recency"),
        ("ceiling", "ceiling"),
        ("another", "another"),
    ]


def test_lines_of_many_models_differ_in_colour_or_marker() -> None:
    many = [Row(f"model{index}", "a title", Role.SPECIALIST, f"task{index}") for index in range(32)]
    looks = [(line.slot, line.marker) for line in curve_lines(many)]
    assert len(set(looks)) == len(many)


def test_curves_of_one_epoch_and_of_none() -> None:
    panels = curve_panels(curves(["full"], epochs=1), rows(augmented=False)[:2])
    assert "full model 0.510 to 0.510; mono: brand no epoch." in panels[0].svg
    assert "full model no epoch" in curve_panels(curves([]), rows()[:1])[0].svg

"""Colours, the heat map and the figures of the page."""

import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.image
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.report.colours import highest_shade, ink, shade
from offerbench.report.curves import curve_lines, curve_panels
from offerbench.report.heat_map import draw_heat_map
from offerbench.report.inline_svg import INK, SERIES
from offerbench.report.popularity import LEAST_POSITIVES, means_by_popularity, popularity_panels

from .content import models, offers, page_content, tables


def luminance(colour: str) -> float:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@given(st.floats(0, 1), st.sampled_from([0.75, 0.9, 1.0]))
def test_text_of_a_cell_is_legible(value: float, highest: float) -> None:
    background = shade(value, highest)
    light, dark = sorted([luminance(background), luminance(ink(background))], reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # what WCAG asks of text


@pytest.mark.parametrize(("best", "highest"), [(None, 0.75), (0.6, 0.75), (0.751, 0.8), (0.99, 1.0)])
def test_colours_reach_the_best_value(best: float | None, highest: float) -> None:
    assert highest_shade({"all": {"brand": {"full": best, "mono_brand": None}}}) == pytest.approx(highest)


@pytest.mark.parametrize("augmented", [False, True])
def test_heat_map_with_intervals_differs_and_repeats(tmp_path: Path, augmented: bool) -> None:
    wauc, half_widths = tables(augmented)
    for name, intervals in (("a", half_widths), ("b", half_widths), ("plain", None)):
        draw_heat_map(wauc, 3, tmp_path / f"{name}.png", intervals)
    first, second, plain = ((tmp_path / f"{name}.png").read_bytes() for name in ("a", "b", "plain"))
    assert first == second != plain
    height, width, _ = matplotlib.image.imread(tmp_path / "a.png").shape
    assert width > height > 200


def test_mean_auc_by_popularity() -> None:
    positives = np.array([20, 20, 40, 60, 3])  # 16-31: 40, 32-63: 100 positives; 2-3 are too few
    auc = np.array([0.5, 0.7, 0.2, 0.7, 1.0])
    assert positives[-1] < LEAST_POSITIVES
    middle, mean = means_by_popularity(positives, auc)
    np.testing.assert_allclose(middle, [20, np.sqrt(40 * 60)])
    np.testing.assert_allclose(mean, [0.6, (0.2 * 40 + 0.7 * 60) / 100])


def all_svgs() -> list[str]:
    content = page_content()
    panels = popularity_panels(content.offers, ["brand", "category2"], models(augmented=True))
    return [str(panel.svg) for panel in (*panels, *curve_panels(content.curves))]


def test_figures_take_the_colours_of_the_page() -> None:
    for svg in all_svgs():
        assert "currentColor" in svg and "var(--series-0)" in svg
        assert not any(colour in svg for colour in (INK, *SERIES, "#000000"))


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
    (panel,) = popularity_panels(frame, ["brand"], models(augmented=False))
    brand = frame[frame["task"] == "brand"]
    mean = np.average(brand["full"], weights=brand["positives"])
    assert (
        f"AUC of 30 offers of brand against their positives ({brand['positives'].min()} to 1,000)"
        in panel.svg
    )
    assert f"full model {mean:.3f}".replace("0.", ".") in panel.svg


def test_task_without_offer_has_an_empty_figure() -> None:
    (panel,) = popularity_panels(offers(augmented=False).iloc[:0], ["brand"], models(augmented=False))
    assert "No offer of brand was evaluated." in panel.svg


def test_lines_of_many_models_differ_in_colour_or_marker() -> None:
    names = ["full", "augmented", *(f"mono_task{index}" for index in range(30))]
    looks = [(line.slot, line.marker) for line in curve_lines(names)]
    assert len(set(looks)) == len(names)


def test_curves_of_one_epoch_and_of_none() -> None:
    row = {"train_loss": 0.6, "train_auc": 0.5, "validation_loss": 0.6, "validation_auc": 0.51}
    panels = curve_panels({"full": [{"epoch": 1, **row}], "mono_brand": []})
    assert "full model 0.510 to 0.510; mono: brand no epoch." in panels[0].svg

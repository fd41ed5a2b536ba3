"""The page: whole, escaped, the same bytes each time, and nothing is fetched."""

import dataclasses
from html.parser import HTMLParser
from pathlib import Path

import pytest

from offerbench.report.page import page_html, verdicts, write_page
from offerbench.report.tables import format_half_width, format_wauc

from ..parameters import changed
from .content import HOSTILE, TASKS, gaps, models, page_content, tables

VOID = {"meta", "wbr", "br", "img", "link", "input"}


class Reader(HTMLParser):
    """Reads tables as text, and keeps all attributes and the elements that stay open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.attributes: list[tuple[str, str, str]] = []
        self.words = ""
        self._open: list[str] = []
        self._table = ""
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attributes]
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self._table = dict(attributes)["id"] or ""
            assert self._table not in self.tables
            self.tables[self._table] = []
        elif tag == "tr":
            self.tables[self._table].append([])
        elif tag in ("td", "th"):
            self.tables[self._table][-1].append("")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attributes]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data
        if {"td", "th"} & set(self._open):
            self.tables[self._table][-1][-1] += data


@pytest.fixture(scope="module", params=[False, True], ids=["full", "full and augmented"])
def augmented(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def page(augmented: bool) -> Reader:
    return Reader(page_html(page_content(augmented)))


def test_every_wauc_and_interval_stands_in_its_cell(page: Reader, augmented: bool) -> None:
    wauc, half_widths = tables(augmented)
    for segment, by_task in wauc.items():
        rows = page.tables[f"wauc-{segment}"]
        assert rows[0] == ["model", *TASKS]
        for m, name in enumerate(models(augmented)):
            for t, task in enumerate(TASKS):
                half_width = format_half_width(half_widths[segment][task][name], 3)
                expected = f"{format_wauc(by_task[task][name], 3)} {half_width}".strip()
                assert rows[1 + m][1 + t] == expected


def test_every_gap_stands_in_its_cell_with_its_mark(page: Reader, augmented: bool) -> None:
    for model in models(augmented)[: 1 + augmented]:
        for segment in ("all", "cold_start"):
            rows = [[cell.strip() for cell in row] for row in page.tables[f"gaps-{segment}-{model}"]]
            assert rows == [
                ["task", "to the specialist", "to history affinity"],
                ["brand", "+.021 ±.010 ▲", "-.004 ±.004"],
                ["category2", "-.032 ±.032 ▼", "+.008 ±.009"],
            ]
        assert [cell.strip() for cell in page.tables[f"gaps-popular-{model}"][2]] == ["category2", "-", "-"]
    assert ("gaps-all-augmented" in page.tables) == augmented


def test_mark_is_said_in_words(page: Reader) -> None:
    labels = [value for tag, name, value in page.attributes if (tag, name) == ("span", "aria-label")]
    assert set(labels) == {"ahead", "behind"}
    assert "▲ ahead, ▼ behind: the 95% interval of the gap excludes 0" in page.words


def test_best_of_a_column_is_bold_and_cells_are_coloured() -> None:
    text = page_html(page_content(augmented=False))
    assert "<strong>.562</strong> <small>±.004</small>" in text  # history affinity, the highest of brand
    assert text.count("<strong>") == 5  # a column each, but for the one without offers
    assert text.count('style="background:#') == 4 * 5


def test_card_and_parameters(page: Reader) -> None:
    facts = dict(page.tables["facts"])
    assert facts["rows"] == "54,321"
    assert facts[f"event types: {HOSTILE}"] == "54,321"
    assert facts["users: test"] == "73"
    assert facts["data set"] == HOSTILE
    assert "d41d8cd98f00b204e9800998ecf8427e.dir" in facts.values()
    assert page.tables["card-vocabulary"][1] == ["brand", "91", "82", "0.9877"]
    assert page.tables["card-batches"] == [
        ["split", "events", "batches"],
        ["train", "61", "62"],
        ["test", "63", "64"],
    ]
    assert page.tables["card-evaluated"][2] == ["category2", "4,712", "8,001"]
    parameters = dict(page.tables["params"])
    assert parameters["prepare.clusters.price_cluster.sample"] == "300"
    assert parameters["tasks"] == "brand, category2"
    assert parameters["custom"] == "null"
    assert parameters["train.early_stopping_patience"] == "null"
    assert parameters["train.weight_decay"] == "1e-06"


def test_names_are_escaped(page: Reader) -> None:
    assert page.tables["offers-brand"][1][:2] == [HOSTILE, "1,000"]
    assert not [tag for tag, _, _ in page.attributes if tag == "b"]
    assert HOSTILE not in page_html(page_content())


def test_nothing_is_fetched(page: Reader, augmented: bool) -> None:
    for tag, name, value in page.attributes:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        if name in ("src", "href", "xlink:href", "action", "data", "srcset", "poster"):
            assert value.startswith(("#", "data:image/png;base64,")), (tag, name, value)
        assert "@import" not in value and "url(" not in value.replace("url(#", "")
    assert not [1 for tag, name, _ in page.attributes if (tag, name) == ("script", "src")]
    harmless = page_content(
        augmented,
        dataset="shop",
        offers=page_content(augmented).offers.assign(value="x"),
        prepared={**page_content(augmented).prepared, "event_types": {}},
    )
    assert "http:" not in (text := page_html(harmless)) and "https:" not in text
    assert "default-src 'none'" in text


def test_page_is_accessible(page: Reader) -> None:
    def values(tag: str, name: str) -> list[str]:
        return [found for t, n, found in page.attributes if (t, n) == (tag, name)]

    assert values("html", "lang") == ["en"]
    assert all(values("svg", "aria-label")) and values("svg", "role") == ["img"] * 6
    identifiers = [value for _, name, value in page.attributes if name == "id"]
    assert len(identifiers) == len(set(identifiers))
    captions = {name.removesuffix("-caption") for name in values("caption", "id")}
    assert captions == set(page.tables)
    assert set(values("a", "href")) <= {f"#{name}" for name in identifiers}
    labelled = [value for _, name, value in page.attributes if name == "aria-labelledby"]
    assert labelled and set(labelled) <= set(identifiers)


def test_same_content_gives_same_bytes_and_a_small_file(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        write_page(tmp_path / "reports" / name, page_content())
    first, second = ((tmp_path / "reports" / name).read_bytes() for name in ("a.html", "b.html"))
    assert first == second
    assert len(first) < 1_500_000
    other = page_content(data_version=None)
    write_page(tmp_path / "c.html", other)
    assert "not known to DVC" in (tmp_path / "c.html").read_text("utf-8")


def test_digits_and_borders_come_from_the_parameters() -> None:
    parameters = changed("evaluate.table_decimals", 4)
    text = page_html(dataclasses.replace(page_content(), parameters=parameters))
    assert "+.0213 <small>±.0101</small>" in text
    assert "Offers with more than 4 and at most 20 positives" in text


def test_verdicts_count_the_marks() -> None:
    assert verdicts(gaps(augmented=False)["all"], 3) == [
        "The full model against the specialist of the task: ahead in 1 of 2 tasks, behind in 1, "
        "too close to call in 0; mean gap -.006.",
        "The full model against history affinity: ahead in 0 of 2 tasks, behind in 0, "
        "too close to call in 2; mean gap +.002.",
    ]
    nothing = {"brand": {"full": {"specialist": None, "affinity": None}}}
    assert verdicts(nothing, 3) == []

"""The page: whole, escaped, the same bytes each time, and nothing is fetched."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from offerbench.core.findings import Finding
from offerbench.core.rows import Role, Row
from offerbench.report.config import Report
from offerbench.report.numbers import format_half_width, format_wauc
from offerbench.report.page import page_html, verdicts

from .content import (
    HOSTILE,
    TASKS,
    gap_rows,
    measured,
    models,
    of_segment,
    page_content,
    parameters,
    rows,
)
from .test_pictures import luminance

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
            self._table = (dict(attributes)["id"] or "").removeprefix("T_")
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


def test_every_wauc_and_interval_is_in_its_cell(page: Reader, augmented: bool) -> None:
    for found in measured(augmented):
        wauc = found.wauc.set_index(["segment", "task", "model"])
        for segment in ("all", "popular", "cold_start"):
            cells = page.tables[f"wauc-{found.measure}-{segment}"]
            assert cells[0] == ["model", *TASKS]
            assert [row[0] for row in cells[1:]] == [row.title for row in rows(augmented)]
            for m, name in enumerate(models(augmented)):
                for t, task in enumerate(TASKS):
                    value, half_width = wauc.loc[(segment, task, name)]
                    expected = f"{format_wauc(value, 3)} {format_half_width(half_width, 3)}".strip()
                    assert cells[1 + m][1 + t] == expected


def test_every_gap_is_in_its_cell_with_its_mark(page: Reader, augmented: bool) -> None:
    for model in models(augmented)[: 1 + augmented]:
        for segment in ("all", "cold_start"):
            for measure, expected in (
                ("published", [["+.021 ±.010 ▲", "-.004 ±.004"], ["-.032 ±.032 ▼", "+.008 ±.009"]]),
                ("clean", [["-.019 ±.010 ▼", "-.045 ±.004 ▼"], ["-.073 ±.032 ▼", "-.032 ±.009 ▼"]]),
            ):
                table = page.tables[f"gaps-{measure}-{segment}-{model}"]
                assert [[cell.strip() for cell in row] for row in table] == [
                    ["task", "to the specialist", "to the best yardstick, history affinity"],
                    ["brand", *expected[0]],
                    ["category2", *expected[1]],
                ]
        for measure in ("published", "clean"):
            empty = page.tables[f"gaps-{measure}-popular-{model}"][2]
            assert [cell.strip() for cell in empty] == ["category2", "-", "-"]
    for measure in ("published", "clean"):
        assert (f"gaps-{measure}-all-augmented" in page.tables) == augmented


def test_the_best_row_is_named_where_it_is_not_always_the_same() -> None:
    other = Row("another", f"another {HOSTILE} (whole past)", Role.YARDSTICK)
    gaps = gap_rows()
    is_other = (gaps["task"] == "brand") & (gaps["compared_with"] == "yardstick")
    gaps["other"] = gaps["other"].mask(is_other, other.name)
    published, clean = measured()
    wauc = published.wauc
    wauc = pd.concat([wauc, wauc[wauc["model"] == "full"].assign(model=other.name)])
    offers = page_content().offers.assign(another=0.5)
    results = [replace(published, wauc=wauc, gaps=gaps), clean]
    page = Reader(page_html(page_content(rows=[*rows(), other], results=results, offers=offers)))
    assert page.tables["gaps-published-all-full"][0] == [
        "task",
        "to the specialist",
        "to the best yardstick",
        "best yardstick",
    ]
    assert [row[3] for row in page.tables["gaps-published-all-full"][1:]] == [
        f"another {HOSTILE}",
        "history affinity",
    ]
    popular = page.tables["gaps-published-popular-full"]  # no offer of category2: nothing is best
    assert popular[0][2:] == [f"to the best yardstick, another {HOSTILE}"]
    assert page.tables["gaps-clean-all-full"][0][2:] == ["to the best yardstick, history affinity"]
    assert [row[0] for row in page.tables["wauc-published-all"][-2:]] == [
        other.title,
        "ceiling (sees the future)",
    ]
    assert page.tables["offers-brand"][0][-1] == f"another {HOSTILE}"
    assert "against the best yardstick of the task: ahead" in page.words
    assert not [tag for tag, _, _ in page.attributes if tag == "b"]


def test_mark_is_said_in_words(page: Reader) -> None:
    labels = [value for tag, name, value in page.attributes if (tag, name) == ("span", "aria-label")]
    assert set(labels) == {"ahead", "lost"}
    assert "▲ ahead, ▼ lost: the 95% interval of the gap excludes 0" in page.words


def test_best_of_a_column_is_bold_and_the_specialist_of_its_task_framed() -> None:
    text = page_html(page_content(augmented=False))
    assert "<strong>.596</strong> <small>±.006</small>" in text  # recency, the highest of brand
    assert "<strong>.608</strong> <small>±.006</small>" in text  # by the clean measure
    assert text.count("<strong>") == 2 * 5  # a column each, but for the one without offers
    frames = re.findall(r'id="T_wauc-([\w-]+)_row(\d)_col(\d)" class="[^"]*\bspecialist\b', text)
    assert frames == [
        (f"{measure}-{segment}", str(1 + t), str(t))
        for measure in ("published", "clean")
        for segment in ("all", "popular", "cold_start")
        for t in (0, 1)
    ]


def test_the_ceiling_is_set_apart_and_explained(page: Reader, augmented: bool) -> None:
    text = page_html(page_content(augmented))
    assert ".613 <small>±.007</small>" in text or augmented  # higher than the best, and not bold
    apart = re.findall(r'id="T_wauc-[\w-]+_row(\d)_col\d" class="[^"]*\bapart\b', text)
    assert apart == [str(len(models(augmented)) - 1)] * 12
    assert page.words.count("The ceiling, in italics, counts the user's events of the whole period") == 2


def test_each_measure_says_what_it_counts_and_nothing_else_is_doubled(page: Reader, augmented: bool) -> None:
    headings = re.findall(r"<h([23]) id=\"[\w-]+\">([^<]+)", page_html(page_content(augmented)))
    segments = [("3", "All offers"), ("3", "Popular offers"), ("3", "Cold start")]
    assert headings == [
        ("2", "Published measure"),
        *segments,
        ("2", "Clean measure"),
        *segments,
        ("2", "What to know of these numbers"),
        *(("2", title) for title in ("AUC against popularity", "Training curves", "Data set", "Parameters")),
    ]
    assert "\nEvery negative counts but those with the offer of the user's own event. Best" in page.words
    assert "\nEvery negative counts but those whose user bought the offer on that day, and" in page.words
    assert "AUC is by the\npublished measure." in page.words


def test_cells_have_legible_colours_by_their_wauc() -> None:
    text = page_html(page_content(augmented=False))
    rule = re.compile(r"((?:#T_wauc-[\w-]+,?\s*)+)\{\s*background-color: (#\w{6});\s*color: (#\w{6});\s*\}")
    colours = {
        name.removeprefix("#T_wauc-"): (background, ink)
        for names, background, ink in rule.findall(text)
        for name in re.split(r",?\s+", names.strip())
    }
    assert len(colours) == 7 * 12 == text.count('id="T_wauc-') - 6
    for background, ink in colours.values():
        assert (luminance(background) + 0.05) / (luminance(ink) + 0.05) >= 4.5
    brightness = [luminance(colours[f"published-all_row{m}_col0"][0]) for m in range(7)]
    assert brightness == sorted(set(brightness), reverse=True)  # the higher, the darker
    assert {colours[f"published-popular_row{m}_col1"][0] for m in range(7)} == {"#e3e6ea"}  # no offer


def test_a_colour_means_the_same_wauc_by_both_measures() -> None:
    published, clean = measured(augmented=False)
    best = published.wauc.assign(wauc=published.wauc["wauc"] + 0.2)
    alike = [replace(clean, measure=found.measure) for found in (published, clean)]
    raised = [replace(published, wauc=best), clean]
    styles = []
    for results in (alike, raised):
        text = page_html(page_content(augmented=False, results=results))
        # From the start of a rule on: the page is long.
        rules = re.findall(r"[}>]([^{}]*)\{\s*background-color: (#\w{6})", text)
        styles.append(next(colour for names, colour in rules if "#T_wauc-clean-all_row3_col0" in names))
    assert styles[0] != styles[1]  # the higher results of the other measure stretch its colours too


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
    assert page.tables["card-evaluated"] == [
        ["task", "offers", "pairs", "pairs (clean)"],  # what is the same by both is shown once
        ["brand", "4,711", "8,000", "7,000"],
        ["category2", "4,712", "8,001", "7,001"],
    ]
    found = dict(page.tables["params"])
    assert found["prepare.clusters.price_cluster.sample"] == "300"
    assert found["tasks"] == "brand, category2"
    assert found["custom"] == "null"
    assert not [key for key in found if key.startswith(("train_", "resources", "gate"))]
    others = page.tables["other-trainings"]
    assert others[0] == ["key", "train_boosted", "train_peer", "train_activity", "train_head"]
    assert ["batches", "-", "3", "-", "-"] in others
    assert ["boosting.leaves", "4", "4", "-", "-"] in others


def test_what_each_model_was_trained_with_has_a_column(page: Reader) -> None:
    header, *found = page.tables["trainings"]
    assert header == ["key", "train_full", "train_augmented", "train_mono"]
    cells = {row[0]: row[1:] for row in found}
    assert cells["early_stopping_patience"] == ["null"] * 3
    assert cells["optimizer.weight_decay"] == ["1e-06"] * 3
    assert cells["ranker.units"] == ["6, 3"] * 3
    assert cells["ranker.variance"] == ["false", "true", "false"]
    assert cells["ranker.match_score"] == ["null", "-", "null"]
    assert cells["ranker.match_score.windows"] == ["-", "2, null", "-"]
    assert cells["history_dropout"] == ["0.0", "0.2", "0.0"]


def test_a_count_that_one_row_has_not_is_a_dash() -> None:
    batches = {"train": {"events": 61}, "test": {"events": 1234, "shares": 0.5}}
    page = Reader(page_html(page_content(batches=batches)))
    assert page.tables["card-batches"][1:] == [["train", "61", "-"], ["test", "1,234", "0.5000"]]


def test_names_are_escaped(page: Reader) -> None:
    assert page.tables["offers-brand"][1][:2] == [HOSTILE, "1,000"]
    assert not [tag for tag, _, _ in page.attributes if tag == "b"]
    assert HOSTILE not in page_html(page_content())


def test_any_text_of_the_data_is_escaped_wherever_it_is_shown() -> None:
    nested = {HOSTILE: {HOSTILE: HOSTILE}}
    prepared = {**page_content().prepared, HOSTILE: 1, "reasons": {HOSTILE: HOSTILE}, "vocabulary": nested}
    results = [replace(found, evaluated=nested) for found in measured()]
    content = page_content(prepared=prepared, batches=nested, results=results, data_version=HOSTILE)
    text = page_html(content)
    page = Reader(text)
    assert HOSTILE not in text
    assert not [tag for tag, _, _ in page.attributes if tag == "b"]
    assert page.tables["card-evaluated"] == [["task", HOSTILE], [HOSTILE, HOSTILE]]
    assert page.tables["card-vocabulary"] == [["feature", HOSTILE], [HOSTILE, HOSTILE]]
    assert dict(page.tables["facts"])["data version (MD5 of the raw directory)"] == HOSTILE


def test_nothing_is_fetched(page: Reader, augmented: bool) -> None:
    for tag, name, value in page.attributes:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        if name in ("src", "href", "xlink:href", "action", "data", "srcset", "poster"):
            is_here = value.startswith(("#", "data:image/png;base64,"))
            assert is_here or (tag, value) == ("a", "campaigns.html"), (tag, name, value)
        assert "@import" not in value and "url(" not in value.replace("url(#", "")
    assert not [1 for tag, name, _ in page.attributes if (tag, name) == ("script", "src")]
    content = page_content(augmented)
    harmless = page_content(
        augmented,
        parameters=parameters(dataset="shop"),
        offers=content.offers.assign(value=[f"x{index}" for index in range(len(content.offers))]),
        prepared={**content.prepared, "event_types": {}},
        findings=[Finding("1.0% are own")],
    )
    assert "http:" not in (text := page_html(harmless)) and "https:" not in text
    assert "@import" not in text and "url(" not in text.replace("url(#", "")
    assert "default-src 'none'" in text


def test_page_is_accessible(page: Reader) -> None:
    def values(tag: str, name: str) -> list[str]:
        return [found for t, n, found in page.attributes if (t, n) == (tag, name)]

    assert values("html", "lang") == ["en"]
    assert all(values("svg", "aria-label")) and values("svg", "role") == ["img"] * 6
    identifiers = [value for _, name, value in page.attributes if name == "id"]
    assert len(identifiers) == len(set(identifiers))
    assert len(values("div", "aria-label")) == len(page.tables)
    assert all(values("div", "aria-label")) and values("div", "role") == ["region"] * len(page.tables)
    cells = [row for table in page.tables.values() for row in table]
    assert values("th", "scope").count("row") == len(cells) - len(page.tables)
    assert values("th", "scope").count("col") == sum(len(table[0]) for table in page.tables.values())
    assert len(values("th", "scope")) == len(values("th", "class"))
    assert set(values("a", "href")) <= {f"#{name}" for name in identifiers} | {"campaigns.html"}
    labelled = [value for _, name, value in page.attributes if name == "aria-labelledby"]
    assert labelled and set(labelled) <= set(identifiers)


def test_same_content_gives_the_same_text_and_a_small_file() -> None:
    first, second = page_html(page_content()), page_html(page_content())
    assert first == second
    assert len(first.encode()) < 1_500_000
    assert "not known to DVC" in page_html(page_content(data_version=None))


def test_digits_and_borders_come_from_the_parameters() -> None:
    text = page_html(page_content(parameters=parameters(report=Report(table_decimals=4))))
    assert "+.0213 <small>±.0101</small>" in text
    assert "Offers with more than 4 and at most 20 positives" in text


def test_the_page_says_whose_users_were_measured() -> None:
    evaluate = parameters().evaluate.model_copy(update={"users": "validation"})
    assert "on\n73 test users" in page_html(page_content())
    assert "on\n72 validation users" in page_html(page_content(parameters=parameters(evaluate=evaluate)))


def test_the_page_begins_with_the_verdicts_over_all_offers(page: Reader, augmented: bool) -> None:
    for found in measured(augmented):
        sentences = verdicts(of_segment(found.gaps), rows(augmented), 3)
        assert len(sentences) == 2 * (1 + augmented)
        for sentence in sentences:
            assert page.words.count(f"\n{sentence}\n") == 1


def test_verdicts_count_the_marks() -> None:
    gaps = of_segment(gap_rows(augmented=False))
    assert verdicts(gaps, rows(), 3) == [
        "The full model against the specialist of the task: ahead in 1 of 2 tasks, "
        "lost in 1 (category2), too close to call in 0; mean gap -.006.",
        "The full model against the best yardstick, history affinity: ahead in 0 of 2 tasks, lost in 0, "
        "too close to call in 2; mean gap +.002.",
    ]
    assert verdicts(gaps.assign(gap=np.nan, half_width=np.nan), rows(), 3) == []


def test_what_to_know_is_on_the_page_warnings_marked(page: Reader) -> None:
    assert f"Warning: {HOSTILE} is rare, more than 30%: lower it." in page.words
    assert "1.0% are own." in page.words and "Warning: 1.0% are own" not in page.words
    assert "What to know: 1 warning\n" in page.words

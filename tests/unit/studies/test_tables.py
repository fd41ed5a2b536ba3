import math
import re
from typing import Any

import pandas as pd
import pytest

from offerbench.studies.results import StudyResults
from offerbench.studies.tables import mean_and_deviation, row_of_model, segment_markdown, value_text

from .set_up import Values, make_study, plan, results

NAN = float("nan")
STUDY = make_study()


def values(augmented: float, affinity: float = 0.5) -> Values:
    """All offers in both tasks, popular ones in one, rare ones in none."""
    brand = {"full": 0.61, "augmented": augmented, "mono_brand": 0.71, "mono_category2": 0.4}
    category2 = {"full": 0.65, "augmented": 0.629, "mono_brand": 0.5, "mono_category2": 0.79}
    brand["history_affinity"] = category2["history_affinity"] = affinity
    nothing = dict.fromkeys(brand, NAN)
    return {
        "all": {"brand": brand, "category2": category2},
        "popular": {"brand": brand, "category2": nothing},
        "cold_start": {"brand": nothing, "category2": nothing},
    }


BOTH = results({"one": values(0.601), "two": values(0.642)}, one=3, two=1)


def tabulate(**changes: Any) -> dict[str, Any]:
    return {**STUDY.tabulate.model_dump(), **changes}


def cells(text: str) -> list[list[str]]:
    """The rows of a table, its head first."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert all(re.fullmatch(":?-+:?", cell) for cell in rows[1])
    return [rows[0], *rows[2:]]


def rows_of(found: StudyResults, segment: str, **changes: Any) -> list[list[str]]:
    study = make_study(tabulate=tabulate(**changes))
    return cells(segment_markdown(study, plan(study), found, segment))


def test_a_row_for_each_setting_with_what_differs_and_the_mean() -> None:
    assert rows_of(BOTH, "all") == [
        ["seed", "groupings", "brand", "category2", "mean"],
        ["1", "yes", ".601", "**.629**", ".615"],
        ["2", "no", "**.642**", "**.629**", "**.635**"],
    ]


def test_mean_is_over_the_tasks_with_offers() -> None:
    assert rows_of(BOTH, "popular")[1:] == [
        ["1", "yes", ".601", "-", ".601"],
        ["2", "no", "**.642**", "-", "**.642**"],
    ]
    assert [row[2:] for row in rows_of(BOTH, "cold_start")[1:]] == [["-"] * 3] * 2


def test_references_are_below_and_the_specialist_is_that_of_each_task() -> None:
    rows = rows_of(BOTH, "all", references=["full", "specialist", "history_affinity"])
    assert rows[3:] == [
        ["full model", "", ".610", ".650", ".630"],
        ["specialist of the task", "", ".710", ".790", ".750"],
        ["history affinity", "", ".500", ".500", ".500"],
    ]
    assert rows[2][2] == "**.642**", "the best of the settings"


def test_a_reference_that_differs_between_settings_has_a_row_for_each_value() -> None:
    found = results({"one": values(0.601, 0.5), "two": values(0.642, 0.55)})
    rows = rows_of(found, "popular", references=["history_affinity"])
    assert rows[3:] == [
        ["history affinity (one)", "", ".500", "-", ".500"],
        ["history affinity (two)", "", ".550", "-", ".550"],
    ]


def test_settings_that_have_not_finished_have_no_numbers() -> None:
    some = results({"two": values(0.642)}, two=1)
    rows = rows_of(some, "all", references=["full"], best_epoch=True)
    assert rows[1] == ["1", "yes", "-", "-", "-", "-"]
    assert rows[2] == ["2", "no", "1", "**.642**", "**.629**", "**.635**"]
    assert rows[3] == ["full model", "", "", ".610", ".650", ".630"]


def test_best_first_is_by_the_mean_over_all_offers_in_every_segment() -> None:
    better_in_popular = values(0.7)
    better_in_popular["all"] = values(0.5)["all"]
    found = results({"one": better_in_popular, "two": values(0.642)})
    for segment in ("all", "popular"):
        assert [row[0] for row in rows_of(found, segment, best_first=True)[1:]] == ["2", "1"]
        assert [row[0] for row in rows_of(found, segment)[1:]] == ["1", "2"]
    some = results({"two": values(0.642)})
    assert [row[0] for row in rows_of(some, "all", best_first=True)[1:]] == ["2", "1"]


def test_best_epoch_is_a_column_before_the_tasks() -> None:
    assert [row[2] for row in rows_of(BOTH, "all", best_epoch=True)] == ["best epoch", "3", "1"]


def test_digits_are_those_of_the_report() -> None:
    study = make_study(common={"report.table_decimals": 4})
    text = segment_markdown(study, plan(study), BOTH, "all")
    assert ".6010" in text and "**.6355**" in text


def test_mean_and_deviation_are_of_a_sample() -> None:
    table = results({"1": values(0.60), "2": values(0.64)}).of_segment("all")
    found = mean_and_deviation(table).set_index(["task", "model"])
    assert list(found.index[:2]) == [("brand", "full"), ("brand", "augmented")]
    assert found.loc[("brand", "augmented")].tolist() == pytest.approx([0.62, 0.04 / math.sqrt(2)])
    assert found.loc[("brand", "full")].tolist() == pytest.approx([0.61, 0.0])


def test_segment_without_offers_in_one_setting_has_no_mean() -> None:
    found = results({"1": values(0.60), "2": values(0.64)})
    assert mean_and_deviation(found.of_segment("cold_start"))[["wauc", "half_width"]].isna().all(axis=None)
    table = found.of_segment("all").reset_index(drop=True)
    table.loc[0, "wauc"] = NAN
    moments = mean_and_deviation(table)
    assert moments.loc[0, ["wauc", "half_width"]].isna().all()
    assert moments.loc[1:, ["wauc", "half_width"]].notna().all(axis=None)


def test_means_and_deviations_have_a_row_for_each_model() -> None:
    study = make_study(tabulate={"kind": "mean_and_deviation"})
    text = segment_markdown(study, plan(study), results({"one": values(0.60), "two": values(0.64)}), "all")
    rows = {row[0]: row[1:] for row in cells(text)}
    assert rows["augmented model"] == [".620 ±.028", ".629 ±.000"]
    assert rows["mono: brand"] == ["**.710 ±.000**", ".500 ±.000"]
    assert rows["model \\ offers"] == ["brand", "category2"]


def test_models_as_rows_are_the_usual_table_of_each_setting() -> None:
    study = make_study(tabulate={"kind": "models_as_rows"})
    text = segment_markdown(study, plan(study), BOTH, "all")
    headings = re.findall("^### (.*)$", text, re.MULTILINE)
    assert headings == ["one", "two"]
    second = text.partition("### two\n\n")[2]
    rows = {row[0]: row[1:] for row in cells(second)}
    assert rows["augmented model"] == [".642 ±.064", ".629 ±.063"]
    assert rows["mono: brand"][0] == "**.710 ±.071**"


def test_one_setting_has_no_heading_of_its_own() -> None:
    study = make_study(tabulate={"kind": "models_as_rows"}, settings={"one": {}})
    text = segment_markdown(study, plan(study), results({"one": values(0.6)}), "all")
    assert cells(text)[0] == ["model \\ offers", "brand", "category2"]


def test_row_of_a_model_keeps_the_order_of_tasks_and_settings() -> None:
    found = row_of_model(BOTH.of_segment("all"), "augmented")
    assert list(found.index) == ["one", "two"] and list(found) == ["brand", "category2", "mean"]
    assert isinstance(found, pd.DataFrame)


TEXTS = {None: "no", True: "yes", False: "no", 2: "2", 2e-7: "2e-07", "dot": "dot"}


@pytest.mark.parametrize(("value", "text"), [*TEXTS.items(), ({"number": 3}, "yes")])
def test_values_in_cells(value: Any, text: str) -> None:
    assert value_text(value) == text

"""Tables of the results, against sums over a list of offers and by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.core.rows import Role, Row
from offerbench.evaluation.evaluate import TaskResult
from offerbench.evaluation.results import (
    gap_table,
    headline_table,
    is_certain,
    summary_table,
    wauc_table,
)
from offerbench.evaluation.wauc import SEGMENTS
from tests.oracle import evaluation as oracle

from ..parameters import evaluate_parameters

OFFERS = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 40)), max_size=20)
GENERALIST = Row("full", "full model", Role.GENERALIST)
ROWS = [
    GENERALIST,
    Row("mono_brand", "mono: brand", Role.SPECIALIST, "brand"),
    Row("mono_category1", "mono: category1", Role.SPECIALIST, "category1"),
    Row("affinity", "affinity", Role.YARDSTICK),
    Row("frequency", "frequency", Role.YARDSTICK),
    Row("ceiling", "ceiling", Role.CEILING),
]
NOTHING = np.full(2, np.nan)


def result(offers: list[tuple[float, int]], name: str, samples: np.ndarray = NOTHING) -> TaskResult:
    """Of one model."""
    auc, positives = np.array(offers, float).reshape(-1, 2).T
    columns = {
        "label": np.arange(len(offers)),
        "positives": positives.astype(np.int64),
        "negatives": np.ones(len(offers), np.int64),
        name: auc,
    }
    return TaskResult(pd.DataFrame(columns), {segment: {name: samples} for segment in SEGMENTS}, counts={})


def sampled(samples: dict[str, dict[str, dict[str, np.ndarray]]]) -> dict[str, TaskResult]:
    """Results by task, of which only the samples matter."""
    return {task: TaskResult(pd.DataFrame(), by_segment, {}) for task, by_segment in samples.items()}


def table_of(wauc: dict[str, dict[str, dict[str, float | None]]]) -> pd.DataFrame:
    """A table of wAUC from nested values."""
    rows = [
        (segment, task, model, np.nan if value is None else value, 0.01)
        for segment, by_task in wauc.items()
        for task, by_model in by_task.items()
        for model, value in by_model.items()
    ]
    return pd.DataFrame(rows, columns=["segment", "task", "model", "wauc", "half_width"])


@given(OFFERS, OFFERS)
def test_table_has_each_segment_task_and_model(
    brands: list[tuple[float, int]], categories: list[tuple[float, int]]
) -> None:
    tasks = {"brand": brands, "category1": categories}
    evaluate = evaluate_parameters(popular_min_positives=20, cold_start_min_positives=4)
    table = wauc_table({task: result(offers, "full") for task, offers in tasks.items()}, evaluate)
    cells = [(segment, task, "full") for segment in ("all", "popular", "cold_start") for task in tasks]
    assert list(table[["segment", "task", "model"]].itertuples(index=False, name=None)) == cells
    for segment, task, _, found, width in table.itertuples(index=False, name=None):
        inside = [offer for offer in tasks[task] if segment in oracle.segments(offer[1], 20, 4)]
        expected = oracle.weighted_auc(inside)
        wanted = np.nan if expected is None else expected
        assert found == pytest.approx(wanted, abs=5.1e-7, nan_ok=True)
        assert pd.isna(width)


def test_wauc_by_hand() -> None:
    # (.5 * 30 + 1 * 10) / 40 = .625 over all; alone the popular one .5, the other 1.
    results = {"brand": result([(0.5, 30), (1.0, 10)], "full", np.array([0.5, 0.7]))}
    table = wauc_table(results, evaluate_parameters())
    assert table["segment"].tolist() == list(SEGMENTS) == ["all", "popular", "cold_start"]
    assert table["wauc"].tolist() == [0.625, 0.5, 1.0]
    assert table["half_width"].tolist() == [0.277186] * 3  # 1.96 * .2 / sqrt(2)


def test_a_model_without_samples_has_no_interval() -> None:
    table = wauc_table({"brand": result([(0.5, 30)], "full", np.array([0.5, np.nan]))}, evaluate_parameters())
    assert table["half_width"].isna().all()
    both = {
        "brand": result([(0.5, 30)], "full", np.array([0.5, 0.7])),
        "category1": result([(0.5, 30)], "full"),
    }
    table = wauc_table(both, evaluate_parameters())
    assert table["half_width"].dtype == np.float64
    assert table["half_width"].isna().tolist() == [False, True] * 3


def test_values_are_rounded_to_what_is_written() -> None:
    results = {"brand": result([(1 / 3, 30)], "full", np.array([0.5, 0.7]))}
    assert wauc_table(results, evaluate_parameters())["wauc"].tolist()[:2] == [0.333333, 0.333333]


def test_gaps_summary_and_headline_by_hand() -> None:
    # Gaps to the specialist: brand .7 - .6 = .1, category1 .5 - .8 = -.3: mean -.1, worst category1.
    # Gaps to affinity: .7 - .75 = -.05; category1 has none. A segment without offers has no gaps.
    tasks: dict[str, dict[str, float | None]] = {
        "brand": {"full": 0.7, "mono_brand": 0.6, "mono_category1": 0.1, "affinity": 0.75},
        "category1": {"full": 0.5, "mono_brand": 0.9, "mono_category1": 0.8, "affinity": None},
    }
    for of_task in tasks.values():
        of_task["ceiling"] = 0.99
    table = table_of({"all": tasks, "popular": {task: dict.fromkeys(of) for task, of in tasks.items()}})
    # Both samples move together, so that the gap is the same in both: its interval has no width.
    together = {name: np.array([0.1, 0.3]) for name in tasks["brand"]}
    # The full model's differ by .2 and affinity's by .1: the gaps differ by .1, their deviation is
    # .1 / sqrt(2), and 1.96 of them are .138593.
    apart = together | {"affinity": np.array([0.1, 0.2])}
    results = sampled(
        {
            "brand": {"all": apart, "popular": together},
            "category1": {"all": together, "popular": together},
        }
    )
    gaps = gap_table(table, results, [row for row in ROWS if row.name != "frequency"])
    keys = ["segment", "task", "model", "compared_with"]
    found = gaps.set_index(keys)
    assert list(found.index) == [
        (segment, task, "full", compared_with)
        for segment in ("all", "popular")
        for task in tasks
        for compared_with in ("specialist", "yardstick")
    ]
    to_brand = found.loc["all", "brand", "full", "specialist"]
    assert to_brand["other"] == "mono_brand"
    assert (to_brand["gap"], to_brand["half_width"]) == (pytest.approx(0.1), pytest.approx(0, abs=1e-12))
    to_affinity = found.loc["all", "brand", "full", "yardstick"]
    assert to_affinity["other"] == "affinity"
    assert (to_affinity["gap"], to_affinity["half_width"]) == (pytest.approx(-0.05), 0.138593)
    assert found.loc["all", "category1", "full", "specialist"]["other"] == "mono_category1"
    assert np.isnan(found.loc["all", "category1", "full", "yardstick"]["gap"])
    assert found.loc["popular"]["gap"].isna().all()
    assert is_certain(gaps).tolist() == [True, False, True, False, *[False] * 4]

    summary = summary_table(gaps).set_index(["segment", "model"])
    assert list(summary.index) == [("all", "full"), ("popular", "full")]
    assert summary.loc["all", "full"].to_dict() == {
        "gap_to_specialist": pytest.approx(-0.1),
        "gap_to_yardstick": pytest.approx(-0.05),
        "worst_task": "category1",
        "worst_gap_to_specialist": pytest.approx(-0.3),
    }
    assert summary.loc["popular", "full"].isna().all()
    (headline,) = headline_table(table, gaps).to_dict("records")
    assert headline == {
        "model": "full",
        "wauc": pytest.approx(0.6),
        "to_specialist": pytest.approx(-0.1),
        "to_yardstick": pytest.approx(-0.05),
    }


def two_yardsticks() -> tuple[pd.DataFrame, dict[str, TaskResult]]:
    """Affinity is better on brands, frequency on categories; in one segment one of them is missing.

    A ceiling is above both everywhere.
    """
    values: dict[str, dict[str, dict[str, float | None]]] = {
        "all": {
            "brand": {
                "full": 0.7,
                "mono_brand": 0.6,
                "mono_category1": 0.5,
                "affinity": 0.8,
                "frequency": 0.7,
                "ceiling": 0.9,
            },
            "category1": {
                "full": 0.7,
                "mono_brand": 0.9,
                "mono_category1": 0.6,
                "affinity": 0.6,
                "frequency": 0.65,
                "ceiling": 0.95,
            },
        },
        "popular": {
            "brand": {
                "full": 0.7,
                "mono_brand": 0.6,
                "mono_category1": 0.5,
                "affinity": None,
                "frequency": 0.55,
                "ceiling": 0.95,
            },
            "category1": dict.fromkeys(row.name for row in ROWS),
        },
    }
    # The samples of affinity are as far apart as those of the full model, those of frequency are not.
    samples = {row.name: np.array([0.1, 0.3]) for row in ROWS}
    samples["frequency"] = np.array([0.1, 0.1])
    results = sampled({task: dict.fromkeys(values, samples) for task in values["all"]})
    return table_of(values), results


def test_a_generalist_is_compared_with_the_best_untrained_row_of_each_cell() -> None:
    gaps = gap_table(*two_yardsticks(), ROWS)
    to_yardstick = gaps[gaps["compared_with"] == "yardstick"].set_index(["segment", "task"])
    assert to_yardstick["model"].tolist() == ["full"] * 4
    assert "ceiling" not in set(gaps["other"])
    brand, category = to_yardstick.loc["all", "brand"], to_yardstick.loc["all", "category1"]
    assert (brand["other"], brand["gap"]) == ("affinity", pytest.approx(-0.1))
    assert (category["other"], category["gap"]) == ("frequency", pytest.approx(0.05))
    assert brand["half_width"] == pytest.approx(0, abs=1e-12)
    assert category["half_width"] == 0.277186  # 1.96 * .2 / sqrt(2): that of frequency, not of affinity
    popular = to_yardstick.loc["popular", "brand"]
    assert (popular["other"], popular["gap"]) == ("frequency", pytest.approx(0.15))
    assert np.isnan(to_yardstick.loc["popular", "category1"]["gap"])


def test_every_generalist_is_compared_and_nobody_else() -> None:
    table, results = two_yardsticks()
    other = table[table["model"] == "full"].assign(model="augmented")
    samples = {
        task: TaskResult(
            result.offers,
            {segment: by | {"augmented": by["full"]} for segment, by in result.samples.items()},
            {},
        )
        for task, result in results.items()
    }
    rows = [*ROWS, Row("augmented", "augmented model", Role.GENERALIST)]
    gaps = gap_table(pd.concat([table, other]), samples, rows)
    assert set(gaps["model"]) == {"full", "augmented"}
    of_both = [
        gaps[gaps["model"] == name].drop(columns="model").reset_index(drop=True)
        for name in ("full", "augmented")
    ]
    pd.testing.assert_frame_equal(*of_both)


def test_without_yardsticks_there_is_no_gap_to_one() -> None:
    table, results = two_yardsticks()
    gaps = gap_table(table, results, [row for row in ROWS if row.role is not Role.YARDSTICK])
    assert set(gaps["compared_with"]) == {"specialist"}

"""wAUC and its table, against sums over a list of offers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.core.rows import SEGMENTS
from offerbench.evaluation.results import (
    TaskResult,
    gap_table,
    headline,
    interval_table,
    is_certain,
    summarise,
    wauc_table,
)
from offerbench.evaluation.wauc import segment_masks, weighted_auc
from tests.oracle import evaluation as oracle

from ..parameters import evaluate_parameters

OFFERS = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 40)), max_size=20)


def result(offers: list[tuple[float, int]], name: str) -> TaskResult:
    auc, positives = np.array(offers, float).reshape(-1, 2).T
    columns = {
        "label": np.arange(len(offers)),
        "positives": positives.astype(np.int64),
        "negatives": np.ones(len(offers), np.int64),
        name: auc,
    }
    return TaskResult(columns=columns, counts={})


@given(OFFERS)
def test_weighted_auc(offers: list[tuple[float, int]]) -> None:
    auc, positives = np.array(offers, float).reshape(-1, 2).T
    found = weighted_auc(auc, positives.astype(np.int64))
    expected = oracle.weighted_auc(offers)
    assert found is None if expected is None else found == pytest.approx(expected, abs=1e-9)


@given(OFFERS, OFFERS)
def test_table_has_each_segment_task_and_model(
    brands: list[tuple[float, int]], categories: list[tuple[float, int]]
) -> None:
    tasks = {"brand": brands, "category1": categories}
    evaluate = evaluate_parameters(popular_min_positives=20, cold_start_min_positives=4)
    table = wauc_table({task: result(offers, "full") for task, offers in tasks.items()}, evaluate)
    assert list(table) == ["all", "popular", "cold_start"]
    for segment, by_task in table.items():
        assert list(by_task) == list(tasks)
        for task, offers in tasks.items():
            inside = [offer for offer in offers if segment in oracle.segments(offer[1], 20, 4)]
            expected = oracle.weighted_auc(inside)
            found = by_task[task]["full"]
            assert found is None if expected is None else found == pytest.approx(expected, abs=5.1e-7)


def test_borders_of_the_segments() -> None:
    evaluate = evaluate_parameters(popular_min_positives=200, cold_start_min_positives=10)
    masks = segment_masks(np.array([1, 10, 11, 200, 201]), evaluate)
    assert {name: mask.tolist() for name, mask in masks.items()} == {
        "all": [True] * 5,
        "popular": [False, False, False, False, True],
        "cold_start": [False, False, True, True, False],
    }


def test_wauc_by_hand() -> None:
    # (.5 * 30 + 1 * 10) / 40 = .625 over all; alone the popular one .5, the other 1.
    table = wauc_table({"brand": result([(0.5, 30), (1.0, 10)], "full")}, evaluate_parameters())
    assert [table[segment]["brand"]["full"] for segment in table] == [0.625, 0.5, 1.0]


def test_gaps_summary_and_headline_by_hand() -> None:
    # Gaps to the specialist: brand .7 - .6 = .1, category1 .5 - .8 = -.3: mean -.1, worst category1.
    # Gaps to affinity: .7 - .75 = -.05; category1 has none. A segment without offers has no gaps.
    tasks = {
        "brand": {"full": 0.7, "mono_brand": 0.6, "mono_category1": 0.1, "history_affinity": 0.75},
        "category1": {"full": 0.5, "mono_brand": 0.9, "mono_category1": 0.8, "history_affinity": None},
    }
    nothing = {task: dict.fromkeys(values) for task, values in tasks.items()}
    wauc = {"all": tasks, "popular": nothing}
    # Both samples move together, so that the gap is the same in both: its interval has no width.
    together = {name: np.array([0.1, 0.3]) for name in tasks["brand"]}
    # The full model's differ by .2 and affinity's by .1: the gaps differ by .1, their deviation is
    # .1 / sqrt(2), and 1.96 of them are .138593.
    apart = together | {"history_affinity": np.array([0.1, 0.2])}
    samples = {
        "brand": {"all": together, "popular": together},
        "category1": {"all": together, "popular": together},
    }
    gaps = gap_table(samples | {"brand": {"all": apart, "popular": together}}, wauc)
    assert gaps["all"]["brand"] == {
        "full": {
            "specialist": {"gap": pytest.approx(0.1), "half_width": pytest.approx(0, abs=1e-12)},
            "affinity": {"gap": pytest.approx(-0.05), "half_width": 0.138593},
        }
    }
    assert gaps["all"]["category1"]["full"]["affinity"] is None
    assert is_certain(gaps["all"]["brand"]["full"]["specialist"] or {})
    assert not is_certain(gaps["all"]["brand"]["full"]["affinity"] or {})
    summary = summarise(gaps)
    assert summary["all"] == {
        "full": {
            "gap_to_specialist": pytest.approx(-0.1),
            "gap_to_affinity": pytest.approx(-0.05),
            "worst_task": "category1",
            "worst_gap_to_specialist": pytest.approx(-0.3),
        }
    }
    assert set(summary["popular"]["full"].values()) == {None}
    assert headline(wauc, gaps) == {
        "full": {
            "wauc": pytest.approx(0.6),
            "to_specialist": pytest.approx(-0.1),
            "to_affinity": pytest.approx(-0.05),
        }
    }


def test_interval_table_has_the_shape_of_the_wauc_table() -> None:
    samples = {
        "brand": {name: {"full": np.array([0.5, 0.7]), "none": np.full(2, np.nan)} for name in SEGMENTS}
    }
    table = interval_table(samples)
    assert list(table) == list(SEGMENTS)
    assert table["all"]["brand"] == {"full": 0.277186, "none": None}  # 1.96 * .2 / sqrt(2)

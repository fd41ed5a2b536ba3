"""wAUC and the segments, against sums over a list of offers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.evaluation.wauc import SEGMENTS, segment_masks, wauc
from tests.oracle import evaluation as oracle

from ..parameters import evaluate_parameters

OFFERS = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 40)), max_size=20)


@given(OFFERS)
def test_wauc_is_weighted_by_the_positives(offers: list[tuple[float, int]]) -> None:
    auc, positives = np.array(offers, float).reshape(-1, 2).T
    found, expected = wauc(auc, positives.astype(np.int64)), oracle.weighted_auc(offers)
    assert found == pytest.approx(np.nan if expected is None else expected, abs=1e-9, nan_ok=True)


@given(OFFERS)
def test_segments_are_those_of_each_offer(offers: list[tuple[float, int]]) -> None:
    positives = [number for _, number in offers]
    evaluate = evaluate_parameters(popular_min_positives=20, cold_start_min_positives=4)
    masks = segment_masks(np.array(positives, np.int64), evaluate)
    assert tuple(masks) == SEGMENTS
    for place, number in enumerate(positives):
        assert [name for name in SEGMENTS if masks[name][place]] == oracle.segments(number, 20, 4)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=20), st.integers(1, 999))
def test_shares_are_those_of_the_positives_of_all_offers(positives: list[int], thousandths: int) -> None:
    popular, cold_start = thousandths / 1000, thousandths / 2000
    evaluate = evaluate_parameters(popular_min_positives=popular, cold_start_min_positives=cold_start)
    masks = segment_masks(np.array(positives, np.int64), evaluate)
    for place, number in enumerate(positives):
        is_popular = number * 1000 > thousandths * sum(positives)
        is_cold_start = not is_popular and number * 2000 > thousandths * sum(positives)
        expected = ["all", *["popular"] * is_popular, *["cold_start"] * is_cold_start]
        assert [name for name in SEGMENTS if masks[name][place]] == expected


def test_borders_of_the_segments() -> None:
    evaluate = evaluate_parameters(popular_min_positives=200, cold_start_min_positives=10)
    masks = segment_masks(np.array([1, 10, 11, 200, 201]), evaluate)
    assert {name: mask.tolist() for name, mask in masks.items()} == {
        "all": [True] * 5,
        "popular": [False, False, False, False, True],
        "cold_start": [False, False, True, True, False],
    }


def test_wauc_by_hand() -> None:
    # (.5 * 30 + 1 * 10) / 40.
    assert wauc(np.array([0.5, 1.0]), np.array([30, 10])) == 0.625
    assert np.isnan(wauc(np.empty(0), np.empty(0, np.int64)))

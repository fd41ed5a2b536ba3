"""AUC of every offer, against a double loop and scikit-learn, offer by offer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from offerbench.core.errors import OfferbenchError
from offerbench.evaluation.auc import auc_by_offer
from tests.oracle import evaluation as oracle

OFFERS = 5
# Ties, zeros of both signs, neighbouring numbers, the ends of the range.
HARD = [0.0, -0.0, 1.0, -1.0, 1.0000001, float(np.float32(1e-45)), -float(np.float32(1e-45)), 3e38, -3e38]


def pairs(width: int) -> st.SearchStrategy[list[tuple[int, bool, float]]]:
    scores = st.sampled_from(HARD).map(lambda score: float(np.float32(score)) if width == 32 else score)
    anything = st.floats(-(2.0**100), 2.0**100, width=width)
    return st.lists(st.tuples(st.integers(0, OFFERS - 2), st.booleans(), scores | anything), max_size=60)


def check(rows: list[tuple[int, bool, float]], dtype: type) -> None:
    offers = np.array([offer for offer, _, _ in rows], np.int32)
    targets = np.array([target for _, target, _ in rows], bool)
    scores = np.array([score for _, _, score in rows], dtype)
    found = auc_by_offer(offers, targets, scores, OFFERS)
    assert len(found.auc) == OFFERS
    for offer in range(OFFERS):
        positives = scores[(offers == offer) & targets].tolist()
        negatives = scores[(offers == offer) & ~targets].tolist()
        assert (found.positives[offer], found.negatives[offer]) == (len(positives), len(negatives))
        expected = oracle.roc_auc(positives, negatives)
        if expected is None:
            assert np.isnan(found.auc[offer])
        else:
            assert found.auc[offer] == pytest.approx(expected, abs=1e-9)
            reference = roc_auc_score(targets[offers == offer], scores[offers == offer].astype(np.float64))
            assert found.auc[offer] == pytest.approx(reference, abs=1e-9)


@given(pairs(32))
def test_float32_scores(rows: list[tuple[int, bool, float]]) -> None:
    check(rows, np.float32)


@given(pairs(64))
def test_float64_scores(rows: list[tuple[int, bool, float]]) -> None:
    check(rows, np.float64)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_pairs_with_many_ties(dtype: type) -> None:
    generator = np.random.default_rng(0)
    rows = zip(
        generator.integers(0, OFFERS, 3000).tolist(),
        (generator.random(3000) < 0.2).tolist(),
        np.round(generator.normal(size=3000), 1).tolist(),
        strict=True,
    )
    check(list(rows), dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_auc_by_hand(dtype: type) -> None:
    # Offer 0: positives .5, -1; negatives .5, -2, -0. Against .5, -2, -0 the first wins 1/2 + 1 + 1, the
    # second 0 + 1 + 0: 3.5 of 6. Offer 1: 0 against -0 is a tie. Offer 2 has no negative.
    offers = np.array([0, 0, 0, 0, 0, 1, 1, 2], np.int32)
    targets = np.array([1, 1, 0, 0, 0, 1, 0, 1], bool)
    scores = np.array([0.5, -1, 0.5, -2, -0.0, 0.0, -0.0, 4], dtype)
    found = auc_by_offer(offers, targets, scores, 3)
    assert found.auc[:2].tolist() == pytest.approx([3.5 / 6, 0.5], abs=1e-12)
    assert np.isnan(found.auc[2])
    assert found.positives.tolist() == [2, 1, 1]
    assert found.negatives.tolist() == [3, 1, 0]


def test_no_pairs_at_all() -> None:
    found = auc_by_offer(np.empty(0, np.int32), np.empty(0, bool), np.empty(0, np.float32), 2)
    assert np.isnan(found.auc).all()
    assert found.positives.tolist() == [0, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(dtype: type, score: float) -> None:
    with pytest.raises(OfferbenchError, match="not finite"):
        auc_by_offer(np.zeros(2, np.int32), np.array([True, False]), np.array([1, score], dtype), 1)

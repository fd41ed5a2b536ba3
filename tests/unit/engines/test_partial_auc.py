"""AUC from parts that are cut and merged in any way, against counting pair by pair: the same bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.core.errors import OfferbenchError
from offerbench.engines.partial_auc import Sums, auc_of, merged, ordered, pair_sums
from offerbench.evaluation.auc import auc_by_offer
from tests.oracle.partial_auc import offer_sums

OFFERS, USERS = 4, 3
PAIRS = st.lists(
    st.tuples(
        st.integers(0, OFFERS - 1),
        st.booleans(),
        st.integers(0, USERS - 1),
        st.sampled_from([-1.5, -0.0, 0.0, 1e-300, 0.25, 2.0]),
    ),
    min_size=1,
    max_size=60,
)
WEIGHTS = st.lists(st.lists(st.integers(0, 3), min_size=2, max_size=2), min_size=USERS, max_size=USERS)
Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def as_columns(rows: list[tuple[int, bool, int, float]]) -> Columns:
    offers, is_positive, users, scores = zip(*rows, strict=True)
    return np.array(offers, np.int32), np.array(is_positive), np.array(users, np.int32), np.array(scores)


def cut(columns: Columns, bounds: list[tuple[int, float]]) -> list[Columns]:
    """Cut pairs where (offer, score) passes each bound; parts in their order, without empty ones."""
    offers, _, _, scores = columns
    part = np.zeros(len(offers), int)
    for offer, score in sorted(bounds):
        part += (offers > offer) | ((offers == offer) & (scores >= score))
    return [tuple(column[part == number] for column in columns) for number in np.unique(part)]


def same(one: Sums, other: Sums) -> bool:
    return all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes()
        for name in ("positives", "negatives", "wins")
    )


@given(PAIRS, WEIGHTS, st.lists(st.tuples(st.integers(0, OFFERS - 1), st.sampled_from([-1, 0, 0.25, 3]))))
def test_parts_cut_anywhere_merge_to_the_sums_of_the_pairs(
    rows: list[tuple[int, bool, int, float]], weights: list[list[int]], bounds: list[tuple[int, float]]
) -> None:
    columns = as_columns(rows)
    drawn = np.array([[1, *own] for own in weights], np.int32)
    parts = [
        pair_sums(offers, is_positive, users, ordered(scores), drawn)
        for offers, is_positive, users, scores in cut(columns, bounds)
    ]
    found = merged(parts, OFFERS, drawn.shape[1])
    plain = [column.tolist() for column in columns]
    for offer in range(OFFERS):
        for sample in range(drawn.shape[1]):
            expected = offer_sums(offer, *plain, drawn[:, sample].tolist())
            sums = (found.positives, found.negatives, found.wins)
            assert tuple(each[offer, sample] for each in sums) == expected
    # The first sample is the value itself: the bits of the one machine's.
    offers, is_positive, _, scores = columns
    one_machine, auc = auc_by_offer(offers, is_positive, scores, OFFERS), auc_of(found)
    for name in ("auc", "positives", "negatives"):
        assert getattr(auc, name).tobytes() == getattr(one_machine, name).tobytes()


sums_of_offers = st.lists(
    st.tuples(*(st.integers(0, 2**20) for _ in range(3))), min_size=2, max_size=2
).map(lambda rows: Sums(*(np.array(column, float)[:, None] / [1, 1, 2][place]
                          for place, column in enumerate(zip(*rows, strict=True)))))  # fmt: skip


@given(sums_of_offers, sums_of_offers, sums_of_offers)
def test_merging_is_associative_and_nothing_changes_nothing(one: Sums, two: Sums, three: Sums) -> None:
    assert same((one + two) + three, one + (two + three))
    nothing = Sums.nothing(2, 1)
    assert same(one + nothing, one) and same(nothing + one, one)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=2, max_size=30))
def test_integers_have_the_order_of_the_scores(values: list[float]) -> None:
    for scores in (np.array(values, np.float32), np.array(values, np.float64) / 3):
        found = ordered(scores)
        assert found.dtype == np.int64
        assert ((found[:, None] < found) == (scores[:, None] < scores)).all()
        assert ((found[:, None] == found) == (scores[:, None] == scores)).all()


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(score: float) -> None:
    with pytest.raises(OfferbenchError, match="its training diverged"):
        ordered(np.array([0.0, score], np.float32))

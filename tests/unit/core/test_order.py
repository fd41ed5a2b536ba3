"""The order of rows by labels is that of Python's sort; runs are those of equal neighbours."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from offerbench.core.order import order_by_labels, run_starts

of_any_size = st.sampled_from([0, 1, 2, 65_535, 65_536, 200_000, 2**31 - 1])  # 16 bits hold some of them
digit = st.sampled_from([0, 1, 65_535])
of_many_digits = st.tuples(digit, digit, digit, st.integers(0, 2**15 - 1)).map(
    lambda digits: sum(value << 16 * place for place, value in enumerate(digits))
)


@given(st.lists(st.tuples(of_any_size, st.sampled_from([0, 1, 7])), max_size=30))
def test_rows_of_the_same_labels_stay_in_order(rows: list[tuple[int, int]]) -> None:
    columns = [np.array([row[place] for row in rows], np.int32) for place in (0, 1)]
    assert order_by_labels(*columns).tolist() == sorted(range(len(rows)), key=lambda row: (rows[row], row))
    assert order_by_labels(columns[1]).tolist() == sorted(
        range(len(rows)), key=lambda row: (rows[row][1], row)
    )


@given(st.lists(of_many_digits, max_size=30))
def test_labels_of_many_digits(labels: list[int]) -> None:
    order = order_by_labels(np.array(labels, np.int64))
    assert order.tolist() == sorted(range(len(labels)), key=lambda row: labels[row])
    assert order.dtype == np.int64


def test_an_order_by_hand() -> None:
    labels = [2**16, 1, 2**48 + 1, 2**32, 1, 0, 2**31 - 1]
    assert order_by_labels(np.array(labels)).tolist() == [5, 1, 4, 0, 6, 3, 2]
    assert order_by_labels(np.array([70_000, 4_464], np.int32)).tolist() == [1, 0]  # 70,000 - 2**16


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=20))
def test_starts_of_runs(rows: list[tuple[int, int]]) -> None:
    columns = [np.array([row[place] for row in rows], np.int32) for place in (0, 1)]
    expected = [place == 0 or rows[place] != rows[place - 1] for place in range(len(rows))]
    assert run_starts(*columns).tolist() == expected

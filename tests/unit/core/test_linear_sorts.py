"""Sorts in linear time, against Python's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.core import linear_sorts
from offerbench.core.linear_sorts import ascending_order, distinct
from tests.oracle.groupings import ranks

# Values of one, two, three and four digits, often equal to each other in some of them.
DIGIT = st.sampled_from([0, 1, 2**16 - 1])
VALUES = st.one_of(
    st.integers(0, 9),
    st.tuples(DIGIT, DIGIT, DIGIT, st.integers(0, 2**15 - 1)).map(
        lambda digits: sum(digit << 16 * place for place, digit in enumerate(digits))
    ),
)


@given(st.lists(VALUES, max_size=30))
def test_the_order_of_values_keeps_equal_ones_as_they_were(values: list[int]) -> None:
    order = ascending_order(np.array(values, np.int64))
    assert order.tolist() == sorted(range(len(values)), key=lambda row: values[row])
    assert order.dtype == np.intp


def test_an_order_by_hand() -> None:
    values = [2**16, 1, 2**48 + 1, 2**32, 1, 0, 2**31 - 1]
    assert ascending_order(np.array(values)).tolist() == [5, 1, 4, 0, 6, 3, 2]
    assert ascending_order(np.array([70_000, 4_464], np.int32)).tolist() == [1, 0]  # 70,000 - 2**16


@given(st.lists(VALUES, max_size=30) | st.lists(st.integers(0, 40), max_size=30))
@pytest.mark.parametrize("table", [0, 32], ids=["by_sort", "by_table"])
def test_distinct_values(table: int, values: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear_sorts, "TABLE_PER_VALUE", table)
        known, places = distinct(np.array(values, np.int64))
    assert known.tolist() == sorted(set(values))
    assert places.tolist() == ranks(values)


@pytest.mark.parametrize("values", [[3, 1, 3], [2**31 - 1, 5]], ids=["by_table", "by_sort"])
def test_distinct_values_keep_their_dtype(values: list[int]) -> None:
    known, places = distinct(np.array(values, np.int32))
    assert (known.dtype, places.dtype) == (np.int32, np.intp)
    assert known.tolist() == sorted(set(values))

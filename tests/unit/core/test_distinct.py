"""Distinct values, against Python's sets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.core import distinct as module
from offerbench.core.distinct import distinct
from tests.oracle.groupings import ranks

VALUES = st.one_of(st.integers(0, 9), st.integers(0, 2**62))


@given(st.lists(VALUES, max_size=30) | st.lists(st.integers(0, 40), max_size=30))
@pytest.mark.parametrize("table", [0, 32], ids=["by_sort", "by_table"])
def test_distinct_values(table: int, values: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TABLE_PER_VALUE", table)
        known, places = distinct(np.array(values, np.int64))
    assert known.tolist() == sorted(set(values))
    assert places.tolist() == ranks(values)


@pytest.mark.parametrize("values", [[3, 1, 3], [2**31 - 1, 5]], ids=["by_table", "by_sort"])
def test_distinct_values_keep_their_dtype(values: list[int]) -> None:
    known, places = distinct(np.array(values, np.int32))
    assert (known.dtype, places.dtype) == (np.int32, np.intp)
    assert known.tolist() == sorted(set(values))

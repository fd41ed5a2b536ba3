"""Runs of rows, one after the other, against a loop."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from offerbench.core.ranges import concatenated_ranges
from tests.oracle import batches as oracle


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6)), max_size=20))
def test_concatenated_ranges(ranges: list[tuple[int, int]]) -> None:
    first, length = np.array(ranges, np.int64).reshape(-1, 2).T
    rows = concatenated_ranges(first, length)
    assert rows.tolist() == oracle.concatenated_ranges(first.tolist(), length.tolist())

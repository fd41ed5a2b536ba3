"""The order of rows by labels is that of Python's sort."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from offerbench.core.order import order_by_labels

of_any_size = st.sampled_from([0, 1, 2, 65_535, 65_536, 200_000])  # 16 bits hold some of them


@given(st.lists(st.tuples(of_any_size, st.sampled_from([0, 1, 7])), max_size=30))
def test_rows_of_the_same_labels_stay_in_order(rows: list[tuple[int, int]]) -> None:
    columns = [np.array([row[place] for row in rows], np.int32) for place in (0, 1)]
    assert order_by_labels(*columns).tolist() == sorted(range(len(rows)), key=lambda row: (rows[row], row))
    assert order_by_labels(columns[1]).tolist() == sorted(
        range(len(rows)), key=lambda row: (rows[row][1], row)
    )

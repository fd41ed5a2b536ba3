"""Keys of several features as numbers, against sorted combinations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.features import keys
from offerbench.features.keys import MAX_KEYS, number_keys, packed_key
from tests.oracle import groupings as oracle


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([0, 1, 2**31 - 1]), st.integers(0, 1)),
        min_size=1,
        max_size=25,
    ),
    st.integers(1, 4),
)
def test_a_key_tells_combinations_apart_and_keeps_their_order(
    rows: list[tuple[int, int, int]], times: int
) -> None:
    # Three columns, up to four times over: most sizes multiply to far more than 2 ** 62.
    rows = [row * times for row in rows]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    key = packed_key(columns)
    assert key.dtype == np.int64
    assert key.min() >= 0
    assert oracle.ranks(key.tolist()) == oracle.ranks(rows)


def test_keys_past_the_limit_are_told_apart() -> None:
    # 2**31 values of each of four features, 2**124 combinations: the packed numbers would wrap around.
    most = 2**31 - 1
    corners = [[most * (row >> place & 1) for row in range(16)] for place in range(4)]
    columns = [np.array(column, np.int32) for column in corners]
    assert (most + 1) ** len(columns) > MAX_KEYS
    assert len(set(packed_key(columns).tolist())) == 16


def test_a_key_of_few_combinations_needs_no_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "unique", None)
    assert packed_key([np.array([1, 0, 2]), np.array([3, 4, 0])]).tolist() == [8, 4, 10]


COMBINATION = st.tuples(st.integers(0, 3), st.integers(0, 2), st.sampled_from([0, 1, 2**20]))


@given(rows=st.lists(COMBINATION, min_size=1, max_size=20), others=st.lists(COMBINATION, max_size=20))
@pytest.mark.parametrize("largest_table", [0, 2**22], ids=["by_search", "by_table"])
def test_numbers_of_keys(
    rows: list[tuple[int, ...]], others: list[tuple[int, ...]], largest_table: int
) -> None:
    columns = [[np.array(column, np.int32) for column in zip(*some, strict=True)] for some in (rows, others)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "MAX_TABLE", largest_table)
        numbers, of_others = number_keys(columns[0], columns[1] or [np.empty(0, np.int32)] * 3)
    known = sorted(set(rows))
    assert numbers.tolist() == [known.index(row) for row in rows]
    assert of_others.tolist() == [known.index(row) if row in known else len(known) for row in others]

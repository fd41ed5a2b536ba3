"""Items made ahead in a thread are the same items."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.batching.prefetch import prefetched


@given(st.lists(st.none() | st.integers()))
def test_same_items_in_the_same_order(items: list[int | None]) -> None:
    assert list(prefetched(iter(items))) == items


def test_the_next_item_is_made_while_the_current_one_is_used() -> None:
    made = [threading.Event() for _ in range(3)]

    def items() -> Iterator[int]:
        for number, event in enumerate(made):
            yield number
            event.set()  # the item after `number` is being made

    for number in prefetched(items()):
        assert made[number].wait(timeout=10)


def test_an_error_comes_at_its_item() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise KeyError("third")

    seen: list[int] = []
    with pytest.raises(KeyError, match="third"):
        seen.extend(prefetched(items()))
    assert seen == [1, 2]

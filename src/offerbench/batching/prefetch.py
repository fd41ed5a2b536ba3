"""Make the next item while the current one is used."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")


def prefetched(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the same items in the same order, each made in a thread while its predecessor is used.

    NumPy and TensorFlow release Python's lock in their loops, so a batch costs no time of the
    training step that runs beside it. An exception of `items` is raised where its item is asked for.
    """
    iterator = iter(items)
    end: Any = object()
    with ThreadPoolExecutor(max_workers=1) as executor:
        waiting = executor.submit(next, iterator, end)  # StopIteration can't pass through a future
        while (item := waiting.result()) is not end:
            waiting = executor.submit(next, iterator, end)
            yield item

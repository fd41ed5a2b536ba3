"""Spark's part in a barrier stage, in threads: tasks that run at the same time and wait for each other."""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Self

HOST = "127.0.0.1"
_LOCAL = threading.local()


@dataclass
class PlainBarrier:
    """What a task knows of the others."""

    index: int
    messages: list[str]
    meeting: threading.Barrier

    def partitionId(self) -> int:  # noqa: N802
        return self.index

    def getTaskInfos(self) -> list[Any]:  # noqa: N802
        return [SimpleNamespace(address=f"{HOST}:{4000 + number}") for number in range(len(self.messages))]

    def allGather(self, message: str = "") -> list[str]:  # noqa: N802
        self.messages[self.index] = message
        self.meeting.wait(20)
        return list(self.messages)

    @staticmethod
    def get() -> "PlainBarrier":
        return _LOCAL.barrier


@dataclass
class PlainTasks:
    """Tasks, and what they are to run."""

    count: int
    run: Callable[[Iterable[int]], Iterable[Any]] | None = None

    def barrier(self) -> Self:
        return self

    def mapPartitions(self, run: Callable[[Iterable[int]], Iterable[Any]]) -> "PlainTasks":  # noqa: N802
        return PlainTasks(self.count, run)

    def collect(self) -> list[Any]:
        return together(self.count, lambda barrier: next(iter(self.run([barrier.index]))))


@dataclass
class PlainContext:
    """Remembers how many tasks each stage had."""

    stages: list[int] = field(default_factory=list)
    defaultParallelism: int = 2  # noqa: N815

    def parallelize(self, rows: Sequence[int], count: int) -> PlainTasks:
        assert len(rows) == count
        self.stages.append(count)
        return PlainTasks(count)


def together(count: int, task: Callable[[PlainBarrier], Any]) -> list[Any]:
    """Run tasks at the same time."""
    messages, meeting = [""] * count, threading.Barrier(count)

    def run(index: int) -> Any:
        _LOCAL.barrier = PlainBarrier(index, messages, meeting)
        return task(_LOCAL.barrier)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))

"""Spark's part in numbered tasks, in a loop: what the tasks do is tested without Java."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import pyarrow as pa
import pytest

from offerbench.preparation.resources import Spark

Task = Callable[[Iterator[pa.RecordBatch]], Iterable[pa.RecordBatch]]


@dataclass
class PlainFrame:
    """Rows, each of which is a task's."""

    rows: list[dict[str, Any]]

    def repartitionById(self, count: int, column: str) -> Self:  # noqa: N802
        assert sorted(row[column] for row in self.rows) == list(range(count)), "one task a row"
        return self

    def mapInArrow(self, task: Task, schema: str) -> "PlainFrame":  # noqa: N802
        found = []
        for row in reversed(self.rows):  # tasks end in any order
            for batch in task(iter([pa.RecordBatch.from_pylist([row])])):
                assert batch.schema.names == [column.split()[0] for column in schema.split(", ")]
                found += batch.to_pylist()
        return PlainFrame(found)

    def collect(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(**row) for row in self.rows]


@dataclass
class PlainSession:
    """Remembers how many rows each job had."""

    jobs: list[int] = field(default_factory=list)
    version: str = "plain"
    sparkContext: SimpleNamespace = field(  # noqa: N815
        default_factory=lambda: SimpleNamespace(defaultParallelism=2)
    )

    def createDataFrame(self, rows: list[tuple], schema: str) -> PlainFrame:  # noqa: N802
        self.jobs.append(len(rows))
        names = [column.split()[0] for column in schema.split(", ")]
        return PlainFrame([dict(zip(names, row, strict=True)) for row in rows])


def open_plain_session(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> PlainSession:
    """Give a module of engines/ a session that runs tasks in a loop, in place of Spark's."""
    plain = PlainSession()

    @contextmanager
    def opened(_: Spark) -> Iterator[PlainSession]:
        yield plain

    monkeypatch.setattr(module, "spark_session", opened)
    monkeypatch.setattr("offerbench.model.runtime.configure", lambda threads: None)  # it is set up already
    return plain

"""Parquet files of an exchange as rows of Spark, and rows of Spark that are gone over several times.

Where all machines see the files, Spark reads and writes them itself. At a URL it would need connectors and
credentials of its own, which not every cluster has: there tasks fetch the files, and Spark keeps rows on the
executors' own disks.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from offerbench.engines.exchange import Exchange, Written

PIECE = 1_000_000
"""Rows of a table of the driver that are a file at a URL, which is a task."""
FILES = "task INT, place STRING, size BIGINT, digest STRING"
KINDS = {"int32": "INT", "int64": "BIGINT", "double": "DOUBLE", "string": "STRING", "bool": "BOOLEAN"}


def quoted(name: str) -> str:
    """Quote a column's name for Spark's SQL: some names are words of it."""
    return f"`{name}`"


def read_files(session: Any, exchange: Exchange, files: Sequence[Written]) -> Any:
    """Give the rows of Parquet files with the same columns.

    Raises
    ------
    OfferbenchError
        If one is gone, or is not as it was left; of those at a URL, when the rows are made.
    """
    if not exchange.is_remote:
        with exchange.fetched(files) as paths:
            return session.read.parquet(*(str(path) for path in paths))
    with exchange.fetched(files[:1]) as (first,):
        schema = pq.read_schema(first)
    rows = [(task, file.place, file.size, file.digest) for task, file in enumerate(files)]
    tasks = session.createDataFrame(rows, FILES).repartitionById(len(rows), "task")
    return tasks.mapInArrow(partial(rows_of, exchange=exchange), spark_columns(schema))


def rows_of(batches: Iterable[pa.RecordBatch], exchange: Exchange) -> Iterator[pa.RecordBatch]:
    """Read the files that rows of `FILES` name: the task itself, run by a worker of Spark.

    Raises
    ------
    OfferbenchError
        If one is gone, or is not as it was left.
    """
    for batch in batches:
        for row in batch.to_pylist():
            file = Written(row["place"], row["size"], row["digest"])
            with exchange.fetched([file]) as (path,), pq.ParquetFile(path) as parquet:
                yield from parquet.iter_batches()


def spark_columns(schema: pa.Schema) -> str:
    """Give the columns of Parquet files as Spark's SQL names them."""
    return ", ".join(f"{quoted(field.name)} {KINDS[str(field.type)]}" for field in schema)


def write_table(session: Any, exchange: Exchange, name: str, columns: Mapping[str, Any]) -> Any:
    """Give columns of the driver to the cluster.

    Raises
    ------
    OfferbenchError
        If they can't be left in the exchange.
    """
    table = pa.table(dict(columns))
    size = PIECE if exchange.is_remote else max(len(table), 1)
    files = []
    for number, start in enumerate(range(0, max(len(table), 1), size)):
        with exchange.drafts() as drafts:
            path = drafts / (f"{name}-{number:05}.parquet" if exchange.is_remote else f"{name}.parquet")
            # Without Arrow's own schema: Spark gets its large texts as texts.
            pq.write_table(table.slice(start, size), path, row_group_size=PIECE, store_schema=False)
            files.append(exchange.leave(path))
    return read_files(session, exchange, files)


def stored(session: Any, exchange: Exchange, name: str, frame: Any) -> Any:
    """Give rows that are made once, and then gone over several times."""
    if exchange.is_remote:
        return frame.persist()  # memory, then disk; what is lost with an executor is made again
    path = f"{exchange.place}/{name}"
    frame.write.parquet(path)
    return session.read.parquet(path)

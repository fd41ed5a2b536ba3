"""Numbered tasks on a Spark cluster, each of which answers with a text or with a refusal."""

import contextlib
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from threadpoolctl import threadpool_info, threadpool_limits

from offerbench.core.command import machine_fault
from offerbench.core.errors import OfferbenchError

ANSWER = "number INT, answer STRING, error STRING"
ROW = pa.schema([("number", pa.int32()), ("answer", pa.string()), ("error", pa.string())])
Task = Callable[[int], str]


def run_tasks(session: Any, count: int, task: Task) -> list[str]:
    """Run a task for each number below `count`, wherever there is a core.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        The session.
    count : int
        Number of tasks.
    task : callable
        Gets a number; may be run again, and at the same time, if a machine is lost.

    Returns
    -------
    list of str
        What the tasks have answered, in the order of their numbers.

    Raises
    ------
    OfferbenchError
        What the first of the tasks that refuse has said.
    """
    frame = session.createDataFrame([(number,) for number in range(count)], "number INT")
    here = partial(answers, task=task, checkout=Path.cwd(), threads=threads_of_products())
    done = frame.repartitionById(count, "number").mapInArrow(here, ANSWER).collect()
    answered = {}
    for row in sorted(done, key=lambda row: int(row.number)):
        if row.error is not None:
            raise OfferbenchError(row.error)
        answered[int(row.number)] = str(row.answer)
    if sorted(answered) != list(range(count)):
        raise RuntimeError(f"Spark gave {len(done)} of {count} answers")
    return list(answered.values())


def threads_of_products() -> int:
    """Give the number of threads by which NumPy multiplies matrices here."""
    return max((each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"), default=1)


def answers(
    batches: Iterable[pa.RecordBatch], task: Task, checkout: Path, threads: int
) -> Iterator[pa.RecordBatch]:
    """Run the task for rows of `number`: by a worker of Spark, in the directory in which the driver runs.

    So a file has the name that the user gives it. Workers start in a directory of their own. Matrices are
    multiplied by as many threads as on the driver, where Spark would have one: the rows at the end of each
    thread's part are added up in another order, which moves their last digits.

    Yields
    ------
    pyarrow.RecordBatch
        A row of `ROW` for each; a refusal is no failure of the task, which Spark would try again.
    """
    for batch in batches:
        for number in batch.column("number").to_pylist():
            row = {"number": number, "answer": None, "error": None}
            try:
                refuse_unseen([checkout])
                with contextlib.chdir(checkout), threadpool_limits(threads, "blas"):
                    row["answer"] = task(number)
            except OfferbenchError as error:
                row["error"] = str(error)
            except Exception as error:
                if (fault := machine_fault(error)) is None:
                    raise
                raise OfferbenchError(f"{socket.gethostname()}: {fault}") from None  # Spark tries another
            yield pa.RecordBatch.from_pylist([row], ROW)


def refuse_unseen(paths: Sequence[Path]) -> None:
    """Refuse a machine that does not see what the driver sees.

    Raises
    ------
    OfferbenchError
        Names the machine and the path.
    """
    for path in paths:
        if not path.exists():
            raise OfferbenchError(
                f"{path}: {socket.gethostname()} does not see it. All machines of resources.spark must see "
                "it under this name, such as on a shared disk."
            )


def written(paths_and_sizes: Mapping[str, int]) -> list[str]:
    """Give the paths of files that tasks have written, after a look at whether they are whole.

    Raises
    ------
    OfferbenchError
        If a file is gone or has another size than the task has told.
    """
    for name, size in paths_and_sizes.items():
        file = Path(name)
        if not file.exists() or file.stat().st_size != size:
            raise not_as_left(file)
    return list(paths_and_sizes)


def not_as_left(file: Path | str) -> OfferbenchError:
    """Give the refusal of a file that is not what a task has written."""
    return OfferbenchError(
        f"{file}: is gone, or not as the task that wrote it left it. resources.spark.work_directory "
        "must be a directory that all machines see and nobody else writes to; then run it again."
    )

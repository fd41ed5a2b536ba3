"""Numbered tasks: their answers in order, their refusals by number, failures of machines left to Spark."""

import errno
import socket
from pathlib import Path

import pyarrow as pa
import pytest
from threadpoolctl import threadpool_limits

from offerbench.core.errors import OfferbenchError
from offerbench.engines.tasks import answers, run_tasks, threads_of_products, written

from .plain_session import PlainSession


def test_answers_are_in_order_and_tasks_run_where_the_driver_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = run_tasks(PlainSession(), 4, lambda number: f"{number} in {Path.cwd()}")
    assert found == [f"{number} in {tmp_path}" for number in range(4)]


def test_the_first_refusal_is_said(tmp_path: Path) -> None:
    def task(number: int) -> str:
        if number in (1, 3):
            raise OfferbenchError(f"file {number}: bad")
        return ""

    with pytest.raises(OfferbenchError, match=r"^file 1: bad$"):
        run_tasks(PlainSession(), 4, task)


def test_a_full_disk_is_left_to_spark_which_tries_another_machine(tmp_path: Path) -> None:
    def task(number: int) -> str:
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp/spill/x")

    with pytest.raises(OfferbenchError, match=rf"^{socket.gethostname()}: /tmp/spill/x: No space left"):
        run_tasks(PlainSession(), 1, task)


def test_a_mistake_keeps_its_trace_back() -> None:
    with pytest.raises(ZeroDivisionError):
        run_tasks(PlainSession(), 1, lambda number: str(1 // number))


def test_a_machine_that_does_not_see_the_checkout_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    monkeypatch.setattr(Path, "cwd", lambda: gone)
    with pytest.raises(OfferbenchError, match=rf"^{gone}: {socket.gethostname()} does not see it"):
        run_tasks(PlainSession(), 1, str)


def test_files_that_are_not_as_they_were_left_are_named(tmp_path: Path) -> None:
    file = tmp_path / "pairs.parquet"
    file.write_bytes(b"four")
    assert written({str(file): 4}) == [str(file)]
    for size in (3, 5):
        with pytest.raises(OfferbenchError, match=r"pairs\.parquet: is gone, or not as the task"):
            written({str(file): size})


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_worker_multiplies_by_as_many_threads_as_the_driver(threads: int) -> None:
    before = threads_of_products()
    with threadpool_limits(threads, "blas"):
        assert run_tasks(PlainSession(), 1, lambda number: str(threads_of_products())) == [str(threads)]
    assert threads_of_products() == before
    batch = pa.RecordBatch.from_pylist([{"number": 0}])
    (answer,) = answers([batch], lambda number: str(threads_of_products()), Path.cwd(), threads)
    assert answer.to_pylist()[0]["answer"] == str(threads)
    assert threads_of_products() == before

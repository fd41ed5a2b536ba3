"""Files that tasks leave for each other, in a directory, at a URL, on S3: whole, or named in one line."""

import errno
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.engines.exchange import Exchange, Written, attempt_name
from offerbench.engines.spark_files import FILES, rows_of, spark_columns

from .s3_server import s3_server

PLACES = ["path", "file", "s3", "s3a"]


@pytest.fixture(params=PLACES)
def exchange(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Exchange]:
    spill = str(tmp_path / "spill")
    if request.param in ("path", "file"):
        yield Exchange(f"{'file://' if request.param == 'file' else ''}{tmp_path}/work", spill)
        return
    with s3_server() as url:
        yield Exchange(url.replace("s3", request.param, 1), spill)


def left(exchange: Exchange, name: str, content: bytes) -> Written:
    with exchange.drafts() as drafts:
        (drafts / name).write_bytes(content)
        return exchange.leave(drafts / name)


def system_of(file: Written) -> tuple[fsspec.AbstractFileSystem, str]:
    return fsspec.core.url_to_fs(file.place)


def test_what_is_left_is_fetched(exchange: Exchange, tmp_path: Path) -> None:
    deeper = exchange.inside("shards").inside("00001-a")
    files = [left(exchange, "one", b"1"), left(deeper, "two", b""), left(deeper, "one", b"other")]
    assert [file.place for file in files] == [
        f"{exchange.place}/one",
        *(f"{deeper.place}/{n}" for n in ("two", "one")),
    ]
    with exchange.fetched(files) as paths:
        assert [path.read_bytes() for path in paths] == [b"1", b"", b"other"]
    assert list((tmp_path / "spill").glob("*")) == []


@pytest.mark.parametrize("damage", ["gone", "cut", "longer", "another"])
def test_a_file_that_is_not_as_it_was_left_is_named(exchange: Exchange, damage: str, tmp_path: Path) -> None:
    file = left(exchange, "events.parquet", b"content")
    system, path = system_of(file)
    match damage:
        case "gone":
            system.rm_file(path)
        case "cut":
            system.pipe_file(path, b"conten")
        case "longer":
            system.pipe_file(path, b"content+")
        case "another":  # of the same size: a disk that all machines see is not read twice for it
            if not exchange.is_remote:
                return
            system.pipe_file(path, b"CONTENT")
    with pytest.raises(OfferbenchError) as refused, exchange.fetched([file]):
        pass
    assert str(refused.value).startswith(f"{file.place}: is gone, or not as the task that wrote it left it. ")
    assert "\n" not in str(refused.value)
    assert list((tmp_path / "spill").glob("*")) == []


def test_attempts_have_names_of_their_own() -> None:
    names = {attempt_name("00001") for _ in range(20)}
    assert len(names) == 20 and all(name.startswith("00001-") for name in names)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("s3://nobody-has-this/work", r"^s3://nobody-has-this/work/x: can't be written .*AWS_ENDPOINT_URL"),
        ("hdfs://nowhere:9000/work", "^hdfs://nowhere:9000/work/x: can't be read .*HADOOP_HOME"),
        ("nothing://bucket/work", "^nothing://bucket/work/x: can't be read .*Install the package of fsspec"),
    ],
)
def test_a_url_that_cannot_be_written_to_is_one_line(place: str, said: str, tmp_path: Path) -> None:
    with s3_server(), pytest.raises(OfferbenchError, match=said) as refused:
        left(Exchange(place, str(tmp_path)), "x", b"")
    assert "\n" not in str(refused.value)


def test_a_full_disk_of_the_machine_keeps_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = Exchange(f"file://{tmp_path}/work", str(tmp_path / "spill"))
    file = left(exchange, "x", b"1")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/spill/x")

    monkeypatch.setattr("fsspec.implementations.local.LocalFileSystem.get_file", full)
    with pytest.raises(OSError, match="No space left"), exchange.fetched([file]):
        pass


def test_tasks_give_the_rows_of_files(exchange: Exchange) -> None:
    columns = {
        "user": pa.array([1, 2], pa.int64()),
        "select": ["a", None],
        "price": [0.5, 1.0],
        "day": pa.array([1, 2], pa.int32()),
        "seen": [True, False],
    }
    table = pa.table(columns)
    files = []
    for number, rows in enumerate((table, table.slice(0, 0), table.slice(1))):
        with exchange.drafts() as drafts:
            pq.write_table(rows, drafts / f"{number}.parquet")
            files.append(exchange.leave(drafts / f"{number}.parquet"))
    names = [column.split()[0] for column in FILES.split(", ")]
    rows = [(number, file.place, file.size, file.digest) for number, file in enumerate(files)]
    told = [dict(zip(names, row, strict=True)) for row in rows]
    batches = list(rows_of([pa.RecordBatch.from_pylist(told)], exchange))
    assert pa.Table.from_batches(batches).to_pylist() == [*table.to_pylist(), table.to_pylist()[1]]
    assert spark_columns(table.schema) == (
        "`user` BIGINT, `select` STRING, `price` DOUBLE, `day` INT, `seen` BOOLEAN"
    )

"""Raw files on S3 and elsewhere: listed, fetched by tasks, and refused in one line."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from offerbench.commands.fetch import fetch
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import RAW_DIRECTORY
from offerbench.datasets.config import Custom
from offerbench.engines.preparation import prepare_dataset
from offerbench.engines.remote_files import LISTING, fetch_remote, list_remote, read_listing, write_listing

from ..core.directory import names
from ..parameters import prepare_parameters, resources_parameters
from . import test_row_groups as row_groups
from .plain_session import PlainSession
from .s3_server import s3_server
from .test_raw_files import at_once, line, month, one_by_one, write

LINES = [[*month(range(5)), "short"], [*month(range(5, 9), 2), line("view", 3, 9)], month(range(9, 12))]


@pytest.fixture
def s3() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture
def log(s3: str, tmp_path: Path) -> str:
    """A log on S3; the same is in `here/raw`."""
    (tmp_path / "here").mkdir()
    write(tmp_path / "here/raw", LINES)
    for file in (tmp_path / "here/raw").iterdir():
        fsspec.filesystem("s3").put_file(str(file), f"{s3}/{file.name}")
    return s3


def test_tasks_fetch_what_they_read(log: str, tmp_path: Path) -> None:
    there = tmp_path / "there"
    write_listing(list_remote(log), there / "raw")
    assert names(there / "raw") == [LISTING]
    expected, rows = at_once(tmp_path / "here/raw")
    found, found_rows = one_by_one(there / "raw")
    assert found_rows == rows
    assert found.event_types == expected.event_types and found.rows == expected.rows
    assert [reject.file for reject in found.rejects] == [str(there / "raw/0.csv")]
    assert [reject.text for reject in found.rejects] == [reject.text for reject in expected.rejects]
    assert list((there / "spill").iterdir()) == []


def parquet_log(s3: str, here: Path, **changes: Any) -> tuple[str, Custom]:
    """A log in Parquet with a table, on S3; the same is in `here/raw`."""
    here.mkdir()
    rows = [row_groups.log(range(4)), [], row_groups.log(range(1, 3), "cd", price=None)]
    row_groups.write(here / "raw", [(some, 2) for some in rows])
    for file in (here / "raw").iterdir():
        fsspec.filesystem("s3").put_file(str(file), f"{s3}/{file.name}")
    features = {"product_id": "sku", "brand": "maker"}
    return s3, row_groups.section(tables=[row_groups.TABLE], encoding="latin-1", features=features, **changes)


def test_tasks_fetch_a_parquet_log_file_by_file(s3: str, tmp_path: Path) -> None:
    url, custom = parquet_log(s3, tmp_path / "here")
    write_listing(list_remote(url), tmp_path / "there/raw")
    session = PlainSession()
    expected, rows = at_once(tmp_path / "here/raw", "custom", custom)
    found, found_rows = one_by_one(tmp_path / "there/raw", "custom", session, custom)
    assert session.jobs == [2]  # a file without rows is no part
    assert found_rows == rows
    rejects = [replace(reject, file=reject.file.replace("/there/", "/here/")) for reject in found.rejects]
    assert replace(found, rejects=tuple(rejects)) == expected
    assert len(rejects) == 4
    assert list((tmp_path / "there/spill").iterdir()) == []


def test_a_parquet_log_whose_types_differ_is_fetched_by_one_task(s3: str, tmp_path: Path) -> None:
    url, custom = parquet_log(s3, tmp_path / "here")
    file = tmp_path / "here/raw/log2.parquet"
    table = pq.read_table(file)
    pq.write_table(table.set_column(5, "price", pa.nulls(len(table), pa.int32())), file)
    fsspec.filesystem("s3").put_file(str(file), f"{url}/{file.name}")
    write_listing(list_remote(url), tmp_path / "there/raw")
    session = PlainSession()
    expected = at_once(tmp_path / "here/raw", "custom", custom)
    found = one_by_one(tmp_path / "there/raw", "custom", session, custom)
    assert session.jobs == [1]
    assert found[1] == expected[1] and found[0].rejected == expected[0].rejected


@pytest.mark.parametrize(
    ("changes", "content"),
    [({"user": "who"}, None), ({"tables": []}, None), ({}, b"PAR1 no Parquet at all PAR2"), ({}, b"x")],
    ids=["column", "table", "magic", "short"],
)
def test_a_remote_parquet_log_is_refused_as_if_it_were_here(
    changes: dict[str, Any], content: bytes | None, s3: str, tmp_path: Path
) -> None:
    url, custom = parquet_log(s3, tmp_path / "here")
    custom = custom.model_copy(update=changes)
    if content is not None:
        (tmp_path / "here/raw/log2.parquet").write_bytes(content)
        fsspec.filesystem("s3").pipe_file(f"{url}/log2.parquet", content)
    write_listing(list_remote(url), tmp_path / "there/raw")
    refusals = []
    for place in ("here", "there"):
        with pytest.raises(OfferbenchError) as refused:
            if place == "here":
                at_once(tmp_path / place / "raw", "custom", custom)
            else:
                one_by_one(tmp_path / place / "raw", "custom", custom=custom)
        refusals.append(str(refused.value).replace(f"/{place}/", "/./"))
    assert refusals[0] == refusals[1]


def test_a_damaged_remote_file_is_refused_as_if_it_were_here(log: str, tmp_path: Path) -> None:
    packed = gzip.compress(b"\n".join([b"x"] * 999))[:-9]
    (tmp_path / "here/raw/1.csv.gz").write_bytes(packed)
    fsspec.filesystem("s3").pipe_file(f"{log}/1.csv.gz", packed)
    write_listing(list_remote(log), tmp_path / "there/raw")
    refusals = []
    for place, read in (("here", at_once), ("there", one_by_one)):
        with pytest.raises(OfferbenchError) as refused:
            read(tmp_path / place / "raw")
        refusals.append(str(refused.value).replace(str(tmp_path / place), "."))
    assert refusals[0] == refusals[1]


def test_a_file_that_has_changed_since_it_was_listed_is_refused(log: str, tmp_path: Path) -> None:
    write_listing(list_remote(log), tmp_path / "there/raw")
    fsspec.filesystem("s3").pipe_file(f"{log}/2.csv", b"another")
    with pytest.raises(OfferbenchError, match=r"s3://shop/log/2.csv: is another file than was listed"):
        one_by_one(tmp_path / "there/raw")
    fsspec.filesystem("s3").rm_file(f"{log}/2.csv")
    with pytest.raises(OfferbenchError, match=r"s3://shop/log/2.csv: can't be read .*AWS_ENDPOINT_URL"):
        one_by_one(tmp_path / "there/raw")


def test_one_machine_is_told_to_fetch_them(log: str, tmp_path: Path) -> None:
    write_listing(list_remote(log), tmp_path / "raw")
    with pytest.raises(OfferbenchError, match=r"lists s3://shop/log/0.csv.*fetch --from s3://shop/log$"):
        prepare_dataset("rees46", tmp_path / "raw", tmp_path, prepare_parameters(), resources_parameters())


def test_fetch_copies_or_lists(
    log: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "checkout")
    raw = RAW_DIRECTORY / "rees46"
    fetch("rees46", log, only_list=True)
    assert json.loads((raw / LISTING).read_text())["files"][0]["url"] == f"{log}/0.csv"
    (raw / LISTING).unlink()
    fetch("rees46", log)
    fetch("rees46", log)
    for file in (tmp_path / "here/raw").iterdir():
        assert (raw / file.name).read_bytes() == file.read_bytes()
    assert capsys.readouterr().out.splitlines() == [
        f"fetch: 3 files listed in {raw / LISTING}",
        "fetch: 3 files written, 0 already there",
        "fetch: 0 files written, 3 already there",
    ]
    with pytest.raises(OfferbenchError, match="--list: goes with --from"):
        fetch("rees46", None, only_list=True)


def test_a_listing_beside_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "raw", LINES)
    assert read_listing(tmp_path / "raw") == []
    write_listing(list_remote(f"file://{tmp_path}/raw"), tmp_path / "raw")
    with pytest.raises(OfferbenchError, match=r"0.csv stands beside it. Remove the list, or the files"):
        read_listing(tmp_path / "raw")


@pytest.mark.parametrize(
    "content",
    [
        *('{"files": [{"url": 1}]}', "{}", '{"files": null}', '{"files": []}', "[]", "no"),
        '{"files": [{"url": "s3://shop/log/..", "size": 1, "version": "x"}]}',
    ],
)
def test_a_damaged_listing_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / LISTING).write_text(content)
    with pytest.raises(OfferbenchError, match=LISTING):
        read_listing(tmp_path)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("hdfs://nowhere:9000/log", "HDFS needs Hadoop's own library.*HADOOP_HOME.*hadoop fs -get"),
        ("nothing://bucket/log", "nothing://bucket/log: can't be read .*Install the package of fsspec"),
        ("s3://me:secret@bucket/log", "^s3://bucket: leave user and password out of the URL"),
        ("simplecache::s3://bucket/log", "no URL of a directory, such as s3://bucket/log"),
        ("log", "'log': no URL of a directory, such as s3://bucket/log"),
    ],
)
def test_what_cannot_be_reached_is_one_line(url: str, said: str) -> None:
    with pytest.raises(OfferbenchError, match=said) as refused:
        list_remote(url)
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_an_empty_directory_is_refused(s3: str) -> None:
    fsspec.filesystem("s3").pipe_file(f"{s3}/deeper/0.csv", b"x")
    with pytest.raises(OfferbenchError, match=r"s3://shop/log: no file\. Name the directory"):
        list_remote(s3)


def test_a_fetched_file_is_whole_or_not_there(log: str, tmp_path: Path) -> None:
    (file, *_) = list_remote(log)
    fsspec.filesystem("s3").pipe_file(file.url, b"other")
    with pytest.raises(OfferbenchError, match="is another file"):
        fetch_remote(file, tmp_path / "raw/own/0.csv")
    assert names(tmp_path / "raw") == ["own"] and names(tmp_path / "raw/own") == []

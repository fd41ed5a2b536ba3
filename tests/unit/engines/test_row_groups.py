"""A Parquet log read by parts of its files, against all of it read at once: the same events and refusals."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.datasets.canonical import ReadCounts
from offerbench.datasets.config import Custom
from offerbench.engines import raw_sources

from .plain_session import PlainSession
from .test_raw_files import check, one_by_one

DAY = 86_400
TABLE = {"file": "products.csv", "key": "sku", "columns": {"maker": "name"}}


def section(**changes: Any) -> Custom:
    """The columns of the logs that are drawn."""
    return Custom.model_validate(
        {
            **{"files": "log*", "delimiter": ",", "user": "customer", "time": "at"},
            **{"time_format": "epoch_seconds", "keep": [], "tables": []},
            "event_type": {
                "column": "action",
                "values": {"bought": "purchase", "basket": "cart"},
                "constant": None,
            },
            "features": {"product_id": "sku", "department": {"column": "path", "separator": ".", "level": 1}},
            "numbers": {"price": {"column": "price", "min": None}},
            **changes,
        }
    )


SCHEMA = pa.schema(
    {
        **{"customer": pa.string(), "at": pa.int64(), "action": pa.string(), "sku": pa.string()},
        **{"path": pa.string(), "price": pa.float64()},
    }
)
ANY = st.tuples(
    st.sampled_from(["u1", "u2", "Ü 3", "u10", "", " NULL ", None]),
    st.sampled_from([0, 1, 59, DAY, DAY + 1, 5 * DAY, -1, 130 * 366 * DAY, None]),
    st.sampled_from(["bought", "basket", "looked", "Bought", "", None]),
    st.sampled_from(["s1", "s2", "s9", "", "NA", None]),
    st.sampled_from(["a.b", "a", "", None]),
    st.sampled_from([1.5, -1.0, 0.0, -0.0, float("nan"), float("inf"), 1e10, None]),
)
GOOD = st.tuples(
    st.sampled_from(["u1", "u2", "Ü 3", "u10", "U"]),
    st.integers(0, 9 * DAY),
    st.sampled_from(["bought", "basket"]),
    st.sampled_from(["s1", "s2"]),
    st.sampled_from(["a.b", "b", ""]),
    st.sampled_from([1.5, -1.0, 0.0, -0.0]),
)
ROW = GOOD | ANY
FILES = st.lists(st.tuples(st.lists(ROW, max_size=14), st.integers(1, 5)), min_size=1, max_size=3)


def write(raw: Path, files: list[tuple[list[tuple[Any, ...]], int]]) -> None:
    """Write files, each with its rows and their number in a row group."""
    raw.mkdir(exist_ok=True)
    for number, (rows, of_group) in enumerate(files):
        columns = zip(*rows, strict=True) if rows else ([] for _ in SCHEMA)
        table = pa.table(dict(zip(SCHEMA.names, map(list, columns), strict=True)), SCHEMA)
        pq.write_table(table, raw / f"log{number}.parquet", row_group_size=of_group)
    (raw / "products.csv").write_text("sku,name\ns1,Ä\ns2,\nNA,m\n", encoding="latin-1")


@contextmanager
def rows_of_part(rows: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw_sources, "ROWS_OF_PART", rows)
        yield


@settings(max_examples=30)
@given(
    FILES,
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from(["leave_out", "reject"]),
    st.sampled_from(["UTC", "Asia/Kolkata"]),
)
def test_parts_cut_anywhere_are_the_log(
    files: list[tuple[list[tuple[Any, ...]], int]], rows: int, joins: bool, anonymous: str, zone: str
) -> None:
    changes: dict[str, Any] = {"anonymous": anonymous, "time_zone": zone}
    if joins:
        features = {"product_id": "sku", "brand": "maker"}
        keep = [{"column": "price", "at_most": 9.0}, {"column": "path", "other_than": ["a"]}]
        changes |= {"tables": [TABLE], "encoding": "latin-1", "features": features, "keep": keep}
    with TemporaryDirectory() as name, rows_of_part(rows):
        write(Path(name) / "raw", files)
        check(Path(name) / "raw", "custom", section(**changes))


def log(days: range, users: str = "ab", price: float | None = 1.0) -> list[tuple[Any, ...]]:
    return [
        (user, day * DAY + number, "bought", f"s{day}", "a.b", price)
        for day in days
        for number, user in enumerate(users)
    ]


def jobs(raw: Path, custom: Custom) -> list[int]:
    session = PlainSession()
    one_by_one(raw, "custom", session, custom)
    return session.jobs


def test_each_task_has_whole_row_groups(tmp_path: Path) -> None:
    write(tmp_path / "raw", [(log(range(10)), 3), ([], 3), (log(range(20, 25)), 100)])
    for rows, parts in {1: 7 + 1, 3: 7 + 1, 4: 4 + 1, 100: 1 + 1}.items():
        with rows_of_part(rows):
            assert jobs(tmp_path / "raw", section()) == [parts]


def test_samples_are_the_first_with_the_rows_of_their_files(tmp_path: Path) -> None:
    bad = log(range(8), price=None)
    write(tmp_path / "raw", [([*log(range(3)), *bad], 5), ([*bad, *log(range(9, 12))], 4)])
    with rows_of_part(5):
        read = check(tmp_path / "raw", "custom", section())
    assert isinstance(read, ReadCounts)
    assert [reject.line for reject in read.rejects] == [*range(7, 23), *range(1, 5)]


def test_a_border_day_that_two_files_hold_is_rejected_in_the_later(tmp_path: Path) -> None:
    border = log(range(5, 6), "abcdea")
    files = [([*log(range(5)), *border[:4]], 4), ([*border, border[0], *log(range(6, 9))], 3)]
    write(tmp_path / "raw", files)
    with rows_of_part(3):
        read = check(tmp_path / "raw", "custom", section())
        assert isinstance(read, ReadCounts)
        assert read.rejected == {"repeats_an_event_of_another_file": 4}
        assert jobs(tmp_path / "raw", section()) == [4 + 5, 2]  # only parts that repeat events are read again


def test_files_of_other_types_are_read_as_all_say(tmp_path: Path) -> None:
    """What one file alone would say of its columns is not what they are in the log."""
    raw = tmp_path / "raw"
    write(raw, [(log(range(4)), 3), (log(range(4, 8)), 3), (log(range(8, 9), price=None), 1)])
    table = pq.read_table(raw / "log1.parquet")
    places = {"customer": pa.array([1.0, 2.0, None, 4.5] * 2), "price": pa.array([1, 2, 3, None] * 2)}
    whole = pa.table({**{name: table[name] for name in reversed(table.column_names)}, **places})
    pq.write_table(whole, raw / "log1.parquet", row_group_size=2)
    empty = pq.read_table(raw / "log2.parquet").set_column(5, "price", pa.nulls(2, pa.bool_()))
    pq.write_table(empty, raw / "log2.parquet", row_group_size=1)
    with rows_of_part(2):
        assert "but DOUBLE in" in str(check(raw, "custom", section()))
        for name in ("log0", "log2"):
            file = raw / f"{name}.parquet"
            table = pq.read_table(file)
            numbers = pa.array(range(len(table)), pa.int32())
            pq.write_table(table.set_column(0, "customer", numbers), file, row_group_size=2)
        read = check(raw, "custom", section())
    assert isinstance(read, ReadCounts)
    assert read.rejected == {"price_missing_or_not_a_number": 4}


@pytest.mark.parametrize("name", ["file_index", "file_row_number", "File_Row_Number", "filename"])
def test_columns_that_hide_those_of_duckdb(name: str, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    write(raw, [(log(range(4)), 2), (log(range(5, 9)), 2)])
    for file in raw.glob("*.parquet"):
        table = pq.read_table(file)
        pq.write_table(table.append_column(name, table["sku"]), file, row_group_size=2)
    with rows_of_part(2):
        check(raw, "custom", section())
        features = {"product_id": name, "department": "path"}
        read = check(raw, "custom", section(features=features))
        assert isinstance(read, ReadCounts)
        is_cut = name.lower() != "file_row_number"
        assert jobs(raw, section()) == [8 if is_cut else 2]


def test_features_may_be_called_as_what_the_parts_have(tmp_path: Path) -> None:
    write(tmp_path / "raw", [(log(range(4)), 2), (log(range(2, 9)), 2)])
    features = {"product_id": "sku", "part": "path", "order": "action", "rows": "path"}
    with rows_of_part(2):
        assert "repeats" in str(check(tmp_path / "raw", "custom", section(features=features)))


def test_directories_of_parts(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    for month in ("01", "02"):
        directory = raw / f"logs/month={month}"
        directory.mkdir(parents=True)
        for number in range(2):
            write(directory, [(log(range(number * 40, number * 40 + 4), month), 3)])
            (directory / "products.csv").unlink()
            (directory / "log0.parquet").rename(directory / f"part{number}.parquet")
    features = {"product_id": "sku", "month": "month"}
    with rows_of_part(2):
        read = check(raw, "custom", section(features=features))
    assert isinstance(read, ReadCounts)
    assert read.rows == 32


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"user": "who"}, "custom.user: .* has no column 'who'"),
        ({"files": "orders*"}, r"custom.files: no file orders\*"),
        ({"time_format": "%Q"}, "custom.time_format"),
        ({"time_format": "date"}, "has numbers"),
        ({"tables": [{**TABLE, "file": "none.csv"}]}, "custom.tables.0.file: no file"),
        ({"tables": [{**TABLE, "file": "twice.csv"}], "features": {"product_id": "maker"}}, "appears twice"),
    ],
)
def test_refusals(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    write(raw, [(log(range(4)), 2), (log(range(5, 9)), 2)])
    (raw / "twice.csv").write_text("sku,name\ns1,a\ns1,b\n")
    with rows_of_part(2):
        message = check(raw, "custom", section(**changes))
    assert isinstance(message, str)
    assert re.search(words, message), message


def test_a_damaged_row_group_is_refused_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    raw = Path("raw")
    write(raw, [(log(range(40)), 20), (log(range(50, 90)), 20)])
    file = raw / "log1.parquet"
    group = pq.read_metadata(file).row_group(2)
    data = bytearray(file.read_bytes())
    start = group.column(3).dictionary_page_offset
    data[start : start + 12] = b"\xff" * 12
    file.write_bytes(data)
    with rows_of_part(20):
        message = check(raw, "custom", section())
    assert str(message).startswith("raw/log*: can't be read with the section custom of params.yaml. ")


def test_nan_beside_a_zero_is_missing(tmp_path: Path) -> None:
    """One file alone has statistics, from which DuckDB would say that there is no NaN."""
    for number, prices in enumerate(([float("nan"), 0.0], [0.0, float("nan"), 1.0])):
        raw = tmp_path / f"raw{number}"
        rows = [(*row[:5], price) for row, price in zip(log(range(3)), prices, strict=False)]
        write(raw, [(rows, 2)])
        features = {"product_id": "price"}
        with rows_of_part(1):
            read = check(raw, "custom", section(features=features))
        assert isinstance(read, ReadCounts)
        assert read.rejected == {"product_missing": 1}


def test_a_log_without_rows_is_refused_alike(tmp_path: Path) -> None:
    write(tmp_path / "raw", [([], 1), ([], 1)])
    with rows_of_part(2):
        assert "no row after the header" in str(check(tmp_path / "raw", "custom", section()))

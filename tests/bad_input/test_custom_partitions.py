"""A shop's log in directories of Parquet files: read as one file would be, or refused with one line."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.datasets.repeated_events import _days_of_two

from .custom_log import COLUMNS, parameters
from .stage import Bench
from .test_custom_reading import AT, GOOD, HALF, adds_up, columns, prepared, put, put_csv

MONTHS = {"month=01": GOOD[:HALF], "month=02": GOOD[HALF:]}


def put_parts(bench: Bench, parts: dict[str, Any]) -> Path:
    """Write tables to their paths in data/raw/custom."""
    for name, table in parts.items():
        (bench.raw("custom") / name).parent.mkdir(parents=True, exist_ok=True)
        put(bench, name, table)
    return bench.raw("custom")


def set_files(bench: Bench, files: str, **custom: Any) -> None:
    bench.set(parameters(files=files, **custom))


@pytest.mark.parametrize(
    ("files", "layout"),
    [
        ("orders", "orders/{}/part-0.parquet"),
        ("month=*", "{}/part-0.parquet"),
        ("*", "{}/part-0.parquet"),
        ("orders.parquet", "orders.parquet/{}/part-0.parquet"),
        ("orders", "orders/year=2024/{}/part-0.parquet"),
        ("orders", "orders/{}.parquet"),
    ],
)
def test_a_directory_is_read_as_one_file_would_be(bench: Bench, files: str, layout: str) -> None:
    set_files(bench, "all.parquet")
    put(bench, "all.parquet", columns())
    counts, whole = bench.counts(), prepared(bench)
    (bench.raw("custom") / "all.parquet").unlink()
    raw = put_parts(bench, {layout.format(month): columns(rows) for month, rows in MONTHS.items()})
    for name in ("_SUCCESS", ".part-0.parquet.crc", "_temporary/part.csv"):  # of Spark
        directory = raw / files if (raw / files).is_dir() else raw / "month=01"
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).touch()
    set_files(bench, files)
    assert bench.counts() == counts
    assert prepared(bench) == whole


@pytest.mark.parametrize("column", ["department", "maker", "action", "customer"])
def test_a_column_in_the_names_of_directories_is_read_as_in_the_file(bench: Bench, column: str) -> None:
    lines = sorted(GOOD, key=lambda row: row[AT[column]])
    set_files(bench, "all.parquet")
    put(bench, "all.parquet", columns(lines))
    counts, whole = bench.counts(), prepared(bench)
    (bench.raw("custom") / "all.parquet").unlink()
    # Numbered, so that the files are in the order of the values.
    parts = {}
    for value in dict.fromkeys(row[AT[column]] for row in lines):
        table = pa.table(columns([row for row in lines if row[AT[column]] == value]))
        parts[f"orders/{len(parts):03d}/{column}={quote(value, safe='')}/part.parquet"] = table.drop([column])
    put_parts(bench, parts)
    set_files(bench, "orders")
    assert bench.counts() == counts
    assert prepared(bench) == whole


def values_of(bench: Bench, feature: str) -> set[str]:
    vocabulary = pq.read_table(bench.path / "data/prepared/vocabulary.parquet").to_pylist()
    return {row["value"] for row in vocabulary if row["feature"] == feature}


def test_the_value_of_a_directory_is_text_as_it_is_written(bench: Bench) -> None:
    parts = {f"orders/week={number}/part.parquet": None for number in ("01", "1", "1.0", "2024-03-01")}
    parts["orders/week=__HIVE_DEFAULT_PARTITION__/part.parquet"] = None
    size = len(GOOD) // len(parts)
    put_parts(bench, {name: columns(GOOD[at * size :][:size]) for at, name in enumerate(parts)})
    content = parameters(files="orders")
    content["custom"]["features"]["department"] = "week"
    content["prepare"]["vocabulary"]["min_occurrences"] = 1
    bench.set(content)
    counts = bench.counts()
    assert counts["rows"] == size * len(parts) and adds_up(counts)
    assert {"01", "1", "1.0", "2024-03-01", ""} <= values_of(bench, "department")


def test_a_rejected_row_is_named_with_its_directory(bench: Bench) -> None:
    table = columns(GOOD[HALF:])
    place = next(place for place, action in enumerate(table["action"]) if action == "bought")
    table["unit price"][place] = -1.0
    put_parts(bench, {"orders/month=01/a.parquet": columns(GOOD[:HALF]), "orders/month=02/a.parquet": table})
    set_files(bench, "orders")
    counts = bench.counts()
    assert sum(counts["rejected"].values()) == 1 and adds_up(counts)
    lines = (bench.path / "data/prepared/rejects.csv").read_text().splitlines()
    assert lines[1].startswith(f"data/raw/custom/orders/month=02/a.parquet,{place + 1},")


def csv_beside(bench: Bench) -> None:
    put_csv(bench, GOOD[:3], "orders/month=01/b.csv")


def both(bench: Bench) -> None:
    shutil.move(bench.raw("custom") / "orders/month=01", bench.raw("custom") / "orders/maker=x")
    shutil.move(bench.raw("custom") / "orders/month=02", bench.raw("custom") / "orders/maker=y")


def other_columns(bench: Bench) -> None:
    shutil.move(bench.raw("custom") / "orders/month=02", bench.raw("custom") / "orders/week=02")


def copied(bench: Bench) -> None:
    shutil.copytree(bench.raw("custom") / "orders/month=01", bench.raw("custom") / "orders/month=03")


def no_parquet(bench: Bench) -> None:
    shutil.rmtree(bench.raw("custom") / "orders")
    (bench.raw("custom") / "orders").mkdir()


def csv_and_directory(bench: Bench) -> None:
    put_csv(bench, GOOD[:3], "orders2")


def other_type(bench: Bench) -> None:
    put(bench, "orders/month=02/part.parquet", {**columns(GOOD[HALF:]), "sku": list(range(HALF))})


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (csv_beside, "orders/month=01/b.csv: is no Parquet file, as others in data/raw/custom/orders are"),
        (both, "orders/maker=x/part.parquet: has the column 'maker' in it and in the name of its directory"),
        (
            other_columns,
            r"week=02/part.parquet: is partitioned by \['week'\], but .*month=01.* by \['month'\]",
        ),
        (copied, "month=03/part.parquet: repeats .* events of .*month=01/part.parquet"),
        (no_parquet, "orders: is a directory, a file is needed"),
        (csv_and_directory, "custom.files: orders\\* names CSV and Parquet files"),
        (other_type, "column 'sku' is VARCHAR in .*month=01/part.parquet, but BIGINT in .*month=02/part.par"),
    ],
)
def test_what_can_not_be_one_log_is_refused(
    bench: Bench, fault: Callable[[Bench], None], message: str
) -> None:
    put_parts(bench, {f"orders/{month}/part.parquet": columns(rows) for month, rows in MONTHS.items()})
    set_files(bench, "orders*")
    fault(bench)
    assert re.search(message, bench.refused())


def test_a_table_of_products_goes_with_a_partitioned_log(bench: Bench) -> None:
    set_files(bench, "all.parquet")
    put(bench, "all.parquet", columns())
    counts = bench.counts()
    (bench.raw("custom") / "all.parquet").unlink()
    header = [name for name in COLUMNS if name != "department"]
    parts = {
        f"orders/{month}/part.parquet": {name: columns(rows)[name] for name in header}
        for month, rows in MONTHS.items()
    }
    skus = sorted({row[AT["sku"]] for row in GOOD})
    put_parts(
        bench, {**parts, "products.parquet": {"sku": skus, "department": [f"of {sku}" for sku in skus]}}
    )
    set_files(bench, "orders", tables=[{"file": "products.parquet", "key": "sku"}])
    found = bench.counts()
    assert (found["rows"], found["events_kept"]) == (counts["rows"], counts["events_kept"])


DAY = st.integers(0, 12)
RANGES = st.lists(st.tuples(DAY, DAY).map(sorted), min_size=1, max_size=8)


@given(RANGES)
def test_days_of_two_files_against_every_day(ranges: list[list[int]]) -> None:
    numbered = {(number, first, last) for number, (first, last) in enumerate(ranges)}
    naive = [day for day in range(13) if sum(first <= day <= last for first, last in ranges) > 1]
    assert _days_of_two(numbered) == naive

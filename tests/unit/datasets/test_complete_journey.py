"""Complete Journey from tiny Parquet files."""

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import complete_journey

from .conftest import rows_of

PRODUCTS = [
    {"product_id": 21, "manufacturer_id": 69, "department": "GROCERY", "product_category": "FRZN ICE"}
    | {"product_type": "ICE - CRUSHED/CUBED"},
    {
        "product_id": 5,
        "manufacturer_id": 103,
        "department": "MEAT-PCKGD",
        "product_category": "  (BACON) & HAM  ",
    }
    | {"product_type": None},
    {
        "product_id": 7,
        "manufacturer_id": 2,
        "department": None,
        "product_category": None,
        "product_type": "***",
    },
]
SCHEMA = pa.schema(
    {
        "household_id": pa.int64(),
        "product_id": pa.int64(),
        "quantity": pa.int64(),
        "sales_value": pa.float64(),
        "transaction_timestamp": pa.timestamp("ns"),
    }
)


def transaction(
    household: int, product: int, quantity: int | None, value: float | None, day: int, hour: int = 12
) -> dict[str, Any]:
    row = (household, product, quantity, value, datetime(2017, 1, day, hour))
    return dict(zip(SCHEMA.names, row, strict=True))


TRANSACTIONS = [
    transaction(900, 21, 2, 3.0, 2),
    transaction(3, 5, 1, 0.79, 1, hour=23),  # earlier and of a lower number, but later in the file
    transaction(900, 21, 0, 3.0, 2),  # no quantity
    transaction(900, 21, 2, 0.0, 2),  # no value
    transaction(900, 21, 1, -1.0, 2),  # a refund
    transaction(900, 99, 1, 1.0, 2),  # no record of product 99
    transaction(900, 99, 0, 1.0, 2),  # neither quantity nor record: counted once
    transaction(900, 7, 4, 5.0, 3, hour=0),
]


def write(directory: Path, transactions: list[dict] = TRANSACTIONS, products: list[dict] = PRODUCTS) -> Path:
    pq.write_table(pa.Table.from_pylist(transactions, SCHEMA), directory / "transactions.parquet")
    pq.write_table(pa.Table.from_pylist(products), directory / "products.parquet")
    return directory


def test_events_are_canonical(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    # 2017-01-01 is 47 years of 365 days and 12 leap days after 1970-01-01: day 17,167.
    counts = complete_journey.read_events(connection, write(tmp_path))
    names = [
        "user",
        "day",
        "event_type",
        "product_id",
        "category1",
        "category2",
        "category3",
        "brand",
        "price",
    ]
    expected = [
        (900, 17168, "purchase", "21", "grocery", "frzn_ice", "ice_crushed_cubed", "69", 1.5),
        (3, 17167, "purchase", "5", "meat_pckgd", "bacon_ham", "", "103", 0.79),
        (900, 17169, "purchase", "7", "", "", "", "2", 1.25),
    ]
    assert rows_of(connection) == [dict(zip(names, row, strict=True)) for row in expected]
    assert counts.rows == 8
    assert counts.event_types == {"purchase": 8}
    assert counts.left_out == {"quantity_or_value_not_positive": 4, "product_without_record": 1}


def test_many_rows_stay_in_file_order(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    # More rows than DuckDB hands over at a time, in several row groups.
    users = [(7919 * row) % 10_007 for row in range(10_000)]
    table = pa.Table.from_pylist([transaction(user, 21, 1, 1.0, 1) for user in users], SCHEMA)
    write(tmp_path)
    pq.write_table(table, tmp_path / "transactions.parquet", row_group_size=1500)
    complete_journey.read_events(connection, tmp_path)
    assert [row["user"] for row in rows_of(connection)] == users


@pytest.mark.parametrize("change", [{"quantity": None}, {"sales_value": None}])
def test_a_row_without_quantity_or_value_is_counted(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, change: dict
) -> None:
    write(tmp_path, [transaction(1, 21, 1, 1.0, 1), {**transaction(1, 21, 1, 1.0, 1), **change}])
    counts = complete_journey.read_events(connection, tmp_path)
    assert len(rows_of(connection)) == 1
    assert sum(counts.left_out.values()) == 1  # what is not an event is counted


def test_a_product_without_manufacturer_has_the_empty_brand(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    # "Missing category or brand is the empty string, a value like any other."
    write(tmp_path, [transaction(1, 21, 1, 1.0, 1)], [{**PRODUCTS[0], "manufacturer_id": None}, PRODUCTS[1]])
    complete_journey.read_events(connection, tmp_path)
    assert [row["brand"] for row in rows_of(connection)] == [""]


@pytest.mark.parametrize("name", complete_journey.FILES)
def test_a_missing_file_is_named(connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    (write(tmp_path) / name).unlink()
    with pytest.raises(OfferbenchError, match=rf"{name}: no such file\. Run `make data`"):
        complete_journey.read_events(connection, tmp_path)


@pytest.mark.parametrize("name", complete_journey.FILES)
def test_a_damaged_file_is_refused(connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    (write(tmp_path) / name).write_bytes(b"no Parquet")
    with pytest.raises(OfferbenchError, match=rf"can't be read as Complete Journey.*{name}"):
        complete_journey.read_events(connection, tmp_path)


def test_a_missing_column_is_named(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    write(tmp_path, products=[{k: v for k, v in row.items() if k != "manufacturer_id"} for row in PRODUCTS])
    with pytest.raises(OfferbenchError, match="manufacturer_id"):
        complete_journey.read_events(connection, tmp_path)


def test_fetch_writes_what_is_missing_and_leaves_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "transactions.parquet").write_text("mine")
    assert complete_journey.fetch(tmp_path) == [tmp_path / "products.parquet"]
    assert (tmp_path / "transactions.parquet").read_text() == "mine"
    assert {"product_id", "department"} <= set(pq.read_schema(tmp_path / "products.parquet").names)
    assert complete_journey.fetch(tmp_path) == []

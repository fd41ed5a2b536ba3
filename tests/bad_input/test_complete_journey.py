"""Bad Complete Journey files, end to end through the stage `prepare`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ..unit.datasets.test_complete_journey import PRODUCTS, SCHEMA, transaction
from ..unit.parameters import COMPLETE
from .stage import Bench

GOOD = [transaction(household, 21, 1, 1.5, 1 + household % 9) for household in range(200)]


def write(
    bench: Bench, transactions: list[dict[str, Any]], products: list[dict[str, Any]] = PRODUCTS
) -> None:
    history = {**COMPLETE["prepare"]["history"], "events": ["purchase"]}
    prepare = {**COMPLETE["prepare"], "history": history}
    bench.set({**COMPLETE, "dataset": "complete_journey", "prepare": prepare})
    raw = bench.raw("complete_journey")
    pq.write_table(pa.Table.from_pylist(transactions, SCHEMA), raw / "transactions.parquet")
    pq.write_table(pa.Table.from_pylist(products), raw / "products.parquet")


ROW = GOOD[0]
REJECTED = {
    "empty user": ({"household_id": None}, "user_missing"),
    "empty time": ({"transaction_timestamp": None}, "time_missing_or_unreadable"),
    "bad time": ({"transaction_timestamp": datetime(1917, 1, 1)}, "time_before_1970_or_after_2099"),
    "NaN": ({"sales_value": float("nan")}, "price_negative_or_absurd"),
    "absurd price": ({"sales_value": 1e300}, "price_negative_or_absurd"),
}


@pytest.mark.parametrize("fault", REJECTED)
def test_a_row_is_rejected(bench: Bench, fault: str) -> None:
    change, reason = REJECTED[fault]
    write(bench, [*GOOD, {**ROW, **change}])
    assert bench.counts()["rejected"] == {reason: 1}
    assert f"transactions.parquet,201,{reason}," in bench.rejects()


def test_too_many_rows_rejected_are_refused(bench: Bench) -> None:
    write(bench, [*GOOD, *[{**ROW, "household_id": None}] * 3])
    assert "3 of 203 rows can't be used (user_missing 3)" in bench.refused()


def test_a_negative_price_is_left_out(bench: Bench) -> None:
    write(bench, [*GOOD, *[{**ROW, "sales_value": -1.0}] * 3])  # refunds: normal for the source
    assert bench.counts()["left_out"]["quantity_or_value_not_positive"] == 3


def test_duplicated_rows_are_kept(bench: Bench) -> None:
    write(bench, [*GOOD, *GOOD])
    assert bench.counts()["events_kept"] == 400


def _cut(bench: Bench) -> None:
    file = bench.raw("complete_journey") / "transactions.parquet"
    file.write_bytes(file.read_bytes()[:-100])


def _remove(bench: Bench) -> None:
    (bench.raw("complete_journey") / "products.parquet").unlink()


REFUSED: dict[str, tuple[Callable[[Bench], None], str]] = {
    "zero rows": (lambda bench: write(bench, []), "transactions.parquet: no row"),
    "one user only": (lambda bench: write(bench, [ROW]), "prepare.split"),
    "a product twice": (lambda bench: write(bench, GOOD, [*PRODUCTS, PRODUCTS[0]]), "21 appears twice"),
    "a missing column": (lambda bench: write(bench, GOOD, [{"product_id": 21}]), "department"),
    "a cut file": (_cut, "can't be read as Complete Journey"),
    "a missing file": (_remove, "products.parquet: no such file"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_files_are_refused(bench: Bench, fault: str) -> None:
    make, message = REFUSED[fault]
    write(bench, GOOD)
    make(bench)
    assert message in bench.refused()

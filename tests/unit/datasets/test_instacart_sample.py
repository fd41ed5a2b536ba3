"""The sample of Instacart's orders: the days that its orders are of, and the real file."""

import csv
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import instacart_sample
from offerbench.datasets.fetching import fetch_dataset

from .conftest import rows_of

FIRST = instacart_sample.FIRST_DAY
HEADER = instacart_sample.HEADER
# Order, user, its number, weekday, hour, days since the last, product, place in the cart, bought before.
ROWS = [
    "11,1,1,2,8,,196,1.0,0.0",
    "11,1,1,2,8,,14084,2.0,0.0",
    "12,1,2,3,7,15.0,196,2.0,1.0",
    "12,1,2,3,7,15.0,10258,1.0,0.0",
    "13,1,3,3,12,0.0,196,1.0,1.0",
    "21,2,1,0,20,,196,1.0,0.0",
    "22,2,2,0,9,30.0,5,1.0,0.0",
]


def write(directory: Path, rows: list[str] = ROWS, header: str = HEADER) -> Path:
    lines = [header, *(f"{number},{row}" for number, row in enumerate(rows))]
    (directory / "df_sample.csv").write_text("".join(f"{line}\n" for line in lines))
    return directory


def test_days_are_counted_from_the_first_order(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    counts = instacart_sample.read_events(connection, write(tmp_path))
    assert [tuple(row.values()) for row in rows_of(connection)] == [
        (1, FIRST, "purchase", "196"),
        (1, FIRST, "purchase", "14084"),
        (2, FIRST, "purchase", "196"),  # twelve hours later
        (1, FIRST + 15, "purchase", "10258"),  # first in the cart
        (1, FIRST + 15, "purchase", "196"),
        (1, FIRST + 15, "purchase", "196"),  # the third order, of the same day
        (2, FIRST + 30, "purchase", "5"),
    ]
    assert counts.rows == 7
    assert counts.rejected == {}


@pytest.mark.parametrize(
    ("change", "reason", "rejected"),
    [
        (lambda rows: ["11,,1,2,8,,196,1.0,0.0", *rows], "user_missing_or_not_a_number", 1),
        (lambda rows: ["31,x,1,2,8,,196,1.0,0.0", *rows], "user_missing_or_not_a_number", 1),
        (lambda rows: ["31,3,1,2,8,, ,1.0,0.0", *rows], "product_missing", 1),
        (lambda rows: [row for row in rows if not row.startswith("12,")], "day_of_the_order_unknown", 1),
        (lambda rows: [row.replace(",15.0,", ",,") for row in rows], "day_of_the_order_unknown", 3),
        (
            lambda rows: [row.replace(",15.0,10258", ",14.0,10258") for row in rows],
            "day_of_the_order_unknown",
            3,
        ),
        (lambda rows: [row.replace(",15.0,", ",x,") for row in rows], "day_of_the_order_unknown", 3),
        (lambda rows: [row.replace(",15.0,", ",-1.0,") for row in rows], "day_of_the_order_unknown", 3),
        (
            lambda rows: [row.replace("11,1,1,2,8,,", "11,1,1,2,8,4.0,") for row in rows],
            "day_of_the_order_unknown",
            5,
        ),
        (lambda rows: ["91,1,2,3,7,15.0,7,3.0,0.0", *rows], "day_of_the_order_unknown", 4),
        (lambda rows: [*rows, "23,2,3"], "wrong_number_of_fields", 1),
    ],
)
def test_a_row_whose_day_can_not_be_told_is_rejected(
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    change: Callable[[list[str]], list[str]],
    reason: str,
    rejected: int,
) -> None:
    rows = change(ROWS)
    counts = instacart_sample.read_events(connection, write(tmp_path, rows))
    assert counts.rejected == {reason: rejected}
    assert counts.rows == len(rows)
    assert len(rows_of(connection)) == len(rows) - rejected
    assert counts.rejects[0].file == str(tmp_path / "df_sample.csv")
    assert counts.rejects[0].line is not None


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        ([], HEADER, "no row after the header"),
        (ROWS, HEADER.replace("user_id", "user"), "starts with ',order_id,user,"),
        (ROWS, "", "starts with ''"),
    ],
)
def test_another_file_is_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, rows: list[str], header: str, message: str
) -> None:
    with pytest.raises(OfferbenchError, match=message):
        instacart_sample.read_events(connection, write(tmp_path, rows, header))


def test_a_missing_file_is_to_be_fetched(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(OfferbenchError, match=r"df_sample\.csv: no such file\. Run `offerbench fetch`"):
        instacart_sample.read_events(connection, tmp_path)


def test_the_real_file_by_a_naive_reader(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    try:
        fetch_dataset("instacart_sample", tmp_path)
    except OfferbenchError as error:
        pytest.skip(str(error))
    counts = instacart_sample.read_events(connection, tmp_path)
    assert (counts.rows, counts.left_out, counts.rejected) == (150_000, {}, {})
    days: dict[tuple[int, int], int] = {}
    expected = []
    with (tmp_path / "df_sample.csv").open() as stream:
        for row in csv.DictReader(stream):
            user, order = int(row["user_id"]), int(row["order_number"])
            if (user, order) not in days:
                gap = row["days_since_prior_order"]
                days[user, order] = days[user, order - 1] + int(float(gap)) if gap else FIRST
            expected.append((user, days[user, order], row["product_id"]))
    read = connection.sql('SELECT "user", day, product_id FROM events').fetchall()
    assert sorted(read) == sorted(expected)
    assert len({user for user, _, _ in read}) == 593
    assert [day for _, day, _ in read] == sorted(day for _, day, _ in read)

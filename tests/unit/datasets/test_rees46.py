"""REES46 from tiny CSV files, and from the real fragment kept beside the project."""

import gzip
import shutil
from pathlib import Path

import duckdb
import pytest

from offerbench.datasets import rees46
from offerbench.errors import OfferbenchError

from ..tiny_log import FIRST_DAY, HEADER, csv_line
from .conftest import rows_of

FRAGMENT = Path(__file__).parents[4] / "shared" / "data" / "rees46_2019-Oct_first_1000.csv"


def write(directory: Path, *lines: str, name: str = "2019-Oct.csv", header: str = HEADER) -> Path:
    text = "".join(f"{line}\n" for line in (header, *lines))
    if name.endswith(".gz"):
        with gzip.open(directory / name, "wt") as file:
            file.write(text)
    else:
        (directory / name).write_text(text)
    return directory


def purchase(user: int, category_code: str = "a.b.c", brand: str = "x", price: str = "1.50") -> str:
    return csv_line(user, 0, "purchase", "100", category_code, brand, price)


@pytest.mark.parametrize(
    ("category_code", "levels"),
    [
        ("appliances.environment.water_heater", ("appliances", "environment", "water_heater")),
        ("a.b.c.d", ("a", "b", "c")),
        ("a.b", ("a", "b", "")),
        ("a", ("a", "", "")),
        ("", ("", "", "")),
    ],
)
def test_category_code_splits_into_three_levels(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, category_code: str, levels: tuple[str, ...]
) -> None:
    rees46.read_events(connection, write(tmp_path, purchase(1, category_code)))
    (row,) = rows_of(connection)
    assert (row["category1"], row["category2"], row["category3"]) == levels


def test_a_row_is_canonical(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    line = csv_line(7, 3, "cart", "0042", "a.b.c", '"x, ""y"""', "12.34")
    rees46.read_events(connection, write(tmp_path, line))
    assert rows_of(connection) == [
        {"user": 7, "day": FIRST_DAY + 3, "event_type": "cart", "product_id": "0042"}
        | {"category1": "a", "category2": "b", "category3": "c", "brand": 'x, "y"', "price": 12.34}
    ]


def test_days_are_utc_days_from_midnight_to_midnight(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    times = ["1970-01-01 00:00:00", "1970-01-01 23:59:59", "1970-01-02 00:00:00", "2020-02-29 12:00:00"]
    lines = [purchase(1).replace("2019-10-01 10:00:00", time) for time in times]
    rees46.read_events(connection, write(tmp_path, *lines))
    # 2020-02-29: 50 years of 365 days, 12 leap days, 31 days of January, 28 of February.
    assert [row["day"] for row in rows_of(connection)] == [0, 0, 1, 18321]


def test_a_missing_brand_is_the_empty_string(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rees46.read_events(connection, write(tmp_path, purchase(1, brand=""), purchase(1)))
    assert [row["brand"] for row in rows_of(connection)] == ["", "x"]


def test_files_are_read_in_the_order_of_their_names(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    # Written in another order than they are read; compressed and plain ones mixed.
    write(tmp_path, purchase(5), purchase(4), name="2020-Jan.csv.gz")
    write(tmp_path, purchase(9), purchase(8), name="2019-Nov.csv.gz")
    write(tmp_path, purchase(7), purchase(6), name="2019-Oct.csv")
    (tmp_path / "notes.txt").write_text("not read")
    rees46.read_events(connection, tmp_path)
    assert [row["user"] for row in rows_of(connection)] == [9, 8, 7, 6, 5, 4]


def test_many_rows_stay_in_file_order(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    users = [(7919 * row) % 30_011 for row in range(30_000)]
    write(tmp_path, *(purchase(user) for user in users))
    rees46.read_events(connection, tmp_path)
    assert [row["user"] for row in rows_of(connection)] == users


def test_event_types_are_counted_and_views_left_out(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    types = ["view", "cart", "view", "purchase", "remove_from_cart", "cart"]
    lines = [csv_line(user, 0, name, "1", "", "", "1.00") for user, name in enumerate(types)]
    counts = rees46.read_events(connection, write(tmp_path, *lines))
    assert [(row["user"], row["event_type"]) for row in rows_of(connection)] == [
        (1, "cart"),
        (3, "purchase"),
        (5, "cart"),
    ]
    assert counts.rows == 6
    assert counts.event_types == {"cart": 2, "purchase": 1, "remove_from_cart": 1, "view": 2}
    assert counts.left_out == {"event_type_remove_from_cart": 1, "event_type_view": 2}


def test_no_file_names_the_directory(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(OfferbenchError, match=r"no \*\.csv or \*\.csv\.gz file.*2019-Oct\.csv\.gz"):
        rees46.read_events(connection, tmp_path)


SWAPPED = HEADER.replace("product_id,category_id", "category_id,product_id")


@pytest.mark.parametrize(
    "header",
    [HEADER.replace("brand", "make"), SWAPPED, HEADER.removesuffix(",user_session"), purchase(1)],
    ids=["another name", "another order", "a column less", "no header"],
)
@pytest.mark.parametrize("name", ["2019-Oct.csv", "2019-Oct.csv.gz"])
def test_a_wrong_header_is_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, header: str, name: str
) -> None:
    write(tmp_path, purchase(1), name=name, header=header)
    with pytest.raises(OfferbenchError, match="needs the header event_time,event_type,product_id"):
        rees46.read_events(connection, tmp_path)


def test_a_wrong_header_of_a_later_file_is_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    write(tmp_path, purchase(1), name="2019-Nov.csv")
    write(tmp_path, purchase(1), name="2019-Oct.csv", header=SWAPPED)
    with pytest.raises(OfferbenchError, match="needs the header"):
        rees46.read_events(connection, tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        purchase(1, price="cheap"),
        purchase(1).replace("2019-10-01", "2019-13-01"),
        purchase(1).replace(",1,session", ",someone,session"),
        purchase(1) + ",more",
    ],
    ids=["price", "day", "user", "more fields"],
)
def test_a_damaged_row_is_refused(connection: duckdb.DuckDBPyConnection, tmp_path: Path, line: str) -> None:
    with pytest.raises(OfferbenchError, match="can't be read as REES46"):
        rees46.read_events(connection, write(tmp_path, purchase(1), line))


@pytest.mark.parametrize(
    "line",
    [
        purchase(1, price=""),
        purchase(1).replace(",100,", ",,"),
        purchase(1).replace(",1,session", ",,session"),
    ],
    ids=["price", "product", "user"],
)
def test_a_row_that_lacks_a_field_is_refused_or_counted(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, line: str
) -> None:
    # Only category and brand may be missing: a NULL in the canonical table would drop out of a later
    # join uncounted.
    write(tmp_path, purchase(1), line)
    try:
        counts = rees46.read_events(connection, tmp_path)
    except OfferbenchError:
        return
    rows = rows_of(connection)
    assert all(value is not None for row in rows for value in row.values())
    assert len(rows) + sum(counts.left_out.values()) == counts.rows == 2


@pytest.mark.skipif(not FRAGMENT.exists(), reason=f"the real fragment is not at {FRAGMENT}")
def test_the_real_fragment(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    shutil.copy(FRAGMENT, tmp_path)
    counts = rees46.read_events(connection, tmp_path)
    assert counts.rows == 1000
    assert counts.event_types == {"view": 987, "purchase": 10, "cart": 3}
    rows = rows_of(connection)
    assert len(rows) == 13
    assert {row["day"] for row in rows} == {FIRST_DAY}
    kept = [line.split(",") for line in FRAGMENT.read_text().splitlines() if ",view," not in line][1:]
    assert [(row["user"], row["product_id"], row["brand"], row["price"]) for row in rows] == [
        (int(fields[7]), fields[2], fields[5], float(fields[6])) for fields in kept
    ]

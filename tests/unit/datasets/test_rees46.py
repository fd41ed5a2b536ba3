"""REES46 from tiny CSV files, and from the real fragment kept beside the project."""

import gzip
import shutil
from pathlib import Path

import duckdb
import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import rees46

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
    ("line", "reason"),
    [
        (purchase(1, price="cheap"), "price_missing_or_not_a_number"),
        (purchase(1).replace("2019-10-01", "2019-13-01"), "time_missing_or_unreadable"),
        (purchase(1).replace(",1,session", ",someone,session"), "user_not_a_number"),
        (purchase(1) + ",more", "wrong_number_of_fields"),
        (purchase(1).removesuffix("1,session"), "wrong_number_of_fields"),
        (purchase(1, price=""), "price_missing_or_not_a_number"),
        (purchase(1, price="-0.01"), "price_negative_or_absurd"),
        (purchase(1, price="1e10"), "price_negative_or_absurd"),
        (purchase(1, price="nan"), "price_missing_or_not_a_number"),
        (purchase(1, price="inf"), "price_missing_or_not_a_number"),
        (purchase(1).replace(",100,", ",,"), "product_missing"),
        (purchase(1).replace(",1,session", ",,session"), "user_missing"),
        (purchase(1).replace("purchase", ""), "event_type_missing"),
        (purchase(1).replace("2019-10-01 10:00:00 UTC", ""), "time_missing_or_unreadable"),
        (purchase(1).replace("2019", "1919"), "time_before_1970_or_after_2099"),
        (purchase(1).replace("2019", "2100"), "time_before_1970_or_after_2099"),
    ],
)
@pytest.mark.parametrize("name", ["2019-Oct.csv", "2019-Oct.csv.gz"])
def test_a_row_that_can_not_be_used_is_rejected(
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    line: str,
    reason: str,
    name: str,
) -> None:
    # Only category and brand may be missing: a NULL in the canonical table would drop out of a later
    # join uncounted.
    other = csv_line(2, 1, "purchase", "7", "", "", "0.00")
    write(tmp_path, purchase(1), line, other, name=name)
    counts = rees46.read_events(connection, tmp_path)
    assert [row["user"] for row in rows_of(connection)] == [1, 2]
    assert counts.rows == 3
    assert counts.left_out == {}
    assert counts.rejected == {reason: 1}
    (reject,) = counts.rejects
    assert (reject.file, reject.line, reject.reason) == (str(tmp_path / name), 3, reason)
    assert reject.text == line  # as it is in the file


def test_what_is_wrong_in_a_view_does_not_matter(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    lines = [csv_line(1, 0, "view", "1", "", "", "cheap"), csv_line(1, 0, "view", "1", "", "", "-1")]
    counts = rees46.read_events(connection, write(tmp_path, purchase(1), *lines))
    assert counts.rows == 3
    assert counts.rejected == {}
    assert counts.left_out == {"event_type_view": 2}


def test_times_with_an_offset_are_of_the_utc_day(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    times = [
        "2019-10-01 23:30:00-05:00",
        "2019-10-01T23:30:00Z",
        "2019-10-02 01:00:00+02:00",
        "2019-10-01 23:30",
    ]
    lines = [purchase(1).replace("2019-10-01 10:00:00 UTC", time) for time in times]
    rees46.read_events(connection, write(tmp_path, *lines))
    assert [row["day"] - FIRST_DAY for row in rows_of(connection)] == [1, 0, 0, 0]


def test_lines_are_those_of_each_file(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    bad = purchase(1, price="cheap")
    write(tmp_path, *(purchase(user) for user in range(5000)), bad, name="2019-Oct.csv")
    november = [purchase(user).replace("2019-10", "2019-11") for user in range(50)]
    write(tmp_path, *november, bad, bad, name="2019-Nov.csv.gz")
    counts = rees46.read_events(connection, tmp_path)
    assert [(Path(reject.file).name, reject.line) for reject in counts.rejects] == [
        ("2019-Nov.csv.gz", 52),
        ("2019-Nov.csv.gz", 53),
        ("2019-Oct.csv", 5002),
    ]


def test_twenty_rows_of_each_reason_are_shown(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    lines = [purchase(1, price=price) for price in ("cheap", "-1") for _ in range(30)]
    counts = rees46.read_events(connection, write(tmp_path, *lines))
    assert counts.rejected == {"price_missing_or_not_a_number": 30, "price_negative_or_absurd": 30}
    reasons = [reject.reason for reject in counts.rejects]
    assert [reasons.count(reason) for reason in counts.rejected] == [20, 20]


@pytest.mark.parametrize("time", ["", " UTC", "Z", "+00:00"])
def test_a_time_zone_suffix_is_read(connection: duckdb.DuckDBPyConnection, tmp_path: Path, time: str) -> None:
    rees46.read_events(connection, write(tmp_path, purchase(1).replace(" UTC", time)))
    assert [row["day"] for row in rows_of(connection)] == [FIRST_DAY]


def month(days: range, user: int = 1) -> list[str]:
    return [csv_line(user, day, "cart", str(day), "", "", "1.00") for day in days]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (range(20), range(20)),
        (range(20), range(10, 30)),
        (range(10, 30), range(20)),
        (range(20), range(5, 9)),
    ],
    ids=["the same", "overlapping", "overlapping, names in another order", "a part"],
)
def test_events_that_two_files_hold_are_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, first: range, second: range
) -> None:
    write(tmp_path, *month(first), name="a.csv")
    write(tmp_path, *month(second), name="b.csv.gz")
    with pytest.raises(OfferbenchError, match=r"b\.csv\.gz: repeats \d+ of \d+ events of .*a\.csv"):
        rees46.read_events(connection, tmp_path)


def test_files_may_share_days_but_not_events(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    write(tmp_path, *month(range(20)), name="a.csv")
    write(tmp_path, *month(range(19, 29), user=3), name="b.csv")  # the day at the border
    write(tmp_path, *month(range(29), user=2), name="c.csv")
    assert rees46.read_events(connection, tmp_path).rows == 20 + 10 + 29


def test_events_of_the_border_day_that_two_files_hold_are_rejected(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    # The end of October has three of the six events of 1 November, one of them twice.
    border = [csv_line(user, 20, "cart", str(user), "", "", "1.00") for user in (5, 6, 7, 8, 9, 5)]
    october = [*month(range(20)), border[0], border[1], border[5]]
    november = [*border, border[0], *month(range(21, 25))]
    write(tmp_path, *october, name="2019-Oct.csv.gz")
    write(tmp_path, *november, csv_line(1, 22, "view", "1", "", "", "1.00"), name="2019-Sep.csv")
    counts = rees46.read_events(connection, tmp_path)
    assert counts.rejected == {"repeats_an_event_of_another_file": 3}
    assert counts.rows == len(october) + len(november) + 1
    users = [row["user"] for row in rows_of(connection) if row["day"] == FIRST_DAY + 20]
    assert sorted(users) == [5, 5, 5, 6, 7, 8, 9]
    assert [(Path(reject.file).name, reject.line, reject.text) for reject in counts.rejects] == [
        ("2019-Sep.csv", line, november[line - 2]) for line in (2, 3, 7)
    ]


def test_files_that_meet_within_a_day_keep_all_events(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    # A user may buy the same again after the cut; it is no repeat while most events differ.
    morning = [csv_line(user, 20, "cart", str(user), "", "", "1.00") for user in (5, 6, 7)]
    evening = [csv_line(user, 20, "cart", str(user), "", "", "1.00") for user in (5, 8, 9)]
    write(tmp_path, *month(range(20)), *morning, name="a.csv")
    write(tmp_path, *evening, *month(range(21, 25)), name="b.csv")
    assert rees46.read_events(connection, tmp_path).rejected == {}
    assert len(rows_of(connection)) == 20 + 3 + 3 + 4


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

"""A shop's own log in the forms that logs have: names, delimiters, encodings, numbers, tables."""

import gzip
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .custom_log import COLUMNS, as_csv, parameters
from .stage import Bench
from .test_custom_reading import AT, GOOD, adds_up, columns, prepared, put, put_csv

MAKERS = ["Société", "Müller, €", "Łódź", "O'Neil"]
NEXT = len(GOOD) + 2  # line of a row after the last


def expected(bench: Bench, lines: list[list[str]] = GOOD, **custom: Any) -> dict[str, bytes]:
    """The tables of the plain log."""
    bench.set(parameters(**custom))
    put_csv(bench, lines)
    bench.counts()
    (bench.raw("custom") / "orders.csv").unlink()
    return prepared(bench)


def same(bench: Bench, before: dict[str, bytes], **custom: Any) -> None:
    bench.set(parameters(**custom))
    counts = bench.counts()
    assert counts["rejected"] == {}
    assert adds_up(counts)
    assert prepared(bench) == before


def changed(column: str, value: str, line: list[str] = GOOD[0]) -> list[str]:
    line = [*line[: AT["action"]], "bought", *line[AT["action"] + 1 :]]
    return [*line[: AT[column]], value, *line[AT[column] + 1 :]]


FOREIGN = [changed("maker", MAKERS[n % 2], line) for n, line in enumerate(GOOD)]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("encoding", ["utf-16", "windows-1252", "UTF-8", "utf-8-sig"])
def test_files_of_other_encodings_are_read(bench: Bench, encoding: str, packed: bool) -> None:
    before = expected(bench, FOREIGN)
    name = "orders.csv.gz" if packed else "orders.csv"
    keys = {"files": name, "encoding": encoding}

    def write(lines: list[list[str]]) -> None:
        data = as_csv(lines).decode().encode(encoding)
        (bench.raw("custom") / name).write_bytes(gzip.compress(data) if packed else data)

    write(FOREIGN)
    same(bench, before, **keys)
    write([*FOREIGN, changed("ordered at", "yesterday", FOREIGN[1])])
    assert bench.counts()["rejected"] == {"time_missing_or_unreadable": 1}
    assert f"data/raw/custom/{name},{NEXT},time_missing_or_unreadable" in bench.rejects()
    assert "Müller, €" in bench.rejects()


def test_a_file_of_another_encoding_than_stated_is_refused(bench: Bench) -> None:
    bench.set(parameters(encoding="ascii"))
    put_csv(bench, FOREIGN)
    assert "data/raw/custom/orders.csv: is not of custom.encoding = ascii" in bench.refused()


def test_an_encoding_that_is_not_stated_is_advised(bench: Bench) -> None:
    bench.set(parameters())
    (bench.raw("custom") / "orders.csv").write_bytes(as_csv(FOREIGN).decode().encode("windows-1252"))
    assert "Set custom.encoding, such as to latin-1" in bench.refused()


def test_a_refusal_names_the_file_not_its_copy(bench: Bench) -> None:
    bench.set(parameters(encoding="utf-16"))
    (bench.raw("custom") / "orders.csv").write_bytes(as_csv(GOOD, COLUMNS[:-1]).decode().encode("utf-16"))
    assert "data/raw/custom/orders.csv has no column 'unit price'" in bench.refused()


@pytest.mark.parametrize("name", ["orders.tsv", "orders.dat", "orders", "orders 2024 [1].txt", "data.csv.GZ"])
def test_files_may_have_any_name(bench: Bench, name: str) -> None:
    before = expected(bench)
    data = as_csv(GOOD)
    (bench.raw("custom") / name).write_bytes(gzip.compress(data) if name.endswith("GZ") else data)
    same(bench, before, files=name)


@pytest.mark.parametrize("delimiter", ["::", "||", "\t", "|", ";", " | "])
def test_delimiters_of_several_characters_are_read(bench: Bench, delimiter: str) -> None:
    plain = [changed("maker", "m1", line) for line in GOOD]
    before = expected(bench, plain)
    text = "\n".join(delimiter.join(line) for line in [COLUMNS, *plain, changed("ordered at", "yesterday")])
    (bench.raw("custom") / "orders.csv").write_text(text)
    bench.set(parameters(delimiter=delimiter))
    assert bench.counts()["rejected"] == {"time_missing_or_unreadable": 1}
    assert f"orders.csv,{NEXT},time_missing_or_unreadable" in bench.rejects()
    (bench.raw("custom") / "orders.csv").write_text(text.rsplit("\n", 1)[0])
    same(bench, before, delimiter=delimiter)


def test_a_log_without_a_header_is_read(bench: Bench) -> None:
    before = expected(bench)
    (bench.raw("custom") / "orders.csv").write_bytes(as_csv(GOOD[1:], GOOD[0]))
    same(bench, before, columns=COLUMNS)
    put_csv(bench, GOOD)
    assert "orders.csv: the first line has the names of the columns. Set custom.columns" in bench.run()[1]


def test_columns_that_nobody_names_may_have_any_name(bench: Bench) -> None:
    before = expected(bench)
    put_csv(bench, [["0", *line, "x"] for line in GOOD], header=["", *COLUMNS, "id"])
    same(bench, before)


@pytest.mark.parametrize("kind", ["csv", "int", "double"])
def test_event_types_may_be_numbers(bench: Bench, kind: str) -> None:
    before = expected(bench)
    number = {"bought": 1, "reordered": 2, "put in basket": 3, "looked": 4}
    types = {"column": "action", "values": {1: "purchase", 2: "purchase", 3: "cart"}, "constant": None}
    if kind == "csv":
        lines = [[*row[:2], str(number[row[AT["action"]]]), *row[3:]] for row in GOOD]
        put_csv(bench, lines)
        same(bench, before, event_type=types)
        return
    table = columns()
    numbers = [number[action] for action in table["action"]]
    table["action"] = pa.array(numbers, pa.int32() if kind == "int" else pa.float64())
    put(bench, "orders.parquet", table)
    same(bench, before, event_type=types, files="*.parquet")


def test_a_column_is_split_into_levels(bench: Bench) -> None:
    lines = [changed("maker", f"m{n % 3}", line) for n, line in enumerate(GOOD)]
    before = expected(bench, lines)
    joined = [
        changed("department", f"shop.{line[AT['department']]}.{line[AT['maker']]}", line) for line in lines
    ]
    put_csv(bench, joined)
    levels: dict[str, Any] = {"product_id": "sku"}
    levels["department"] = {"column": "department", "separator": ".", "level": 2}
    levels["brand"] = {"column": "department", "separator": ".", "level": -1}
    same(bench, before, features=levels)
    levels["brand"] = {"column": "department", "separator": ".", "level": 4}
    bench.set(parameters(features=levels))
    assert bench.counts()["vocabulary"]["brand"]["values"] == 1


def test_decimal_commas_are_read(bench: Bench) -> None:
    before = expected(bench)
    lines = [[*line[:-1], line[-1].replace(".", ",")] for line in GOOD]
    put_csv(bench, lines)
    same(bench, before, decimal=",")
    put_csv(bench, [*lines, changed("unit price", "1.000"), changed("unit price", "1.000,50")])
    assert bench.counts()["rejected"] == {"price_missing_or_not_a_number": 2}
    bench.set(parameters(decimal="."))
    put_csv(bench, lines)
    assert "Tried was custom.decimal: '.'" in bench.run()[1]


def test_bounds_of_numbers_are_the_users(bench: Bench) -> None:
    lines = [changed("unit price", price) for price in ("-2", "5000000000", "0", "1e12")]
    put_csv(bench, [*GOOD, *lines])
    bench.set(parameters())
    assert bench.counts()["rejected"] == {"price_negative_or_absurd": 3}
    bench.set(parameters(numbers={"price": {"column": "unit price", "min": None, "max": 1e11}}))
    assert bench.counts()["rejected"] == {"price_out_of_bounds": 1}
    bench.set(parameters(numbers={"price": {"column": "unit price", "min": None, "max": None}}))
    assert bench.counts()["rejected"] == {}


def test_a_wrong_format_of_times_lists_those_there_are(bench: Bench) -> None:
    bench.set(parameters(time_format="epoch_seconds"))
    put_csv(bench, GOOD)
    message = bench.refused()
    assert (
        "Tried was custom.time_format: `epoch_seconds` reads 1706695200. There are also: `timestamp`"
        in message
    )
    assert "patterns such as %d-%m-%Y" in message
    bench.set(parameters(time_format="%Y-%q"))
    assert "custom.time_format: Invalid Input Error: Failed to parse format specifier" in bench.refused()


@pytest.mark.parametrize("name", ["orders.xlsx", "orders.zip", "orders.csv.zst"])
def test_files_of_other_kinds_are_refused(bench: Bench, name: str) -> None:
    bench.set(parameters(files=name))
    (bench.raw("custom") / name).write_bytes(b"PK")
    assert f"{name}: can't be read. Save it as CSV or Parquet" in bench.refused()


def test_a_name_in_capitals_is_not_passed_over(bench: Bench) -> None:
    bench.set(parameters())
    put_csv(bench, GOOD)
    put_csv(bench, GOOD, "ORDERS2.CSV")
    assert "ORDERS2.CSV differs from orders*.csv by capitals only" in bench.refused()


def test_a_file_plain_and_packed_is_refused(bench: Bench) -> None:
    bench.set(parameters(files="orders*"))
    put_csv(bench, GOOD)
    (bench.raw("custom") / "orders.csv.gz").write_bytes(gzip.compress(as_csv(GOOD)))
    assert "orders.csv: is there a second time as data/raw/custom/orders.csv.gz" in bench.refused()


PRODUCTS = {
    row[AT["sku"]]: (f"d{int(row[AT['sku']][1:]) % 3}", f"m{int(row[AT['sku']][1:]) % 4}") for row in GOOD
}
BY_PRODUCT = [
    [*line[: AT["department"]], *PRODUCTS[line[AT["sku"]]], line[AT["unit price"]]] for line in GOOD
]
SHORT = [name for name in COLUMNS if name not in ("department", "maker")]


def short(lines: list[list[str]]) -> list[list[str]]:
    return [[*line[: AT["department"]], *line[AT["maker"] + 1 :]] for line in lines]


def put_products(
    bench: Bench, name: str = "products.csv", header: tuple[str, ...] = ("sku", "department", "maker")
) -> None:
    lines = [list(header), *([sku, *values] for sku, values in sorted(PRODUCTS.items(), reverse=True))]
    (bench.raw("custom") / "products.csv").write_text("\n".join(",".join(line) for line in lines))


def test_a_table_of_products_is_joined(bench: Bench) -> None:
    before = expected(bench, BY_PRODUCT)
    put_csv(bench, short(BY_PRODUCT), header=SHORT)
    put_products(bench)
    same(bench, before, tables=[{"file": "products.csv", "key": "sku"}])
    same(
        bench, before, files="*.csv", tables=[{"file": "products.csv", "key": "sku"}]
    )  # is no part of the log
    put_products(bench, header=("product", "unit price", "action"))
    names = {"department": "unit price", "maker": "action"}
    same(
        bench, before, tables=[{"file": "products.csv", "key": "product", "log_key": "sku", "columns": names}]
    )


def test_keys_are_one_whatever_they_are_stored_as(bench: Bench) -> None:
    number = [changed("sku", line[AT["sku"]][1:], line) for line in BY_PRODUCT]
    before = expected(bench, number)
    put_csv(bench, short(number), header=SHORT)
    keys = [int(sku[1:]) for sku in PRODUCTS]
    for kind in (pa.int64(), pa.float64(), pa.string()):
        key = pa.array(map(str, keys) if kind == pa.string() else keys, kind)
        department, maker = zip(*PRODUCTS.values(), strict=True)
        table = pa.table({"sku": key, "department": department, "maker": maker})
        pq.write_table(table, bench.raw("custom") / "products.parquet")
        same(bench, before, tables=[{"file": "products.parquet", "key": "sku"}])


def test_tables_are_joined_by_columns_of_tables(bench: Bench) -> None:
    """Rows name an order, the order its customer and time, the customer another number."""
    before = expected(bench, BY_PRODUCT)
    raw = bench.raw("custom")
    (raw / "orders.csv").write_text(
        "\n".join(["id,action,sku,unit price", *(",".join([r[0], r[2], r[4], r[7]]) for r in BY_PRODUCT)])
    )
    accounts = sorted({row[AT["customer"]] for row in GOOD})
    (raw / "heads.csv").write_text(
        "\n".join(
            [
                "id,account,ordered at",
                *(f"{r[0]},{accounts.index(r[3])},{r[1]}" for r in reversed(BY_PRODUCT)),
            ]
        )
    )
    (raw / "accounts.csv").write_text(
        "\n".join(["account;customer", *(f"{number};{name}" for number, name in enumerate(accounts))])
    )
    put_products(bench)
    joined: list[dict[str, Any]] = [
        {"file": "heads.csv", "key": "id"},
        {"file": "accounts.csv", "key": "account", "delimiter": ";"},
        {"file": "products.csv", "key": "sku"},
    ]
    same(bench, before, tables=joined)
    bench.set(parameters(tables=[joined[1], joined[0], joined[2]]))
    assert "custom.tables.0: its key 'account' is in a later table" in bench.run()[1]


def test_rows_of_a_joined_log_keep_their_lines(bench: Bench) -> None:
    lines = short(BY_PRODUCT * 30)
    bad = [*short([changed("ordered at", "yesterday")])[0]]
    put_csv(bench, [*lines[:20_000], bad, *lines[20_000:]], header=SHORT)
    put_products(bench)
    bench.set(parameters(tables=[{"file": "products.csv", "key": "sku"}]))
    assert bench.counts()["rejected"] == {"time_missing_or_unreadable": 1}
    assert "orders.csv,20002,time_missing_or_unreadable" in bench.rejects()


def test_events_without_a_record_are_left_out(bench: Bench) -> None:
    put_csv(bench, [*short(BY_PRODUCT), *[short([changed("sku", "unknown")])[0]] * 50], header=SHORT)
    put_products(bench)
    bench.set(parameters(tables=[{"file": "products.csv", "key": "sku"}]))
    counts = bench.counts()
    assert counts["left_out"]["no_record_in_products.csv"] == 50
    assert counts["rejected"] == {}
    assert adds_up(counts)


TABLE_FAULTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a record twice": (
        "sku,department,maker\ns1,d,m\ns2,d,m\ns1,d,m",
        {},
        "products.csv: sku 's1' appears twice",
    ),
    "a missing key": ("product,department,maker\ns1,d,m", {}, "custom.tables.0: "),
    "a missing column": ("sku,department\ns1,d", {}, "custom.features.brand: "),
    "a cut line": ("sku,department,maker\ns1,d,m\ns2,d", {}, "products.csv: line 3: wrong number of fields"),
    "a column of both": (
        "sku,department,maker,unit price\ns1,d,m,1",
        {},
        "custom.numbers.price: the column 'unit price' is in data/raw/custom/orders.csv and",
    ),
    "no file": ("sku,department,maker\ns1,d,m", {"file": "other.csv"}, "custom.tables.0.file: no file"),
    "a path": ("sku,department,maker\ns1,d,m", {"file": "../other.csv"}, "custom.tables.0.file: "),
}


@pytest.mark.parametrize("fault", TABLE_FAULTS)
def test_tables_are_refused(bench: Bench, fault: str) -> None:
    text, keys, message = TABLE_FAULTS[fault]
    put_csv(bench, short(BY_PRODUCT), header=SHORT)
    (bench.raw("custom") / "products.csv").write_text(text)
    bench.set(parameters(tables=[{"file": "products.csv", "key": "sku"} | keys]))
    assert message in bench.refused()


CONDITIONS: dict[str, tuple[dict[str, Any], Any]] = {
    "above": ({"column": "unit price", "above": 5.0}, lambda row: float(row[-1]) > 5),
    "at least": ({"column": "unit price", "at_least": 5.0}, lambda row: float(row[-1]) >= 5),
    "below": ({"column": "unit price", "below": 5.0}, lambda row: float(row[-1]) < 5),
    "between": (
        {"column": "unit price", "at_least": 2.0, "at_most": 5.0},
        lambda row: 2 <= float(row[-1]) <= 5,
    ),
    "one of": ({"column": "department", "values": ["d1", "d2"]}, lambda row: row[5] in ("d1", "d2")),
    "none of": ({"column": "department", "other_than": ["d1"]}, lambda row: row[5] != "d1"),
    "first day": ({"column": "ordered at", "first_day": "2024-03-10"}, lambda row: row[1] >= "2024-03-10"),
    "last day": ({"column": "ordered at", "last_day": "2024-03-10"}, lambda row: row[1] < "2024-03-11"),
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_rows_that_are_not_wanted_are_left_out(bench: Bench, condition: str) -> None:
    keep, holds = CONDITIONS[condition]
    before = expected(bench, [row for row in GOOD if holds(row)])
    put_csv(bench, GOOD)
    same(bench, before, keep=[keep])
    counts = bench.counts()
    used = [row for row in GOOD if row[AT["action"]] != "looked"]
    assert counts["left_out"][f"not_kept_by_{keep['column']}"] == sum(not holds(row) for row in used)


def test_a_condition_on_what_can_not_be_read_rejects_the_row(bench: Bench) -> None:
    bench.set(parameters(numbers={}, keep=[{"column": "unit price", "above": 0}]))
    content = parameters(numbers={}, keep=[{"column": "unit price", "above": 0}])
    content["prepare"]["clusters"] = {}
    content["prepare"]["offer_features"] = content["tasks"] = ["product_id", "department", "brand"]
    bench.set(content)
    put_csv(bench, [*GOOD, changed("unit price", "free"), changed("unit price", "-3")])
    counts = bench.counts()
    assert counts["rejected"] == {"unit price_missing_or_not_a_number": 1}
    assert counts["left_out"]["not_kept_by_unit price"] == 1

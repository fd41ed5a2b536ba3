"""A shop's own log through the stage `prepare`: presets/custom.yaml as it is, and bad input."""

import gzip
from collections import Counter
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .custom_log import COLUMNS, as_csv, parameters, rows
from .stage import Bench

GOOD = rows()
ROW = GOOD[0]
ACTION, CUSTOMER = COLUMNS.index("action"), COLUMNS.index("customer")


def changed(column: str, value: str) -> list[str]:
    return [value if name == column else field for name, field in zip(COLUMNS, ROW, strict=True)]


def prepared(bench: Bench) -> dict[str, bytes]:
    directory = bench.path / "data/prepared"
    return {file.name: file.read_bytes() for file in directory.iterdir() if file.name != "rejects.csv"}


def test_the_preset_runs_on_csv(bench: Bench) -> None:
    bench.set(parameters())
    (bench.raw("custom") / "orders-1.csv").write_bytes(as_csv(GOOD[:300]))
    (bench.raw("custom") / "orders-2.csv").write_bytes(as_csv(GOOD[300:]))
    (bench.raw("custom") / "notes.csv").write_bytes(b"not the log")
    counts = bench.counts()
    actions = Counter(row[ACTION] for row in GOOD)
    assert counts["rows"] == len(GOOD)
    assert counts["event_types"] == actions
    assert counts["left_out"] == {"event_type_looked": actions["looked"]}
    assert counts["rejected"] == {}
    assert counts["target_events"] == actions["bought"] + actions["reordered"]
    buyers = {row[CUSTOMER] for row in GOOD if row[ACTION] in ("bought", "reordered")}
    assert sum(counts["users"].values()) == len(buyers)
    assert counts["vocabulary"]["department"]["values"] == 3


def test_gzip_and_parquet_give_the_tables_of_csv(bench: Bench) -> None:
    bench.set(parameters())
    (bench.raw("custom") / "orders.csv").write_bytes(as_csv(GOOD))
    bench.counts()
    expected = prepared(bench)
    bench.set(parameters(files="*.csv.gz", delimiter=";"))
    text = as_csv(GOOD).decode().replace(",", ";").replace('"maker; ', '"maker, ')
    (bench.raw("custom") / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    bench.counts()
    assert prepared(bench) == expected
    columns: dict[str, list[Any]] = dict(zip(COLUMNS, map(list, zip(*GOOD, strict=True)), strict=True))
    columns["ordered at"] = [datetime.fromisoformat(time) for time in columns["ordered at"]]
    columns["unit price"] = [float(price) for price in columns["unit price"]]
    bench.set(parameters(files="log.parquet"))
    pq.write_table(pa.table(columns), bench.raw("custom") / "log.parquet")
    bench.counts()
    assert prepared(bench) == expected


@pytest.mark.parametrize(
    ("time_format", "time"),
    [("date", "2024-03-05"), ("epoch_seconds", "1709629199"), ("timestamp", "2024-03-05")],
)
def test_times_of_all_formats(bench: Bench, time_format: str, time: str) -> None:
    at = COLUMNS.index("ordered at")
    bench.set(parameters(time_format=time_format))
    lines = [[*row[:at], time, *row[at + 1 :]] for row in GOOD]
    (bench.raw("custom") / "orders.csv").write_bytes(as_csv(lines))
    assert bench.counts()["rejected"] == {}
    days = pa.ipc.open_file(bench.path / "data/prepared/target_events.arrow").read_all()["day"]
    assert set(days.to_pylist()) == {19787}  # 54 years of 365 days, 13 leap days, 31 + 29 + 4 days


def test_a_log_of_one_event_type_needs_no_column(bench: Bench) -> None:
    bench.set(parameters(event_type={"column": None, "values": {}, "constant": "purchase"}))
    (bench.raw("custom") / "orders.csv").write_bytes(as_csv(GOOD))
    assert bench.counts()["target_events"] == len(GOOD)


def test_names_that_are_sql_are_only_names(bench: Bench) -> None:
    evil = 'maker"; DROP TABLE events; --'
    names = [evil if name == "maker" else name for name in COLUMNS]
    content = parameters(features={"order": "sku", "select": "department", "group": evil})
    content["custom"]["event_type"]["values"] = {"bought": "purchase", "'; DROP TABLE events; --": "cart"}
    content["tasks"] = content["prepare"]["offer_features"] = ["order", "select", "group"]
    content["prepare"]["clusters"] = {}
    bench.set(content)
    (bench.raw("custom") / "orders.csv").write_bytes(as_csv(GOOD, names))
    assert bench.counts()["vocabulary"]["group"]["values"] == 4


REJECTED = {
    "bad time": (changed("ordered at", "yesterday"), "time_missing_or_unreadable"),
    "negative price": (changed("unit price", "-2"), "price_negative_or_absurd"),
    "absurd price": (changed("unit price", "1e99"), "price_negative_or_absurd"),
    "text for a price": (changed("unit price", "free"), "price_missing_or_not_a_number"),
    "NaN": (changed("unit price", "nan"), "price_missing_or_not_a_number"),
    "a number with underscores": (changed("unit price", "1_000"), "price_missing_or_not_a_number"),
    "empty product": (changed("sku", ""), "product_missing"),
    "a last line cut in the middle": (ROW[:4], "wrong_number_of_fields"),
}


@pytest.mark.parametrize("fault", REJECTED)
def test_a_row_is_rejected(bench: Bench, fault: str) -> None:
    line, reason = REJECTED[fault]
    line = [*line[:ACTION], "bought", *line[ACTION + 1 :]]
    bench.set(parameters())
    (bench.raw("custom") / "orders.csv").write_bytes(as_csv([*GOOD, line]))
    assert bench.counts()["rejected"] == {reason: 1}
    assert f"orders.csv,{len(GOOD) + 2},{reason}," in bench.rejects()
    (bench.raw("custom") / "orders.csv").write_bytes(as_csv([*GOOD, *[line] * 50]))
    status, text = bench.run()
    assert status == 2
    assert f"50 of 850 rows can't be used ({reason} 50)" in text


def test_non_utf8_bytes_are_rejected(bench: Bench) -> None:
    bench.set(parameters())
    (bench.raw("custom") / "orders.csv").write_bytes(
        as_csv([*GOOD, changed("maker", "@@")]).replace(b"@@", b"\xff")
    )
    assert bench.counts()["rejected"] == {"not_utf8": 1}


@pytest.mark.parametrize("packed", [False, True])
def test_quotes_and_newlines_inside_a_field_are_read(bench: Bench, packed: bool) -> None:
    bench.set(parameters(files="orders.csv.gz" if packed else "orders.csv"))
    free = [*ROW[:ACTION], "bought", *ROW[ACTION + 1 : -1], "-1"]
    data = as_csv([*GOOD, changed("maker", 'a "good",\nnew one'), free])
    name = "orders.csv.gz" if packed else "orders.csv"
    (bench.raw("custom") / name).write_bytes(gzip.compress(data) if packed else data)
    assert bench.counts()["rejected"] == {"price_negative_or_absurd": 1}
    assert f"{name},{len(GOOD) + 4},price_negative_or_absurd," in bench.rejects()  # the field has two lines


def test_rows_of_parquet_have_numbers(bench: Bench) -> None:
    bench.set(parameters(files="*.parquet"))
    columns = list(zip(*[*GOOD, [ROW[0], None, *ROW[2:]]], strict=True))
    columns[ACTION] = ("bought",) * len(columns[ACTION])
    pq.write_table(pa.table(dict(zip(COLUMNS, columns, strict=True))), bench.raw("custom") / "orders.parquet")
    assert bench.counts()["rejected"] == {"time_missing_or_unreadable": 1}
    assert f"orders.parquet,{len(GOOD) + 1},time_missing_or_unreadable," in bench.rejects()


COLUMNLESS = [name if name != "maker" else "brand" for name in COLUMNS]
REFUSED: dict[str, tuple[dict[str, Any], bytes, str]] = {
    "a missing file": ({"files": "other.csv"}, as_csv(GOOD), "custom.files: no file other.csv"),
    "a missing column": (
        {},
        as_csv(GOOD, COLUMNLESS),
        "custom.features.brand: data/raw/custom/orders.csv has no",
    ),
    "a missing user": (
        {"user": "buyer"},
        as_csv(GOOD),
        "custom.user: data/raw/custom/orders.csv has no column",
    ),
    "another delimiter": ({"delimiter": ";"}, as_csv(GOOD), "custom.user: "),
    "a name twice": ({}, as_csv(GOOD, [*COLUMNS[:-1], "maker"]), "every column needs a name of its own"),
    "zero bytes": ({}, b"", "custom.user: "),
    "zero rows": ({}, as_csv([]), "no row after the header"),
    "one user only": ({}, as_csv([changed("action", "bought")]), "prepare.split"),
    "no Parquet": ({"files": "*.parquet"}, b"PAR1", "orders.parquet: can't be read"),
    "a cut gzip": (
        {"files": "*.csv.gz"},
        gzip.compress(as_csv(GOOD))[:-9],
        "orders.csv.gz: can't be unpacked",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_files_are_refused(bench: Bench, fault: str) -> None:
    custom, data, message = REFUSED[fault]
    bench.set(parameters(**custom))
    suffix = custom.get("files", "*.csv").partition(".")[2]
    (bench.raw("custom") / f"orders.{suffix}").write_bytes(data)
    assert message in bench.refused()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("files", "../secret.csv", "custom.files: "),
        ("delimiter", '"', "custom.delimiter: "),
        ("delimiter", ":::::", "custom.delimiter: "),
        ("encoding", "utf-9", "custom.encoding: is no encoding of text"),
        ("encoding", "base64", "custom.encoding: is no encoding of text"),
        ("time_zone", "Berlin", "custom.time_zone: is no time zone"),
        ("columns", ["a", "a"], "columns: every column needs a name of its own"),
        ("keep", [{"column": "action"}], "the column 'action' has no condition"),
        ("keep", [{"column": "ordered at", "first_day": "2024-02-30"}], "first_day: is no day"),
        ("features", {"rowid": "sku"}, "['rowid'] are taken"),
        ("features", {"brand": {"column": "sku", "level": 1}}, "set both of separator and level"),
        ("time_format", "iso", "custom.time_format: "),
        ("features", {"day": "sku"}, "['day'] are taken"),
        ("features", {"price": "sku"}, "['price'] may be in one of the two only"),
        ("features", {"Bad Name": "sku"}, "should match pattern"),
        ("event_type", {"column": None, "values": {}, "constant": None}, "set one of column and constant"),
        ("event_type", {"column": "action", "values": {}, "constant": None}, "must name the types to keep"),
    ],
)
def test_keys_are_refused(bench: Bench, key: str, value: Any, message: str) -> None:
    bench.set(parameters(**{key: value}))
    assert message in bench.refused()


@pytest.mark.parametrize("name", ["view", "brand_of_users", "total", "select"])
def test_clusters_of_any_other_name_are_read(bench: Bench, name: str) -> None:
    content = parameters()
    content["prepare"]["clusters"] = {name: content["prepare"]["clusters"]["price_cluster"]}
    content["tasks"] = content["prepare"]["offer_features"] = ["brand", name]
    bench.set(content)
    (bench.raw("custom") / "orders.csv").write_bytes(as_csv(GOOD))
    assert 1 < bench.counts()["vocabulary"][name]["values"] <= 5


TAKEN = ["history", "day", "user", "number", "event_type", "rowid", "file_order", "user_index", "offer"]


@pytest.mark.parametrize("name", TAKEN)
def test_a_name_that_the_tables_need_is_refused(bench: Bench, name: str) -> None:
    content = parameters()
    content["prepare"]["clusters"] = {name: content["prepare"]["clusters"]["price_cluster"]}
    content["tasks"] = content["prepare"]["offer_features"] = ["brand", name]
    bench.set(content)
    assert f"prepare: offer_features, clusters: the names ['{name}'] are taken" in bench.refused()


def test_two_histories_of_one_name_are_refused(bench: Bench) -> None:
    content = parameters(features={"brand": "maker", "now_brand": "department"})
    content["custom"]["event_type"]["values"] = {"bought": "buy", "reordered": "buy_now"}
    content["prepare"] |= {"target_event": "buy", "clusters": {}, "offer_features": ["brand", "now_brand"]}
    content["prepare"]["history"] |= {"events": ["buy", "buy_now"], "lengths": {}}
    content["tasks"] = ["brand"]
    bench.set(content)
    message = bench.refused()
    assert "('buy', 'now_brand') and ('buy_now', 'brand') both have the name history_buy_now_brand" in message


def test_a_feature_of_the_name_of_a_history_is_refused(bench: Bench) -> None:
    content = parameters(features={"brand": "maker", "history_purchase_brand": "department"})
    content["prepare"] |= {"clusters": {}, "offer_features": ["brand", "history_purchase_brand"]}
    content["tasks"] = ["brand"]
    bench.set(content)
    assert "history_purchase_brand is that of the histories of purchase by brand" in bench.refused()


def test_the_section_must_be_there(bench: Bench) -> None:
    bench.set({**parameters(), "custom": None})
    assert "custom: the data set custom needs this section, see presets/custom.yaml" in bench.refused()

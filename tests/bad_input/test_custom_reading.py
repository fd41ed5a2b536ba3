"""A shop's own log read right where it was read wrong without a word: types, clocks, order, copies, names."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from offerbench.datasets import custom
from offerbench.datasets.config import RESERVED, Custom
from offerbench.preparation.config import Prepare
from offerbench.preparation.duckdb_events import DuckDBEvents
from offerbench.preparation.encoding import encode

from . import test_rees46
from .custom_log import COLUMNS, as_csv, parameters, rows
from .stage import REPOSITORY, Bench

GOOD = rows()
AT = {name: place for place, name in enumerate(COLUMNS)}
FIRST = datetime(2024, 3, 1, 9, 30)


def columns(lines: list[list[str]] = GOOD) -> dict[str, Any]:
    """The log as typed columns."""
    table: dict[str, Any] = dict(zip(COLUMNS, map(list, zip(*lines, strict=True)), strict=True))
    table["ordered at"] = [datetime.fromisoformat(time) for time in table["ordered at"]]
    table["unit price"] = [float(price) for price in table["unit price"]]
    return table


def put(bench: Bench, name: str, table: dict[str, Any] | pa.Table) -> None:
    table = table if isinstance(table, pa.Table) else pa.table(table)
    pq.write_table(table, bench.raw("custom") / name)


def put_csv(
    bench: Bench, lines: list[list[str]], name: str = "orders.csv", header: list[str] = COLUMNS
) -> None:
    (bench.raw("custom") / name).write_bytes(as_csv(lines, header))


def prepared(bench: Bench) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (bench.path / "data/prepared").iterdir()}


def users(counts: dict[str, Any]) -> int:
    return sum(counts["users"].values())


def adds_up(counts: dict[str, Any]) -> bool:
    return bool(
        counts["rows"]
        == counts["events_kept"] + sum(counts["left_out"].values()) + sum(counts["rejected"].values())
    )


PARQUET = {"files": "*.parquet"}
HALF = len(GOOD) // 2


def halves(change: Callable[[dict[str, Any]], None]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two months, the first of them changed."""
    first, second = columns(GOOD[:HALF]), columns(GOOD[HALF:])
    change(first)
    return first, second


def numbered(table: dict[str, Any], base: int, kind: pa.DataType) -> dict[str, Any]:
    ids = [base + 97 * int(name.split()[1]) for name in table["customer"]]
    return {**table, "customer": pa.array(ids, pa.int64()).cast(kind, safe=False)}


def test_identifiers_that_lost_digits_are_refused(bench: Bench) -> None:
    base = 1_515_915_625_000_000_000
    bench.set(parameters(**PARQUET))
    put(bench, "2024-01.parquet", numbered(columns(GOOD[:HALF]), base, pa.float64()))
    put(bench, "2024-02.parquet", numbered(columns(GOOD[HALF:]), base, pa.int64()))
    message = bench.refused()
    assert "custom.user: column 'customer' is DOUBLE in data/raw/custom/2024-01.parquet" in message
    assert "BIGINT in data/raw/custom/2024-02.parquet" in message
    put(bench, "2024-02.parquet", numbered(columns(GOOD[HALF:]), base, pa.float64()))
    assert "is DOUBLE in data/raw/custom/2024-01.parquet. Numbers above" in bench.refused()


def test_numbers_are_one_user_whatever_they_are_stored_as(bench: Bench) -> None:
    bench.set(parameters(**PARQUET))
    put(bench, "2024-01.parquet", numbered(columns(), 1000, pa.int64()))
    expected = bench.counts()
    tables = prepared(bench)
    first = numbered(columns(GOOD[:HALF]), 1000, pa.float64())
    put(bench, "2024-01.parquet", first)
    put(bench, "2024-02.parquet", numbered(columns(GOOD[HALF:]), 1000, pa.int16()))
    assert bench.counts() == expected
    assert prepared(bench) == tables
    ids = first["customer"].to_pylist()
    put(bench, "2024-01.parquet", {**first, "customer": [None, *ids[1:]]})  # why pandas writes doubles
    assert bench.counts()["left_out"]["user_missing"] == (GOOD[0][AT["action"]] != "looked")


def test_whole_prices_first_cost_no_cents(bench: Bench) -> None:
    def whole(table: dict[str, Any]) -> None:
        table["unit price"] = pa.array([round(price) for price in table["unit price"]], pa.int64())

    first, second = halves(whole)
    content = parameters(**PARQUET)
    content["prepare"]["clusters"]["price_cluster"]["clusters"] = 1000
    content["prepare"]["vocabulary"]["min_occurrences"] = 1
    bench.set(content)
    put(bench, "2024-01.parquet", first)
    put(bench, "2024-02.parquet", second)
    bench.counts()
    vocabulary = pq.read_table(bench.path / "data/prepared/vocabulary.parquet").to_pylist()
    found = {row["value"] for row in vocabulary if row["feature"] == "price_cluster"}
    bought = ("bought", "reordered", "put in basket")
    wanted = [*first["unit price"].to_pylist(), *second["unit price"]]
    assert found == {
        f"{price:.2f}" for price, row in zip(wanted, GOOD, strict=True) if row[AT["action"]] in bought
    }


REFUSED_TYPES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "text and whole numbers": (
        lambda table: table.update(sku=[int(sku[1:]) for sku in table["sku"]]),
        "custom.features.product_id: column 'sku' is BIGINT in data/raw/custom/2024-01.parquet, but VARCHAR "
        "in data/raw/custom/2024-02.parquet",
    ),
    "times with a zone and without": (
        lambda table: table.update(
            {"ordered at": [time.replace(tzinfo=UTC) for time in table["ordered at"]]}
        ),
        "but TIMESTAMP in data/raw/custom/2024-02.parquet",
    ),
    "a price that is a list": (
        lambda table: table.update({"unit price": [[price] for price in table["unit price"]]}),
        "column 'unit price' of data/raw/custom/2024-01.parquet is DOUBLE[], which can't be read as number",
    ),
    "times that are numbers": (
        lambda table: table.update({"ordered at": [int(time.timestamp()) for time in table["ordered at"]]}),
        "custom.time: column 'ordered at' is BIGINT in data/raw/custom/2024-01.parquet, but TIMESTAMP in",
    ),
}


@pytest.mark.parametrize("fault", REFUSED_TYPES)
def test_types_that_do_not_mean_the_same_are_refused(bench: Bench, fault: str) -> None:
    change, message = REFUSED_TYPES[fault]
    first, second = halves(change)
    bench.set(parameters(**PARQUET))
    put(bench, "2024-01.parquet", first)
    put(bench, "2024-02.parquet", second)
    assert message in bench.refused()


def test_empty_months_and_empty_columns_are_normal(bench: Bench) -> None:
    bench.set(parameters(**PARQUET))
    for table in (columns(GOOD[:HALF]), columns(GOOD[HALF:])):
        table["maker"] = [None] * HALF if table["id"][0] == "0" else table["maker"]
        put(bench, f"2024-{table['id'][0]}.parquet", table)
    expected = bench.counts()
    tables = prepared(bench)
    first = pq.read_table(bench.raw("custom") / "2024-0.parquet")
    for kind in (pa.null(), pa.float64(), pa.int32()):
        empty = pa.nulls(HALF, kind)
        put(bench, "2024-0.parquet", first.set_column(AT["maker"], "maker", empty))
        put(bench, "2023-12.parquet", pa.table({name: pa.nulls(0) for name in COLUMNS}))
        assert bench.counts() == expected
        assert prepared(bench) == tables


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_files_may_have_further_columns_in_another_order(bench: Bench, form: str) -> None:
    bench.set(parameters(files=f"*.{form}"))
    lines = [[*reversed(line), "new"] for line in GOOD[HALF:]]
    header = [*reversed(COLUMNS), "coupon"]
    if form == "csv":
        put_csv(bench, GOOD)
        bench.counts()
        expected = prepared(bench)
        put_csv(bench, GOOD[:HALF])
        put_csv(bench, lines, "orders2.csv", header)
    else:
        put(bench, "orders.parquet", columns())
        bench.counts()
        expected = prepared(bench)
        put(bench, "orders.parquet", columns(GOOD[:HALF]))
        second = columns(GOOD[HALF:])
        put(bench, "orders2.parquet", {name: second.get(name, ["new"] * HALF) for name in header})
    assert bench.counts()["rows"] == len(GOOD)
    assert prepared(bench) == expected


def test_columns_may_be_called_as_inner_ones_are(bench: Bench) -> None:
    odd = ["filename", "file_index", "log_type__", "rowid", "c0", "f0", "fault__", "kept_type__"]
    bench.set(parameters())
    put_csv(bench, GOOD)
    bench.counts()
    expected = prepared(bench)
    renamed = dict(zip(("customer", "ordered at", "action", "sku", "department", "maker"), odd, strict=False))
    names = [renamed.get(name, name) for name in COLUMNS]
    keys: dict[str, Any] = {"user": "filename", "time": "file_index"}
    keys["features"] = {"product_id": "rowid", "department": "c0", "brand": "f0"}
    keys["event_type"] = {**parameters()["custom"]["event_type"], "column": "log_type__"}
    bench.set(parameters(**keys))
    put_csv(bench, GOOD, header=names)
    bench.counts()
    assert prepared(bench) == expected
    bench.set(parameters(**keys, **PARQUET))
    put(bench, "orders.parquet", dict(zip(names, columns().values(), strict=True)))
    bench.counts()
    assert prepared(bench) == expected


def zoned(bench: Bench) -> None:
    """A log of times with a zone, one in eight hours, every one of which is near midnight somewhere."""
    table = columns()
    table["ordered at"] = pa.array(
        [FIRST + timedelta(hours=8 * number) for number in range(len(GOOD))], pa.timestamp("us", "Asia/Tokyo")
    )
    put(bench, "log.parquet", table)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_days_do_not_depend_on_the_machine(bench: Bench, zone: str) -> None:
    bench.set(parameters(**PARQUET))
    zoned(bench)
    bench.counts()
    expected = prepared(bench)
    subprocess.run(
        [sys.executable, REPOSITORY / "stages/prepare.py"],
        cwd=bench.path,
        env={**os.environ, "TZ": zone},
        check=True,
        capture_output=True,
    )
    assert prepared(bench) == expected


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_days_are_of_the_stated_zone_however_a_time_is_written(bench: Bench, zone: str) -> None:
    """Zoned Parquet, CSV with an offset, without one, and seconds since 1970 are the same days."""
    bench.set(parameters(**PARQUET, time_zone=zone))
    zoned(bench)
    bench.counts()
    expected = prepared(bench)
    instants = [FIRST.replace(tzinfo=UTC) + timedelta(hours=8 * number) for number in range(len(GOOD))]
    connection = duckdb.connect()
    local = [
        str(connection.execute("SELECT timezone($zone, $at)", {"zone": zone, "at": at}).fetchall()[0][0])
        for at in instants
    ]
    offset = [at.astimezone(datetime.fromisoformat("2024-01-01T00:00:00-03:00").tzinfo) for at in instants]
    forms = {
        "timestamp": [str(at) for at in offset],
        "%Y/%m/%d %H:%M:%S": [time.replace("-", "/") for time in local],
        "%d.%m.%Y %H:%M %z": [at.strftime("%d.%m.%Y %H:%M %z") for at in offset],
        "epoch_seconds": [str(int(at.timestamp())) for at in instants],
        "epoch_milliseconds": [str(int(at.timestamp() * 1000)) for at in instants],
    }
    for form, times in forms.items():
        bench.set(parameters(time_format=form, time_zone=zone))
        put_csv(bench, [[*row[:1], time, *row[2:]] for row, time in zip(GOOD, times, strict=True)])
        bench.counts()
        assert prepared(bench) == expected, form
    bench.set(parameters(time_zone=zone))
    put_csv(bench, [[*row[:1], time, *row[2:]] for row, time in zip(GOOD, local, strict=True)])
    bench.counts()
    assert prepared(bench) == expected


def by_hours(newest_first: bool) -> list[list[str]]:
    """Three purchases a day, in the order of the clock or the other way round."""
    lines = [
        ["1", f"2024-03-{day:02d} {hour:02d}:00:00", "bought", f"u{user}", f"s{hour}", "d", "m", "1"]
        for user in range(20)
        for day in range(1, 6)
        for hour in (8, 12, 20)
    ]
    return sorted(lines, key=lambda row: row[1], reverse=newest_first)


@pytest.mark.parametrize("newest_first", [False, True])
def test_events_of_a_day_are_in_the_order_of_the_clock(bench: Bench, newest_first: bool) -> None:
    content = parameters()
    content["prepare"]["history"] |= {"length": 1, "keep": "latest"}
    content["prepare"]["vocabulary"]["min_occurrences"] = 1
    bench.set(content)
    put_csv(bench, by_hours(newest_first))
    bench.counts()
    bag = pa.ipc.open_file(bench.path / "data/prepared/bag_history_purchase_product_id.arrow").read_all()
    vocabulary = pq.read_table(bench.path / "data/prepared/vocabulary.parquet").to_pylist()
    label = {row["label"] for row in vocabulary if (row["feature"], row["value"]) == ("product_id", "s20")}
    assert set(bag["value"].to_pylist()) == label


def test_a_copy_of_a_file_is_refused(bench: Bench) -> None:
    bench.set(parameters(files="*.csv"))
    put_csv(bench, GOOD)
    put_csv(bench, GOOD, "orders (1).csv")
    assert (
        "orders.csv: repeats 583 of 583 events of data/raw/custom/orders (1).csv on 28 common days"
        in re.sub(r"\d+ of \d+ events", "583 of 583 events", bench.refused())
    )


def in_order() -> list[list[str]]:
    return sorted(GOOD, key=lambda row: row[1])


def test_exports_that_overlap_are_refused(bench: Bench) -> None:
    bench.set(parameters())
    lines = in_order()
    put_csv(bench, lines[:500], "orders-1.csv")
    put_csv(bench, lines[300:700], "orders-2.csv")
    put_csv(bench, lines[700:], "orders-3.csv")
    message = bench.refused()
    assert "orders-2.csv: repeats" in message
    assert "events of data/raw/custom/orders-1.csv on" in message


def test_the_border_day_of_two_exports_counts_once(bench: Bench) -> None:
    bench.set(parameters())
    lines = in_order()
    put_csv(bench, lines)
    counts = bench.counts()
    middle = lines[400][1]
    put_csv(bench, [line for line in lines if line[1] <= middle])
    put_csv(bench, [line for line in lines if line[1] >= middle], "orders2.csv")
    content = parameters()
    content["prepare"]["max_rejected_share"] = 0.1
    bench.set(content)
    repeated = sum(line[1] == middle and line[AT["action"]] != "looked" for line in lines)
    again = bench.counts()
    assert again["rejected"] == {"repeats_an_event_of_another_file": repeated}
    assert (again["events_kept"], again["vocabulary"]) == (counts["events_kept"], counts["vocabulary"])


def test_files_that_share_days_but_no_events_are_read(bench: Bench) -> None:
    bench.set(parameters())
    put_csv(bench, GOOD)
    counts = bench.counts()
    (bench.raw("custom") / "orders.csv").unlink()
    for part in range(20):
        put_csv(bench, GOOD[part::20], f"orders-{part:02d}.csv")
    assert bench.counts()["events_kept"] == counts["events_kept"]


def test_rows_of_many_small_files_keep_their_order(bench: Bench) -> None:
    """Threads read files at the same time, and a join among what they do may give them in any order."""
    bench.set(parameters())
    put_csv(bench, GOOD)
    bench.counts()
    expected = prepared(bench)
    (bench.raw("custom") / "orders.csv").unlink()
    for start in range(0, len(GOOD), 20):
        put_csv(bench, GOOD[start : start + 20], f"orders-{start:04d}.csv")
    for _ in range(5):
        bench.counts()
        assert prepared(bench) == expected


MANY_VIEWS = 9000


def test_the_share_of_rejected_rows_is_one_of_each_event_type(bench: Bench) -> None:
    """A third of the purchases without a price is a small share of all rows, most of which are looks."""
    bench.set(parameters())
    broken = [[*line[:-1], ""] if line[AT["action"]] == "bought" else line for line in GOOD[:260]]
    looks = [[*GOOD[0][: AT["action"]], "looked", *GOOD[0][AT["action"] + 1 :]]] * MANY_VIEWS
    put_csv(bench, [*broken, *GOOD[260:], *looks])
    bad = sum(line[AT["action"]] == "bought" for line in GOOD[:260])
    bought = sum(line[AT["action"]] == "bought" for line in GOOD)
    assert bad < 0.01 * (len(GOOD) + MANY_VIEWS)
    assert f"{bad} of {bought} rows of the event type 'bought' can't be used" in bench.refused()


def test_the_share_of_an_event_type_counts_rows_that_can_not_be_parsed(bench: Bench) -> None:
    bench.set(parameters())
    looks = [[*GOOD[0][: AT["action"]], "looked", *GOOD[0][AT["action"] + 1 :]]] * MANY_VIEWS
    put_csv(bench, [*GOOD, *looks, *[["1", "2024-03-01", "put in basket"]] * 30])
    carts = sum(line[AT["action"]] == "put in basket" for line in GOOD) + 30
    assert f"30 of {carts} rows of the event type 'put in basket' can't be used" in bench.refused()


def test_purchases_without_a_price_are_refused_among_views(bench: Bench) -> None:
    """The same for REES46."""
    purchases = sum(",purchase," in line for line in test_rees46.GOOD)
    views = [test_rees46.ROW.replace("purchase", "view")] * 3000
    test_rees46.write(bench, test_rees46.log(*views, *[test_rees46.ROW.replace("1.50", "")] * 20))
    bench.set(test_rees46.COMPLETE)
    assert f"20 of {purchases + 20} rows of the event type 'purchase' can't be used" in bench.refused()


def test_rejected_rows_are_said_on_the_console(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.set(parameters())
    put_csv(bench, [*GOOD, [*GOOD[0][: AT["action"]], "bought", *GOOD[0][AT["action"] + 1 : -1], "free"]])
    bench.counts()
    lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(lines) == 1
    assert lines[0].startswith(f"rejected 1 of {len(GOOD) + 1} rows (price_missing_or_not_a_number 1): 0.")


def test_an_event_type_that_is_nearly_a_kept_one_is_named(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.set(parameters())
    lines = [[*line[: AT["action"]], "Bought ", *line[AT["action"] + 1 :]] for line in GOOD[:100]]
    put_csv(bench, [*lines, *GOOD[100:]])
    counts = bench.counts()
    assert counts["left_out"]["event_type_Bought "] == 100
    assert "event type 'Bought ' is left out with 100 rows, but differs from 'bought'" in caplog.text


def without_user(word: str | None) -> list[list[Any]]:
    """Every tenth user is a word."""
    place = AT["customer"]
    return [
        [*line[:place], word, *line[place + 1 :]] if number % 10 == 0 else line
        for number, line in enumerate(GOOD)
    ]


USED = sum(line[AT["action"]] != "looked" for line in GOOD)
ANONYMOUS = sum(line[AT["action"]] != "looked" for line in GOOD[::10])


@pytest.mark.parametrize("word", ["", "NULL", "null", "\\N", "nan", "NA", "N/A", "None", " ", "\t", " NULL "])
def test_words_for_a_missing_user_are_no_user(
    bench: Bench, caplog: pytest.LogCaptureFixture, word: str
) -> None:
    bench.set(parameters())
    put_csv(bench, without_user(word))
    counts = bench.counts()
    assert counts["left_out"]["user_missing"] == ANONYMOUS
    assert counts["rejected"] == {}
    assert users(counts) == 40
    assert adds_up(counts)
    assert f"{ANONYMOUS} of {USED} rows have no user and are left out" in caplog.text


def test_events_without_a_user_may_be_rejected(bench: Bench) -> None:
    bench.set(parameters(anonymous="reject"))
    put_csv(bench, without_user("NULL"))
    assert f"{ANONYMOUS} of {len(GOOD)} rows can't be used (user_missing {ANONYMOUS})" in bench.refused()


def test_a_word_of_ones_own_is_missing(bench: Bench) -> None:
    bench.set(parameters(missing=["", -1]))
    put_csv(bench, without_user("-1"))
    assert bench.counts()["left_out"]["user_missing"] == ANONYMOUS
    bench.set(parameters(missing=[""]))
    put_csv(bench, without_user("NULL"))
    assert users(bench.counts()) == 41


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.string()])
def test_not_a_number_is_no_user(bench: Bench, kind: pa.DataType) -> None:
    bench.set(parameters(**PARQUET))
    table = columns()
    ids = [float(name.split()[1]) for name in table["customer"]]
    missing = None if kind == pa.string() else float("nan")
    text = kind == pa.string()
    table["customer"] = pa.array(
        [missing if n % 10 == 0 else str(i) if text else i for n, i in enumerate(ids)],
        kind,
        from_pandas=False,
    )
    put(bench, "log.parquet", table)
    counts = bench.counts()
    assert counts["left_out"]["user_missing"] == ANONYMOUS
    assert users(counts) == 40


def test_missing_products_are_rejected_and_missing_attributes_empty(bench: Bench) -> None:
    bench.set(parameters())
    put_csv(bench, [[*line[: AT["maker"]], "NULL", *line[AT["maker"] + 1 :]] for line in GOOD])
    assert bench.counts()["vocabulary"]["brand"]["values"] == 1
    product = [*GOOD[0][: AT["action"]], "bought", *GOOD[0][AT["action"] + 1 :]]
    product[AT["sku"]] = "\\N"
    put_csv(bench, [*GOOD, product])
    assert bench.counts()["rejected"] == {"product_missing": 1}


def words_of_sql() -> list[str]:
    """Every name that stands in the SQL between a log and the prepared tables."""
    package = REPOSITORY / "src/offerbench"
    files = [
        *sorted((package / "datasets").rglob("*.py")),
        package / "preparation/encoding.py",
        package / "core/columns.py",
    ]
    texts = [
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    statements = [text for text in texts if re.search(r"\b(SELECT|FROM|JOIN|WHERE|CASE|AS)\b", text)]
    found = {word for text in statements for word in re.findall(r"\b[a-z][a-z0-9_]{0,62}\b", text)}
    return sorted(found - RESERVED)


def test_any_name_of_a_feature_is_read_right_or_refused(tmp_path: Path) -> None:
    names = words_of_sql()
    assert len(names) > 100
    content = parameters()
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "orders.csv").write_bytes(as_csv(GOOD))
    for start in range(0, len(names), 25):
        check_names(tmp_path, raw, content, names[start : start + 25])


def check_names(tmp_path: Path, raw: Path, content: dict[str, Any], names: list[str]) -> None:
    """Features of all these names have the labels and the order of the same column under a plain name."""
    from offerbench.datasets.canonical import event_database

    settings = {**content["custom"], "features": dict.fromkeys(names, "sku") | {"zz_plain": "sku"}}
    settings["numbers"] = {}
    prepare = {**content["prepare"], "offer_features": [*names, "zz_plain"], "clusters": {}}
    with event_database(tmp_path / "spill", "500MB") as connection:
        custom.read_events(connection, raw, Custom.model_validate(settings))
        events = DuckDBEvents(connection)
        encode(events, Prepare.model_validate(prepare))
        (chunk,) = events.encoded_chunks(Prepare.model_validate(prepare), 10_000)
        for name in names:
            assert np.array_equal(chunk[name], chunk["zz_plain"]), name


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_names_that_are_taken_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"the names \['{name}'\] are taken"):
        Custom.model_validate({**parameters()["custom"], "features": {name: "sku"}})


def test_counts_add_up_with_users_and_types_that_are_not_used(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    content = parameters()
    content["custom"]["event_type"]["values"]["looked"] = "look"
    content["prepare"]["history"]["events"] = ["purchase", "visit"]
    bench.set(content)
    carts = [[*line[: AT["action"]], "put in basket", "nobody else", *line[AT["sku"] :]] for line in GOOD[:7]]
    purchase = [[*line[: AT["action"]], "looked", "only looks", *line[AT["sku"] :]] for line in GOOD[:5]]
    put_csv(bench, [*GOOD, *carts, *purchase, without_user("")[0], GOOD[0][:3]])
    counts = bench.counts()
    assert adds_up(counts)
    actions = [line[AT["action"]] for line in [*GOOD, *carts, *purchase]]
    assert counts["left_out"]["event_type_cart_neither_target_nor_history"] == actions.count("put in basket")
    assert "prepare.history.events: no event of type 'visit' in the data" in caplog.text
    content["prepare"]["history"]["events"] = ["purchase", "cart"]
    bench.set(content)
    again = bench.counts()
    assert adds_up(again)
    assert again["left_out"]["user_without_purchase"] == 7

"""The reader of a shop's own log agrees with one that reads row by row."""

import csv
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import custom
from offerbench.datasets.canonical import event_database
from offerbench.datasets.config import Custom

from ...oracle.shop_log import read_log

COLUMNS = ["customer", "ordered at", "action", "sku", "maker", "price", "quantity"]
TYPES = {"bought": "purchase", "put in basket": "cart"}
BRANDS = {"s1": "m1", "s2": "NULL?", " s3": "m3"}
FIELDS = (
    st.sampled_from(["u1", "u2", "Ü 3", "", " ", "NULL", "\\N", " nan ", "nan1"]),
    st.sampled_from(
        [
            *("2024-03-01 10:00:00", "2024-03-01 09:30:00", "2024-03-01 10:00:00+02:00", "2024-03-02"),
            *("2024-03-01 23:59:59.999", "2024-02-30 10:00:00", "", "soon", "1969-12-31 23:59:59"),
            *("2099-12-31 23:59:59", "2100-01-01 00:00:00", "2024-03-01T10:00:00+00:00"),
        ]
    ),
    st.sampled_from(["bought", "put in basket", "looked", "Bought", "", "NULL"]),
    st.sampled_from(["s1", "s2", " s3", "s9", "", "NA", "-1"]),
    st.sampled_from(["m1", "", "NULL", "x, y"]),
    st.sampled_from(["1.5", "-1", "1_0", "", "1e3", " 2 ", "nan", "1e10", ".5", "5.", "1,5", "inf", "+3"]),
    st.sampled_from(["1", "0", "-3", "", "two", "2.5"]),
)


@settings(max_examples=60)
@given(
    rows=st.lists(st.tuples(*FIELDS), min_size=1, max_size=30),
    joins=st.booleans(),
    leave_out=st.booleans(),
    above=st.none() | st.sampled_from([0.0, 1.0]),
    files=st.integers(1, 3),
)
def test_the_reader_agrees_with_one_row_by_row(
    rows: list[tuple[str, ...]], joins: bool, leave_out: bool, above: float | None, files: int
) -> None:
    keep = [] if above is None else [{"column": "quantity", "above": above}]
    tables = [{"file": "products.csv", "key": "sku", "columns": {"brand of it": "name"}}] if joins else []
    section = Custom.model_validate(
        {
            **{"files": "log*.csv", "delimiter": ",", "user": "customer", "time": "ordered at"},
            **{"time_format": "timestamp", "anonymous": "leave_out" if leave_out else "reject"},
            "event_type": {"column": "action", "values": TYPES, "constant": None},
            "features": {"product_id": "sku", "brand": "brand of it" if joins else "maker"},
            **{"numbers": {"price": "price"}, "keep": keep, "tables": tables},
        }
    )
    with (
        tempfile.TemporaryDirectory() as directory,
        event_database(Path(directory) / "spill", "500MB") as connection,
    ):
        raw = Path(directory) / "raw"
        raw.mkdir()
        cuts = [len(rows) * part // files for part in range(files + 1)]
        for part in range(files):
            _write(raw / f"log{part}.csv", COLUMNS, rows[cuts[part] : cuts[part + 1]])
        _write(raw / "products.csv", ["sku", "name"], list(BRANDS.items()))
        try:
            read = custom.read_events(connection, raw, section)
        except OfferbenchError as error:
            assert files > 1 and ": repeats " in str(error)
            return
        brands = BRANDS if joins else None
        expected = read_log(rows, TYPES, brands, leave_anonymous_out=leave_out, above=above)
        found = connection.sql(
            'SELECT "user", day, event_type, product_id, brand, price FROM events ORDER BY rowid'
        ).fetchall()
    if "repeats_an_event_of_another_file" in read.rejected:
        return
    users = sorted({event[0] for event in expected.events}, key=str.encode)
    assert found == [(users.index(user), *event) for user, *event in expected.events]
    assert +expected.left_out == {reason: count for reason, count in read.left_out.items() if count}
    assert +expected.rejected == read.rejected
    assert read.rows == len(rows)


def _write(file: Path, header: list[str], rows: list[tuple[str, ...]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])

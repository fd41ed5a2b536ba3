"""Every row of every file is read or counted, of the files that were asked for and no others."""

import gzip
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import rees46
from offerbench.datasets.canonical import event_database
from offerbench.preparation import prepare as preparation

from ..unit.parameters import COMPLETE
from . import custom_log, test_rees46
from .custom_log import COLUMNS, as_csv, parameters
from .stage import REPOSITORY, Bench
from .test_rees46 import ROW

GOOD = custom_log.rows()
BUFFER = 32_000_000
"""Bytes that DuckDB's reader takes at a time: what ends within one can't show what is lost between two."""


def many(row: bytes) -> bytes:
    return row * (BUFFER // len(row) + 50_000)


STRAY = ROW.replace(",x,", ',"x,').encode() + b"\n"


@pytest.mark.parametrize("name", ["2019-Oct.csv", "2019-Oct.csv.gz"])
@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (STRAY, "quote not closed"),
        (ROW.encode().replace(b",x,", b",%s," % (b"x" * (BUFFER + 2_000_000))) + b"\n", "line too long"),
    ],
    ids=["quote", "line"],
)
def test_a_row_that_swallows_others_is_refused(bench: Bench, name: str, bad: bytes, what: str) -> None:
    bench.set(COMPLETE)
    data = test_rees46.log() + bad + many(ROW.encode() + b"\n")
    packed = gzip.compress(data, 1) if name.endswith(".gz") else data
    (bench.raw("rees46") / name).write_bytes(packed)
    assert f"{name}: line {len(test_rees46.GOOD) + 2}: {what}" in bench.refused()


def test_a_row_of_a_custom_log_that_swallows_others_is_refused(bench: Bench) -> None:
    bench.set(parameters())
    good = as_csv(GOOD)
    bad = b'9,2024-03-01 09:30:00,bought,"customer 1,s1,d1,m,1.0\n'
    row = b"9,2024-03-01 09:30:00,bought,customer 1,s1,d1,m,1.0\n"
    (bench.raw("custom") / "orders.csv").write_bytes(good + bad + many(row))
    assert f"orders.csv: line {len(GOOD) + 2}: quote not closed" in bench.refused()


PACKED = gzip.compress(test_rees46.log(), mtime=0)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(PACKED) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_of_a_packed_file_changes_nothing_or_is_refused(
    tmp_path: Path, place: int, bit: int
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir(exist_ok=True)
    damaged = bytearray(PACKED)
    damaged[place] ^= 1 << bit
    (raw / "2019-Oct.csv.gz").write_bytes(damaged)
    with event_database(tmp_path / "spill", "500MB") as opened:
        try:
            counts = rees46.read_events(opened, raw)
        except OfferbenchError as error:
            assert "2019-Oct.csv.gz" in str(error)
            assert len(str(error).splitlines()) == 1
            return
        assert place < 10, "only the header of a packed file has bytes that mean nothing"
        assert counts.rows == len(test_rees46.GOOD)
        assert counts.rejected == {}


@pytest.mark.parametrize("name", ["orders[1].csv", "orders?.csv", "orders*.csv", "orders [a-z] (1).csv"])
def test_a_name_is_no_pattern(bench: Bench, name: str) -> None:
    bench.set(parameters())
    (bench.raw("custom") / name).write_bytes(as_csv(GOOD[:300]))
    (bench.raw("custom") / "orders1.csv").write_bytes(as_csv(GOOD[300:]))
    counts = bench.counts()
    assert counts["rows"] == len(GOOD)
    assert counts["target_events"] == sum(row[2] in ("bought", "reordered") for row in GOOD)


@pytest.mark.parametrize("name", ["a?.csv", "a[1].csv.gz", "A.CSV", "A.Csv.GZ"])
def test_files_of_rees46_of_any_name_are_read(bench: Bench, name: str) -> None:
    bench.set(COMPLETE)
    data = test_rees46.log()
    packed = gzip.compress(data) if name.lower().endswith(".gz") else data
    (bench.raw("rees46") / name).write_bytes(packed)
    assert bench.counts()["rows"] == len(test_rees46.GOOD)


INNER = ["filename", "FILE_INDEX", "log_type__", "kept_type__", "fault__", "file", "line", "file_row_number"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("column", INNER)
def test_a_column_of_the_log_may_have_any_name(bench: Bench, column: str, kind: str) -> None:
    secret = bench.path / "secret.csv"
    secret.write_text("header\nthe secret line\n")
    names = [column if name == "id" else name for name in COLUMNS]
    bad = [[str(secret), "yesterday", "bought", "customer 1", "s1", "d1", "m", "1"]]
    lines = [*([str(secret), *row[1:]] for row in GOOD), *(bad if kind == "csv" else [])]
    bench.set(parameters(files=f"orders.{kind}"))
    file = bench.raw("custom") / f"orders.{kind}"
    if kind == "csv":
        file.write_bytes(as_csv(lines, names))
    else:
        columns = dict(zip(names, map(list, zip(*lines, strict=True)), strict=True))
        times = [datetime.fromisoformat(time) for time in columns["ordered at"]]
        pq.write_table(pa.table({**columns, "ordered at": times}), file)
    counts = bench.counts()
    assert counts["rows"] == len(lines)
    assert "the secret line" not in bench.rejects()
    if kind == "csv":
        assert counts["rejected"] == {"time_missing_or_unreadable": 1}
        assert f"orders.csv,{len(GOOD) + 2},time_missing_or_unreadable," in bench.rejects()


def test_mixed_ends_of_lines_are_refused(bench: Bench) -> None:
    bench.set(COMPLETE)
    (bench.raw("rees46") / "a.csv").write_bytes(test_rees46.log() + ROW.encode() + b"\r\n")
    message = bench.refused()
    assert f"a.csv: line {len(test_rees46.GOOD) + 2} ends in CRLF, the first in LF" in message


@pytest.mark.parametrize("dataset", ["rees46", "custom"])
def test_memory_that_is_too_small_is_said(bench: Bench, dataset: str) -> None:
    content = {"rees46": COMPLETE, "custom": parameters()}[dataset]
    bench.set(content)
    data = test_rees46.log() if dataset == "rees46" else as_csv(GOOD)
    (bench.raw(dataset) / "orders.csv").write_bytes(data + data[data.index(b"\n") + 1 :] * 300)
    bench.set({**content, "resources": {**content["resources"], "memory_limit": "8MB"}})
    message = bench.refused()
    assert message.startswith("error: out of memory: ")
    assert "resources.memory_limit" in message


@pytest.mark.parametrize("change", ["grows", "is written anew", "is replaced", "goes", "appears"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    bench.set(COMPLETE)
    file = bench.raw("rees46") / "a.csv"
    file.write_bytes(test_rees46.log())
    os.utime(file, ns=(0, 0))
    changed = file
    encode = preparation.encode

    def meanwhile(*arguments: Any) -> Any:
        nonlocal changed
        match change:
            case "grows":
                with file.open("ab") as stream:
                    stream.write(ROW.encode())
                os.utime(file, ns=(0, 0))
            case "is written anew":
                file.write_bytes(test_rees46.log())
            case "is replaced":
                file.with_name("a.part").write_bytes(test_rees46.log())
                os.utime(file.with_name("a.part"), ns=(0, 0))
                file.with_name("a.part").replace(file)
            case "goes":
                file.unlink()
            case "appears":
                changed = file.with_name("b.csv")
                changed.write_bytes(b"")
        return encode(*arguments)

    monkeypatch.setattr(preparation, "encode", meanwhile)
    message = bench.refused()
    assert f"{changed.relative_to(bench.path)}: has changed while the raw files were read" in message


@pytest.mark.parametrize("dataset", ["rees46", "custom", "complete_journey", "movielens_100k"])
def test_a_pipe_in_the_place_of_a_file_is_refused(bench: Bench, dataset: str) -> None:
    bench.set({**(parameters() if dataset == "custom" else COMPLETE), "dataset": dataset})
    names = {"complete_journey": "transactions.parquet", "movielens_100k": "u.data"}
    os.mkfifo(bench.raw(dataset) / names.get(dataset, "orders.csv"))
    assert "is a pipe, a socket or a device" in bench.refused()


LATE = datetime(2019, 10, 1, 23, 30, tzinfo=UTC)


ONE_AFTER_THE_OTHER = """
import os, runpy, sys
stage, *directories = sys.argv[1:]
for directory in directories:
    os.chdir(directory)
    sys.argv = [stage]
    try:
        runpy.run_path(stage, run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            raise
"""


def prepared_in(zone: str, benches: dict[str, Bench]) -> dict[str, Any]:
    """Prepare the data of several directories on a machine in a time zone; the counts of each."""
    stage = REPOSITORY / "stages/prepare.py"
    directories = [bench.path for bench in benches.values()]
    run = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_THE_OTHER, stage, *directories],
        env={**os.environ, "TZ": zone},  # read when Python starts
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return {
        name: json.loads((bench.path / "metrics/prepare.json").read_text()) for name, bench in benches.items()
    }


def test_days_are_utc_wherever_the_machine_is(bench: Bench) -> None:
    lines = [
        [
            LATE.isoformat() if name == "ordered at" else field
            for name, field in zip(COLUMNS, row, strict=True)
        ]
        for row in GOOD
    ]
    columns = dict(zip(COLUMNS, map(list, zip(*lines, strict=True)), strict=True))
    benches = {name: Bench(bench.path / name, bench.capture) for name in ("csv", "parquet", "rees46")}
    (benches["csv"].raw("custom") / "orders.csv").write_bytes(as_csv(lines))
    pq.write_table(
        pa.table({**columns, "ordered at": [LATE] * len(lines)}),
        benches["parquet"].raw("custom") / "orders.parquet",
    )
    (benches["rees46"].raw("rees46") / "a.csv").write_bytes(test_rees46.log().replace(b" UTC", b"+00:00"))
    for name, its in benches.items():
        its.set(COMPLETE if name == "rees46" else parameters(files=f"orders.{name}"))
    found = {zone: prepared_in(zone, benches) for zone in ("UTC", "America/New_York", "Asia/Tokyo")}
    for zone, counts in found.items():
        for name in ("csv", "parquet"):
            assert (counts[name]["first_day"], counts[name]["last_day"]) == ("2019-10-01", "2019-10-01")
        assert counts == found["UTC"], zone

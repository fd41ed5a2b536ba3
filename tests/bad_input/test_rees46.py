"""Bad REES46 files, end to end through the stage `prepare`: one test a row of docs/bad-input.md."""

import gzip
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML
from safetensors.numpy import load_file

from offerbench.parameters import TRAININGS

from ..unit.parameters import COMPLETE, changed
from ..unit.tiny_log import HEADER, csv_line, draw_log
from .stage import REPOSITORY, Bench

GOOD = [line for _, line in draw_log(60, seed=8)]
ROW = csv_line(7, 0, "purchase", "100", "a.b", "x", "1.50")


def write(bench: Bench, data: bytes, name: str = "2019-Oct.csv", dataset: str = "rees46") -> None:
    packed = gzip.compress(data) if name.endswith(".gz") else data
    (bench.raw(dataset) / name).write_bytes(packed)


def log(*rows: str) -> bytes:
    """A good log with more rows in its middle."""
    return "\n".join([HEADER, *GOOD[:700], *rows, *GOOD[700:]]).encode("latin-1") + b"\n"


REJECTED = {
    "bad time": (ROW.replace("2019-10-01", "2019-02-30"), "time_missing_or_unreadable"),
    "empty time": (ROW.replace("2019-10-01 10:00:00 UTC", ""), "time_missing_or_unreadable"),
    "text for a price": (ROW.replace("1.50", "cheap"), "price_missing_or_not_a_number"),
    "negative price": (ROW.replace("1.50", "-1.50"), "price_negative_or_absurd"),
    "absurd price": (ROW.replace("1.50", "1e300"), "price_negative_or_absurd"),
    "NaN": (ROW.replace("1.50", "NaN"), "price_missing_or_not_a_number"),
    "a price in digits and lines": (ROW.replace("1.50", "1_000"), "price_missing_or_not_a_number"),
    "a user with decimals": (ROW.replace(",7,", ",1.5,"), "user_not_a_number"),
    "a user in base 16": (ROW.replace(",7,", ",0x10,"), "user_not_a_number"),
    "a time of a named zone": (ROW.replace("UTC", "BST"), "time_missing_or_unreadable"),
    "empty user": (ROW.replace(",7,", ",,"), "user_missing"),
    "empty product": (ROW.replace(",100,", ",,"), "product_missing"),
    "too many fields": (ROW + ",more", "wrong_number_of_fields"),
    "non-UTF-8 bytes": (ROW.replace(",x,", ",\xff\xfe,"), "not_utf8"),
}


@pytest.mark.parametrize("fault", REJECTED)
def test_a_row_is_rejected(bench: Bench, fault: str) -> None:
    line, reason = REJECTED[fault]
    bench.set(COMPLETE)
    write(bench, log(line))
    counts = bench.counts()
    assert counts["rejected"] == {reason: 1}
    assert counts["rows"] == len(GOOD) + 1
    assert f"2019-Oct.csv,702,{reason}," in bench.rejects()


def test_a_last_line_cut_in_the_middle_is_rejected(bench: Bench) -> None:
    bench.set(COMPLETE)
    write(bench, log() + ROW[:40].encode())
    assert bench.counts()["rejected"] == {"wrong_number_of_fields": 1}
    assert f"2019-Oct.csv,{len(GOOD) + 2},wrong_number_of_fields," in bench.rejects()


@pytest.mark.parametrize("fault", REJECTED)
def test_too_many_rows_rejected_are_refused(bench: Bench, fault: str) -> None:
    line, reason = REJECTED[fault]
    bench.set(COMPLETE)
    write(bench, log(*[line] * 20))
    message = bench.refused()
    assert f"20 of {len(GOOD) + 20:,} rows can't be used ({reason} 20)" in message
    assert "prepare.max_rejected_share = 0.01" in message
    bench.set(changed("prepare.max_rejected_share", 0.5))
    assert bench.counts()["rejected"] == {reason: 20}


def test_duplicated_rows_are_kept(bench: Bench) -> None:
    # Two pieces of a product bought in one second are two equal rows.
    bench.set(COMPLETE)
    write(bench, log(ROW, ROW, ROW))
    counts = bench.counts()
    assert counts["rows"] == len(GOOD) + 3
    assert counts["rejected"] == {}


def test_quotes_and_newlines_inside_a_field_are_read(bench: Bench) -> None:
    bench.set(COMPLETE)
    write(bench, log(ROW.replace(",x,", ',"a ""good"",\nnew brand",')))
    counts = bench.counts()
    assert counts["rows"] == len(GOOD) + 1
    assert counts["rejected"] == {}


def run_to_the_end(bench: Bench, monkeypatch: pytest.MonkeyPatch, tasks: list[str]) -> None:
    """Every stage after `prepare`, as dvc.yaml has them; DVC hands a stage's name over in the environment."""
    shutil.copy(REPOSITORY / "campaigns.yaml", bench.path)
    stages = YAML(typ="safe").load((REPOSITORY / "dvc.yaml").read_text())["stages"]
    names = list(stages)
    for name in names[names.index("prepare") + 1 :]:
        script, *arguments = stages[name]["cmd"].partition(" stages/")[2].split()
        (over,) = stages[name].get("matrix", {"": [""]}).values()
        for item in tasks if over == "${tasks}" else over:
            monkeypatch.setenv("DVC_STAGE", f"{name}@{item}" if item else name)
            monkeypatch.setattr("sys.argv", [Path(script).stem, *arguments])
            status, text = bench.run(Path(script).stem)
            assert status == 0, text
    assert (bench.path / "metrics/wauc.json").exists()
    assert (bench.path / "reports/wauc.md").exists()
    models = list((bench.path / "models").rglob("*.safetensors"))
    factors = [file for file in models if "peer" in file.parts]
    assert len(factors) == len(tasks)
    assert {"full", "augmented", "mono", "past"} <= {part for file in models for part in file.parts}
    for file in models:
        assert all(np.isfinite(weights).all() for weights in load_file(file).values()), file


SHORT = {**COMPLETE, "tasks": ["category2", "brand"]}
SHORT |= {section: {**COMPLETE[section], "epochs": 1} for section in TRAININGS}


@pytest.mark.slow  # all stages
def test_no_cart_at_all(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.set(SHORT)
    write(bench, "\n".join([HEADER, *(line for line in GOOD if ",cart," not in line)]).encode())
    assert "cart" not in bench.counts()["event_types"]
    run_to_the_end(bench, monkeypatch, SHORT["tasks"])


@pytest.mark.slow  # all stages
def test_a_task_with_one_value(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.set(SHORT)
    fields = [line.split(",") for line in GOOD]
    lines = [",".join([*field[:5], "onebrand", *field[6:]]) for field in fields]
    write(bench, "\n".join([HEADER, *lines]).encode())
    assert bench.counts()["vocabulary"]["brand"]["values"] == 1
    run_to_the_end(bench, monkeypatch, SHORT["tasks"])


def test_a_border_day_of_two_months_is_rejected(bench: Bench) -> None:
    bench.set(COMPLETE)
    first = [line for line in GOOD if line[8:10] < "12"]
    second = [line for line in GOOD if line[8:10] >= "12"]
    border = [line for line in second if line[8:10] == "12"]
    # Only a few rows of the border day are there twice: the first hour of the next file, say.
    write(bench, "\n".join([HEADER, *first, *border[:5]]).encode(), "a.csv")
    write(bench, "\n".join([HEADER, *second]).encode(), "b.csv.gz")
    repeated = sum(",view," not in line for line in border[:5])
    counts = bench.counts()
    assert counts["rejected"] == {"repeats_an_event_of_another_file": repeated}
    assert counts["rows"] == len(GOOD) + 5
    rejects = bench.rejects().splitlines()[1:]
    assert [row.split(",")[1] for row in rejects] == [
        str(2 + second.index(line)) for line in border[:5] if ",view," not in line
    ]


def days(first: str, last: str) -> bytes:
    return "\n".join([HEADER, *(line for line in GOOD if first <= line[8:10] <= last)]).encode()


REFUSED = {
    "wrong header": ({"a.csv": log().replace(b"brand", b"make")}, "a.csv: starts with"),
    "zero bytes": ({"a.csv": b""}, "a.csv: starts with"),
    "zero rows": ({"a.csv": HEADER.encode(), "b.csv.gz": HEADER.encode()}, "no row after the header"),
    "no file": ({}, "no *.csv or *.csv.gz file"),
    "twice, packed and plain": ({"a.csv": log(), "a.csv.gz": log()}, "a second time as"),
    "twice under two names": ({"a.csv": log(), "b.csv": log()}, "b.csv: repeats"),
    "months that overlap": ({"a.csv": days("01", "14"), "b.csv": days("12", "31")}, "on 3 common days"),
    "a quote that is not closed": ({"a.csv": log(ROW.replace(",x,", ',"x,'))}, "line 702: quote not closed"),
    "one user only": ({"a.csv": f"{HEADER}\n{ROW}".encode()}, "prepare.split: 20 test and 15 validation"),
    "no target event": ({"a.csv": log().replace(b"purchase", b"cart")}, "prepare.target_event: no event"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_files_are_refused(bench: Bench, fault: str) -> None:
    files, message = REFUSED[fault]
    bench.set(COMPLETE)
    for name, data in files.items():
        write(bench, data, name)
    assert message in bench.refused()


@pytest.mark.parametrize("kept", [0.5, 0.999])
def test_a_cut_gzip_is_refused(bench: Bench, kept: float) -> None:
    bench.set(COMPLETE)
    packed = gzip.compress(log())
    (bench.raw("rees46") / "2019-Oct.csv.gz").write_bytes(packed[: int(len(packed) * kept)])
    message = bench.refused()
    assert "2019-Oct.csv.gz" in message
    assert "Fetch the file again" in message


def test_a_feature_without_a_vocabulary_is_refused(bench: Bench) -> None:
    bench.set(changed("prepare.vocabulary.min_occurrences", 100_000))
    write(bench, log())
    message = bench.refused()
    assert "prepare.vocabulary.min_occurrences: no value of product_id is seen 100,000 times" in message
    assert re.search(r"the most frequent one \('\w+'\) \d+ times\. Lower it", message)


def test_a_batch_larger_than_the_data_is_refused(bench: Bench) -> None:
    bench.set(changed("rebatch.batch_size", 100_000))
    write(bench, log())
    bench.counts()
    message = bench.refused("rebatch", "data/batches")
    assert "rebatch.batch_size: 100000 events are more than a group of train users has" in message

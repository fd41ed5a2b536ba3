"""Files read one by one, against all of them read at once: the same events, counts, samples and refusals."""

import gzip
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import complete_journey
from offerbench.datasets.canonical import ORDER, PLACE, ReadCounts, event_database
from offerbench.datasets.config import Custom
from offerbench.datasets.sources import reader
from offerbench.engines.exchange import Exchange
from offerbench.engines.raw_files import read_raw_files
from offerbench.engines.raw_sources import PART

from ..parameters import resources_parameters
from ..tiny_log import HEADER, csv_line
from .plain_session import PlainSession

Found = tuple[ReadCounts, list[dict[str, Any]]]


def at_once(raw: Path, dataset: str = "rees46", custom: Custom | None = None) -> Found:
    with event_database(raw.parent / "spill", "500MB") as connection:
        read = reader(dataset, custom)(connection, raw)
        return read, connection.sql("SELECT * FROM events ORDER BY rowid").to_arrow_table().to_pylist()


def one_by_one(
    raw: Path, dataset: str = "rees46", session: PlainSession | None = None, custom: Custom | None = None
) -> Found:
    spill = str(raw.parent / "spill")
    work = Exchange(mkdtemp(dir=raw.parent), spill)
    resources = resources_parameters(spill_directory=spill)
    read, files = read_raw_files(session or PlainSession(), dataset, raw, custom, work, resources)
    with work.fetched(files) as paths:
        rows = [row for path in paths for row in pq.read_table(path).to_pylist()]
    assert [row.pop(PART) for row in rows] == [
        part for part, file in enumerate(files) for _ in range(pq.read_metadata(file.place).num_rows)
    ]
    rows.sort(key=lambda row: (row[ORDER], row[PLACE]))
    places = [(row.pop(ORDER), row.pop(PLACE)) for row in rows]
    assert places == sorted(set(places))
    texts = sorted({row["user"] for row in rows if isinstance(row["user"], str)}, key=str.encode)
    for row in rows if texts else ():
        row["user"] = texts.index(row["user"])
    return read, rows


def check(raw: Path, dataset: str = "rees46", custom: Custom | None = None) -> ReadCounts | str:
    """Compare the two ways; give the counts or the refusal."""
    try:
        expected: Found | str = at_once(raw, dataset, custom)
    except OfferbenchError as error:
        expected = str(error)
    try:
        found: Found | str = one_by_one(raw, dataset, custom=custom)
    except OfferbenchError as error:
        found = str(error)
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
        return str(found)
    for name in (field.name for field in fields(ReadCounts)):
        assert getattr(found[0], name) == getattr(expected[0], name), name
    assert list(found[0].event_types) == list(expected[0].event_types)  # in the order of metrics/prepare.json
    assert list(found[0].left_out) == list(expected[0].left_out)
    assert found[1] == expected[1]
    return found[0]


def write(raw: Path, files: list[list[str]]) -> None:
    raw.mkdir(exist_ok=True)
    for number, lines in enumerate(files):
        text = "".join(f"{line}\n" for line in [HEADER, *lines]).encode("latin-1")
        if number % 2:
            (raw / f"{number}.csv.gz").write_bytes(gzip.compress(text))
        else:
            (raw / f"{number}.csv").write_bytes(text)


def line(event_type: str, user: int, day: int) -> str:
    return csv_line(user, day, event_type, str(user), "a.b", "x", "1.50")


GOOD = st.builds(
    line, st.sampled_from(["view", "cart", "purchase", "Cart", "gift"]), st.integers(1, 4), st.integers(0, 3)
)
BAD = st.sampled_from(
    [
        *(line("cart", 1, 1).replace("1.50", "cheap"), line("purchase", 1, 1).replace("2019-10", "2019-13")),
        *(line("cart", 2, 1) + ",more", line("purchase", 2, 1) + ",more", "short", line("", 1, 1)),
        *(line("cart", 2, 1).replace(",x,", ",\xff,"), line("view", 2, 1).replace(",2,", ",,")),
    ]
)
FILES = st.lists(st.lists(GOOD | BAD, max_size=12), min_size=1, max_size=3)


@settings(max_examples=40)
@given(FILES)
def test_files_one_by_one_are_the_log(files: list[list[str]]) -> None:
    with TemporaryDirectory() as name:
        raw = Path(name) / "raw"
        write(raw, files)
        check(raw)


def month(days: range, user: int = 1) -> list[str]:
    return [line("cart", user, day) for day in days]


def test_samples_of_many_rejected_rows_are_the_first(tmp_path: Path) -> None:
    bad = [line("cart", 1, 1).replace("1.50", "cheap"), line("cart", 2, 1) + ",more"]
    write(tmp_path / "raw", [[*month(range(3)), *bad * 8], [*bad * 30], [*bad, *month(range(3), 2)]])
    read = check(tmp_path / "raw")
    assert isinstance(read, ReadCounts)
    assert [sum(reject.file.endswith(name) for reject in read.rejects) for name in ("0.csv", "1.csv.gz")] == [
        16,
        24,
    ]


def test_a_border_day_that_two_files_hold_is_rejected_in_the_later(tmp_path: Path) -> None:
    border = [csv_line(user, 20, "cart", str(user), "", "", "1.00") for user in (5, 6, 7, 8, 9, 5)]
    first = [*month(range(20)), border[0], border[1], border[5]]
    # Rows that are no events go before and between: numbers of events are not those of rows.
    second = [line("view", 3, 20), *border[:3], "short", *border[3:], border[0], *month(range(21, 25))]
    write(tmp_path / "raw", [first, second, month(range(26, 29))])
    read = check(tmp_path / "raw")
    assert isinstance(read, ReadCounts)
    assert read.rejected["repeats_an_event_of_another_file"] == 3
    session = PlainSession()
    one_by_one(tmp_path / "raw", session=session)
    assert session.jobs == [3, 1]  # only the file that repeats events is read again


@pytest.mark.parametrize(
    "files, words",
    [
        ([month(range(20)), month(range(10, 25))], "repeats 10 of 10 events"),
        ([[], []], "no row after the header"),
        ([month(range(3)), [line("cart", 1, 5).replace("a.b", '"a.b'), *month(range(5))]], "quote"),
    ],
    ids=["repeated", "no row", "a quote that is not closed"],
)
def test_refusals(tmp_path: Path, files: list[list[str]], words: str) -> None:
    write(tmp_path / "raw", files)
    message = check(tmp_path / "raw")
    assert isinstance(message, str)
    assert words in message


def test_a_cut_packed_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "raw", [month(range(3)), month(range(4, 20))])
    packed = tmp_path / "raw/1.csv.gz"
    packed.write_bytes(packed.read_bytes()[:-6])
    message = check(tmp_path / "raw")
    assert isinstance(message, str)
    assert f"{packed}: can't be unpacked" in message


def test_paths_in_messages_and_samples_are_as_the_user_gives_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("raw"), [[*month(range(3)), line("cart", 2, 1) + ",more"]])
    read = check(Path("raw"))
    assert isinstance(read, ReadCounts)
    assert [reject.file for reject in read.rejects] == ["raw/0.csv"]
    Path("raw/1.csv.gz").write_bytes(gzip.compress(f"{HEADER}\n".encode())[:-5])
    assert str(check(Path("raw"))).startswith("raw/1.csv.gz: ")


def test_another_source_is_read_by_one_task(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    for name in complete_journey.FILES:
        (raw / name).write_bytes(b"")
    session = PlainSession()
    with pytest.raises(OfferbenchError, match="can't be read as Complete Journey"):
        one_by_one(raw, "complete_journey", session)
    assert session.jobs == [1]


def test_a_failure_of_the_machine_is_told_with_its_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "raw", [month(range(3))])

    def full(*arguments: Any) -> None:
        raise duckdb.IOException("Could not write file: No space left on device")

    monkeypatch.setattr("offerbench.engines.raw_sources.rees46.read_file", full)
    with pytest.raises(OfferbenchError, match=r"^\S+: .*No space left on device"):
        one_by_one(tmp_path / "raw")

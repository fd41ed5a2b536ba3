"""Random damage to raw files and to params.yaml: a consistent result or one message, nothing else."""

import io
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import custom, movielens_100k, rees46
from offerbench.datasets.canonical import ReadCounts, Reject, event_database
from offerbench.datasets.faults import LAST_DAY
from offerbench.datasets.rejects import TEXT_LENGTH
from offerbench.parameters import Parameters, load_parameters
from offerbench.preparation.prepare import prepare_dataset

from ..unit.parameters import COMPLETE
from ..unit.tiny_log import HEADER, draw_log
from .custom_log import as_csv, parameters, rows
from .test_movielens import GOOD, LINES, ratings

REES46 = "\n".join([HEADER, *(line for _, line in draw_log(3, seed=1))]).encode()
CUSTOM = as_csv(rows()[:60])
MOVIELENS = ratings("movielens_100k", GOOD[:60])
COLUMNS = Parameters.model_validate(parameters()).custom
assert COLUMNS is not None
PIECES = [
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\r\n",
    b"\x00",
    b"\xff",
    b"nan",
    b"-1",
    b"1e999",
    b"",
    b"9" * 30,
    b"'",
    b" ",
]

damages = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 40),
        st.sampled_from(PIECES) | st.binary(max_size=6),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=4,
)


def damaged(data: bytes, damage: list[tuple[float, int, bytes, int]]) -> bytes:
    """Replace some bytes, at a place given as a share of the file, by others."""
    for share, removed, inserted, times in damage:
        place = int(share * len(data))
        data = data[:place] + inserted * times + data[place + removed :]
    return data


BROKEN = "day IS NULL OR price IS NULL OR NOT isfinite(price) OR price < 0 OR product_id = ''"
Read = Callable[[duckdb.DuckDBPyConnection, Path], ReadCounts]


def check_reject(data: bytes, reject: Reject, read: Read, name: str) -> None:
    """The row is at its line, and is rejected for the same reason when it is read alone."""
    assert reject.line is not None
    lines = data.split(b"\n")
    at_line = b"\n".join(lines[reject.line - 1 :])
    # A carriage return ends a row, but no line.
    starts = [0, *(found.end() for found in re.finditer(rb"\r", lines[reject.line - 1]))]
    texts = [at_line[start:].decode(errors="replace") for start in starts]
    assert any(text.startswith(reject.text) for text in texts)
    if "\ufffd" in reject.text or len(reject.text) == TEXT_LENGTH:
        return  # the text is not the bytes
    if reject.reason == "user_rated_the_film_before":
        return
    if reject.reason == "quote_not_closed" and re.search(rb'"[^,\n]*\r(?!\n)', data):
        return  # where a carriage return ends the row after a quote, DuckDB names the row before
    with tempfile.TemporaryDirectory() as directory, event_database(Path(directory), "500MB") as opened:
        (Path(directory) / "raw").mkdir()
        header = b"" if name == "u.data" else lines[0] + b"\n"
        (Path(directory) / "raw" / name).write_bytes(header + reject.text.encode())
        assert read(opened, Path(directory) / "raw").rejected == {reject.reason: 1}


def check(data: bytes, read: Read, name: str, broken: str) -> None:
    with (
        tempfile.TemporaryDirectory() as directory,
        event_database(Path(directory) / "spill", "500MB") as opened,
    ):
        raw = Path(directory) / "raw"
        raw.mkdir()
        (raw / name).write_bytes(data)
        try:
            counts = read(opened, raw)
        except OfferbenchError as error:
            assert len(str(error).splitlines()) == 1
            return
        ((events,),) = opened.sql("SELECT count(*) FROM events").fetchall()
        assert counts.rows == events + sum(counts.left_out.values()) + sum(counts.rejected.values())
        assert set(counts.rejected) == {reject.reason for reject in counts.rejects}
        for reject in counts.rejects[:1] + counts.rejects[-1:]:
            check_reject(data, reject, read, name)
        assert opened.sql(f'SELECT * FROM events WHERE "user" IS NULL OR {broken}').fetchall() == []


def read_custom(opened: duckdb.DuckDBPyConnection, raw: Path) -> ReadCounts:
    return custom.read_events(opened, raw, COLUMNS)


def read_movielens(opened: duckdb.DuckDBPyConnection, raw: Path) -> ReadCounts:
    (raw / "u.item").write_text("\n".join(LINES["movielens_100k"]["u.item"]))
    return movielens_100k.read_events(opened, raw)


BROKEN_RATING = f"day NOT BETWEEN 9131 AND {LAST_DAY} OR day IS NULL OR film IS NULL"
FILES: dict[str, tuple[bytes, Read, str, str]] = {
    "REES46": (REES46, rees46.read_events, "orders.csv", BROKEN),
    "custom": (CUSTOM, read_custom, "orders.csv", BROKEN),
    "MovieLens": (MOVIELENS, read_movielens, "u.data", BROKEN_RATING),
}


def check_examples(file: str, examples: int) -> None:
    """Damage a file at random so many times."""
    data, read, name, broken = FILES[file]

    @settings(max_examples=examples)
    @given(damage=damages)
    def check_one(damage: list[tuple[float, int, bytes, int]]) -> None:
        check(damaged(data, damage), read, name, broken)

    check_one()


@pytest.mark.parametrize("file", FILES)
def test_damaged_files(file: str) -> None:
    check_examples(file, 30)


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_many_damaged_files(file: str) -> None:
    check_examples(file, 150)


# Larger than what DuckDB reads at a time, where it loses rows between two parts.
REES46_ROWS = REES46.partition(b"\n")[2] + b"\n"
LARGE = HEADER.encode() + b"\n" + REES46_ROWS * (34_000_000 // len(REES46_ROWS) + 1)


@pytest.mark.slow
@settings(max_examples=12)
@given(damage=damages)
def test_damaged_files_larger_than_the_readers_buffer(damage: list[tuple[float, int, bytes, int]]) -> None:
    check(damaged(LARGE, damage), rees46.read_events, "orders.csv", BROKEN)


VALUES = st.sampled_from(
    [
        None,
        0,
        1,
        -1,
        1.5,
        10**30,
        float("nan"),
        "",
        "purchase",
        "price",
        "no such",
        [],
        ["cart", "cart"],
        {},
        True,
    ]
)


def paths(content: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every value in nested mappings."""
    if not isinstance(content, dict):
        return [before]
    return [before, *(path for key, value in content.items() for path in paths(value, (*before, key)))][
        0 if before else 1 :
    ]


def replaced(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path or not isinstance(content, dict):
        return value
    return {**content, path[0]: replaced(content.get(path[0]), path[1:], value)}


@settings(max_examples=150)
@given(
    content=st.sampled_from([COMPLETE, parameters()]).flatmap(
        lambda content: st.lists(st.tuples(st.sampled_from(paths(content)), VALUES), max_size=3).map(
            lambda changes: (content, changes)
        )
    ),
    damage=st.just([]) | damages,
)
def test_damaged_parameters(
    content: tuple[dict[str, Any], list[tuple[tuple[Any, ...], Any]]],
    damage: list[tuple[float, int, bytes, int]],
) -> None:
    changed, changes = content
    for path, value in changes:
        changed = replaced(changed, path, value)
    stream = io.StringIO()
    YAML().dump(changed, stream)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "params.yaml"
        file.write_bytes(damaged(stream.getvalue().encode(), damage))
        try:
            read = load_parameters(file)
        except OfferbenchError as error:
            assert str(error).startswith(str(file))
            return
        if read.dataset not in ("rees46", "custom") or read.resources.memory_limit != "500MB":
            return
        (Path(directory) / "raw").mkdir()
        (Path(directory) / "raw" / "orders.csv").write_bytes(REES46 if read.dataset == "rees46" else CUSTOM)
        (Path(directory) / "prepared").mkdir()
        resources = read.resources.model_copy(update={"spill_directory": f"{directory}/spill"})
        try:
            prepare_dataset(
                read.dataset,
                *(Path(directory) / "raw", Path(directory) / "prepared"),
                *(read.prepare, resources, read.custom),
            )
        except OfferbenchError as error:
            assert str(error)

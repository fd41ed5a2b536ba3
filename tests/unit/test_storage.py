"""Files are whole or not there; columns written in pieces are those written at once."""

import json
import stat
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.errors import OfferbenchError
from offerbench.storage import (
    ArrowColumns,
    read_arrow,
    read_json,
    read_parquet,
    whole_directory,
    whole_file,
    write_json,
    write_parquet,
)

Columns = dict[str, np.ndarray]


class Interrupted(BaseException):
    """Not an Exception, as KeyboardInterrupt is not."""


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def write_arrow(target: Path, pieces: Iterable[Columns]) -> None:
    writer = ArrowColumns(target)
    for piece in pieces:
        writer.append(piece)
    writer.close()


def test_whole_file_takes_its_name_on_success(tmp_path: Path) -> None:
    target = tmp_path / "new" / "table.csv"
    for content in ("first", "second"):  # made, then replaced
        with whole_file(target) as temporary:
            assert temporary.suffix == ".csv"
            temporary.write_text(content)
            assert not target.exists() or target.read_text() == "first"
        assert target.read_text() == content
    assert names(target.parent) == ["table.csv"]


def test_whole_file_does_not_write_into_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("old")
    with (tmp_path / "table.csv").open() as reader:
        with whole_file(tmp_path / "table.csv") as temporary:
            temporary.write_text("new")
        assert reader.read() == "old"  # who has it open, or mapped, keeps what it had


@pytest.mark.parametrize("error", [ValueError, Interrupted])
def test_whole_file_leaves_nothing_behind_on_failure(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), whole_file(tmp_path / "table.csv") as temporary:
        temporary.write_text("half")
        raise error
    assert names(tmp_path) == []


def test_whole_file_keeps_the_old_file_on_failure(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("old")
    with pytest.raises(ValueError, match="stop"), whole_file(tmp_path / "table.csv") as temporary:
        temporary.write_text("half")
        raise ValueError("stop")
    assert names(tmp_path) == ["table.csv"]
    assert (tmp_path / "table.csv").read_text() == "old"


def test_whole_directory_takes_its_name_on_success(tmp_path: Path) -> None:
    target = tmp_path / "new" / "prepared"
    for file in ("first", "second"):  # made, then replaced
        with whole_directory(target) as temporary:
            assert temporary.parent == target.parent
            (temporary / file).write_text(file)
        assert names(target) == [file]
    assert names(target.parent) == ["prepared"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o755  # not the 0o700 of a temporary directory


@pytest.mark.parametrize("error", [ValueError, Interrupted])
def test_whole_directory_leaves_nothing_behind_on_failure(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), whole_directory(tmp_path / "prepared") as temporary:
        (temporary / "half").mkdir()
        raise error
    assert names(tmp_path) == []


def test_whole_directory_keeps_the_old_one_on_failure(tmp_path: Path) -> None:
    (tmp_path / "prepared").mkdir()
    (tmp_path / "prepared" / "old").write_text("old")
    with pytest.raises(ValueError, match="stop"), whole_directory(tmp_path / "prepared") as temporary:
        (temporary / "half").write_text("half")
        raise ValueError("stop")
    assert names(tmp_path) == ["prepared"]
    assert names(tmp_path / "prepared") == ["old"]


@settings(max_examples=30)
@given(st.lists(st.integers(0, 7), max_size=6), st.integers(0, 99))
def test_many_appends_are_one(tmp_path_factory: pytest.TempPathFactory, pieces: list[int], seed: int) -> None:
    directory = tmp_path_factory.mktemp("arrow")
    rows = sum(pieces)
    generator = np.random.default_rng(seed)
    columns = {
        "label": generator.integers(-(2**31), 2**31, rows).astype(np.int32),
        "start": generator.integers(-(2**63), 2**63 - 1, rows),
        "weight": generator.normal(size=rows).astype(np.float32),
    }
    stops = np.cumsum(pieces).astype(int)
    borders = zip([0, *stops], [*stops, rows], strict=True)
    parts = [{name: values[start:stop] for name, values in columns.items()} for start, stop in borders]
    write_arrow(directory / "pieces.arrow", parts)
    write_arrow(directory / "whole.arrow", [columns])
    assert names(directory) == ["pieces.arrow", "whole.arrow"]
    assert (directory / "pieces.arrow").read_bytes() == (directory / "whole.arrow").read_bytes()
    for name, values in read_arrow(directory / "pieces.arrow").items():
        assert values.dtype == columns[name].dtype
        assert values.tolist() == columns[name].tolist()


def test_appended_slices_need_not_be_contiguous(tmp_path: Path) -> None:
    write_arrow(tmp_path / "every_other.arrow", [{"value": np.arange(10)[::2]}])
    assert read_arrow(tmp_path / "every_other.arrow")["value"].tolist() == [0, 2, 4, 6, 8]


def test_parquet_round_trip(tmp_path: Path) -> None:
    columns = {
        "label": np.array([3, 1], np.int32),
        "value": np.array(["", "ä"]),
        "weight": np.array([0.5, 2]),
    }
    write_parquet(tmp_path / "table.parquet", columns)
    again = read_parquet(tmp_path / "table.parquet")
    assert {name: values.tolist() for name, values in again.items()} == {
        name: values.tolist() for name, values in columns.items()
    }
    assert again["label"].dtype == np.int32


def test_json_round_trip(tmp_path: Path) -> None:
    content = {"b": {"ä": 0.762}, "a": None}
    write_json(tmp_path / "metrics.json", content)
    assert read_json(tmp_path / "metrics.json") == content
    assert list(json.loads((tmp_path / "metrics.json").read_text())) == ["b", "a"]  # order is kept


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_refuses_what_it_does_not_have(tmp_path: Path, number: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "metrics.json", {"wauc": number})
    assert names(tmp_path) == []


READERS = {".json": read_json, ".parquet": read_parquet, ".arrow": read_arrow}


def intact(directory: Path, suffix: str) -> Path:
    """A file of 1,000 numbers."""
    path = directory / f"intact{suffix}"
    numbers = np.arange(1000)
    {
        ".json": lambda: write_json(path, {"numbers": numbers.tolist()}),
        ".parquet": lambda: write_parquet(path, {"numbers": numbers}),
        ".arrow": lambda: write_arrow(path, [{"numbers": numbers}]),
    }[suffix]()
    return path


@pytest.mark.parametrize("suffix", READERS)
def test_a_missing_file_is_named(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(OfferbenchError, match=rf"missing\{suffix}: no such file.*dvc repro"):
        READERS[suffix](tmp_path / f"missing{suffix}")


@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize("damage", ["empty", "garbage", "cut", "short"])
def test_a_damaged_file_is_named(tmp_path: Path, suffix: str, damage: str) -> None:
    path = intact(tmp_path, suffix)
    content = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "garbage": b"\xff\xfe no such thing",
            "cut": content[: len(content) // 2],
            "short": content[:-9],
        }[damage]
    )
    with pytest.raises(OfferbenchError, match=rf"intact\{suffix}: not .*dvc repro"):
        READERS[suffix](path)


def test_a_parquet_file_damaged_inside_is_named(tmp_path: Path) -> None:
    # The footer is whole, so that the file opens; a compressed page of its column is not.
    path = intact(tmp_path, ".parquet")
    content = bytearray(path.read_bytes())
    content[30:90] = bytes(60)
    path.write_bytes(content)
    with pytest.raises(OfferbenchError, match=r"intact\.parquet"):
        read_parquet(path)

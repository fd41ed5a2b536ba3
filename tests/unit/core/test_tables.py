"""Arrow columns written in pieces are those written whole; a damaged table or JSON file is named."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import read_json, write_json
from offerbench.core.tables import ArrowColumns, read_arrow, read_parquet, write_parquet

from .directory import names

Columns = dict[str, np.ndarray]


def write_arrow(target: Path, pieces: Iterable[Columns]) -> None:
    writer = ArrowColumns(target)
    for piece in pieces:
        writer.append(piece)
    writer.close()


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


@settings(max_examples=200)
@given(position=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_flipped_bit_of_an_arrow_file_changes_nothing_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, position: int, bit: int
) -> None:
    path = tmp_path_factory.mktemp("flipped") / "table.arrow"
    numbers = np.arange(50, dtype=np.int32)
    write_arrow(path, [{"user": numbers, "label": numbers[::-1]}])
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= 1 << bit
    path.write_bytes(content)
    try:
        columns = read_arrow(path)
    except OfferbenchError as error:
        assert str(error).startswith(f"{path}: not an intact Arrow file")
    else:
        assert {name: values.tolist() for name, values in columns.items()} == {
            "user": numbers.tolist(),
            "label": numbers[::-1].tolist(),
        }
        assert {values.dtype for values in columns.values()} == {numbers.dtype}

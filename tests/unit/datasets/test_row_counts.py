"""Rows counted block by block, against a count character by character; packed files and their checksums."""

import gzip
import re
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import csv_blocks
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.row_counts import count_rows

from ...oracle.row_counts import count_rows as count_slowly

FIELD = st.text(st.sampled_from('ab ,"\r\n'), max_size=4)
WELL_FORMED = FIELD.map(lambda text: '"' + text.replace('"', '""') + '"')
ROW = st.lists(WELL_FORMED | st.text("ab", max_size=3), min_size=1, max_size=3).map(",".join)
PIECES = st.lists(ROW | FIELD | st.sampled_from(["\n", "\r\n", "\n\n", "\r\n\r\n", "\r"]), max_size=12)


def write(directory: Path, data: bytes, name: str = "log.csv") -> Path:
    (directory / name).write_bytes(gzip.compress(data) if name.lower().endswith(".gz") else data)
    return directory / name


@settings(max_examples=500)
@given(
    pieces=PIECES,
    block=st.sampled_from([1, 3, 16, 1 << 20]),
    delimiter=st.sampled_from(",;"),
    has_header=st.booleans(),
)
def test_counts_are_those_character_by_character(
    pieces: list[str], block: int, delimiter: str, has_header: bool
) -> None:
    text = has_header * "first,second\n" + "".join(pieces).replace(",", delimiter)
    with tempfile.TemporaryDirectory() as directory, patch.object(csv_blocks, "BLOCK", block):
        file = write(Path(directory), text.encode())
        try:
            (rows,) = count_rows([file], CsvLayout(delimiter, has_header=has_header))
        except OfferbenchError as error:
            assert "quote not closed, so the rows after it" in str(error)
            line = int(str(error).split(" line ")[1].split(":")[0])
            rest = "".join(text.splitlines(keepends=True)[line - 1 :])
            assert '"' in rest
            return
    assert rows == count_slowly(text, delimiter, has_header=has_header)


@given(rows=st.lists(st.lists(WELL_FORMED, min_size=2, max_size=2).map(",".join), max_size=30))
def test_quotes_that_are_well_formed_need_no_second_look(rows: list[str]) -> None:
    data = "\n".join(["a,b", *rows])
    with tempfile.TemporaryDirectory() as directory, patch.object(csv_blocks, "_quoted_one_by_one") as slow:
        file = write(Path(directory), f"{data}\n".encode())
        if not re.search(r"\r(?!\n)", data):
            assert count_rows([file], CsvLayout(",")) == [len(rows)]
            slow.assert_not_called()


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "LOG.CSV.GZ"])
def test_files_are_counted_each_by_itself(tmp_path: Path, name: str) -> None:
    files = [
        write(tmp_path, b"a,b\n" + b'1,"2\n3"\n' * number, f"{number}{name}") for number in (3, 0, 200_000)
    ]
    assert count_rows(files, CsvLayout(",")) == [3, 0, 200_000]


@pytest.mark.parametrize("place", ["in the middle", "checksum", "length"])
def test_a_flipped_bit_of_a_packed_file_is_found(tmp_path: Path, place: str) -> None:
    data = b"a,b\n" + b"".join(b"%d,x%d\n" % (number, number % 97) for number in range(20_000))
    packed = bytearray(gzip.compress(data))
    at = {"in the middle": len(packed) // 2, "checksum": -8, "length": -1}[place]
    packed[at] ^= 4
    (tmp_path / "log.csv.gz").write_bytes(packed)
    with pytest.raises(OfferbenchError, match=r"log\.csv\.gz: can't be unpacked.*Fetch the file again"):
        count_rows([tmp_path / "log.csv.gz"], CsvLayout(","))


@pytest.mark.parametrize(
    ("row", "what"),
    [(b'x,"' + b"y,z\n" * 800_000, "quote not closed"), (b"x," + b"y" * 3_000_000, "line too long")],
)
def test_a_row_of_megabytes_is_named(tmp_path: Path, row: bytes, what: str) -> None:
    file = write(tmp_path, b"a,b\n" + b"1,2\n" * 1350 + row + b"\n" + b"1,2\n" * 10)
    with pytest.raises(OfferbenchError, match=rf"log\.csv: line 1352: {what}"):
        count_rows([file], CsvLayout(","))

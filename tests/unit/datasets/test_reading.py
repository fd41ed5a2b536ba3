"""What is said when DuckDB can't read a file."""

from pathlib import Path

import duckdb
import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.canonical import ReadCounts
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.reading import explained, refuse_mixed_ends
from offerbench.datasets.row_counts import refuse_lost_rows, refuse_unaccounted_rows

LAYOUT = CsvLayout(",")


@pytest.mark.parametrize(
    ("data", "line", "what"),
    [
        (b'a,b\n1,"2\r\n3"\n4,5\r\n6,7\n', 4, "CRLF, the first in LF"),
        (b"a,b\r\n1,2\r\n3,4\n", 3, "LF, the first in CRLF"),
        (b"a,b\n1,2\n3\r4,5\n", 3, "CR, the first in LF"),
        (b"a,b\n" + b"1,2\n" * 400_000 + b"1,2\r\n", 400_002, "CRLF"),
    ],
)
def test_mixed_ends_of_lines_are_named(tmp_path: Path, data: bytes, line: int, what: str) -> None:
    (tmp_path / "log.csv").write_bytes(data)
    with pytest.raises(OfferbenchError, match=rf"log\.csv: line {line} ends in {what}"):
        refuse_mixed_ends(tmp_path / "log.csv", LAYOUT)


@pytest.mark.parametrize("data", [b"", b"a,b", b'a,b\r\n1,"2\n3"\r\n4,5', b"a,b\n\n1,2\n", b"a,b\n1,\n2,3\n"])
def test_ends_of_one_kind_are_fine(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "log.csv").write_bytes(data)
    refuse_mixed_ends(tmp_path / "log.csv", LAYOUT)


def test_a_failure_of_the_machine_is_not_blamed_on_the_file() -> None:
    for error in (
        duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate data of size 1 GB"),
        duckdb.IOException('IO Error: Could not write file "x": No space left on device'),
    ):
        with pytest.raises(type(error)), explained("log.csv: can't be read", "Fetch it again."):
            raise error
    with (
        pytest.raises(OfferbenchError, match=r"^log.csv: can't be read. Binder Error: x. Fetch it again.$"),
        explained("log.csv: can't be read", "Fetch it again."),
    ):
        raise duckdb.BinderException("Binder Error: x.\nmore")


def test_rows_that_were_lost_are_refused() -> None:
    files = [Path("a.csv"), Path("b.csv")]
    refuse_lost_rows(files, [3, 0], {0: 3})
    with pytest.raises(OfferbenchError, match=r"^b.csv: has 1,000 rows, but 999 could be told apart"):
        refuse_lost_rows(files, [3, 1000], {0: 3, 1: 999})


def test_rows_that_do_not_add_up_are_refused() -> None:
    read = ReadCounts(rows=10, event_types={}, left_out={"view": 3}, rejected={"not_utf8": 2})
    refuse_unaccounted_rows(read, 5, Path("raw"))
    for events in (4, 6):
        with pytest.raises(
            OfferbenchError, match=f"of 10 rows {events} became events, 3 were left out and 2"
        ):
            refuse_unaccounted_rows(read, events, Path("raw"))

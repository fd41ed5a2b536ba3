"""Lines of rows, against rows whose lines are known because they were written one after the other."""

import csv
import gzip
import io
import tempfile
from pathlib import Path
from unittest.mock import patch

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.datasets import csv_blocks, rees46
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.row_lines import find_rows

from ..tiny_log import HEADER, csv_line

FIELD = st.text(st.sampled_from('ab,"\n '), max_size=6)
# Of a row: its fields, whether DuckDB could parse it, blank lines before it.
ROWS = st.lists(st.tuples(st.tuples(FIELD, FIELD), st.booleans(), st.integers(0, 2)), max_size=30)


@settings(max_examples=200)
@given(
    rows=ROWS,
    end=st.sampled_from(["\n", "\r\n"]),
    ends_at_last=st.booleans(),
    block=st.sampled_from([1, 7, 64, 1 << 20]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    is_packed=st.booleans(),
)
def test_every_row_is_found_at_its_line(
    rows: list[tuple[tuple[str, str], bool, int]],
    end: str,
    ends_at_last: bool,
    block: int,
    quoting: int,
    is_packed: bool,
) -> None:
    data, line = f"first,second{end}", 2
    starts, unparsed, parsed = [], {}, []
    for fields, is_parsed, blank_lines in rows:
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n", quoting=quoting).writerow(["x" + fields[0], *fields])
        text = stream.getvalue().removesuffix("\n")
        # DuckDB lets a row start at the blank lines before it, or at the line feed before.
        starts.append(len(data) - (end == "\r\n"))
        data += end * blank_lines + text + end
        line += blank_lines
        if is_parsed:
            parsed.append((line, text))
        else:
            unparsed[starts[-1]] = (line, text)
        line += 1 + text.count("\n")
    data = data if ends_at_last else data.removesuffix(end)
    with tempfile.TemporaryDirectory() as directory, patch.object(csv_blocks, "BLOCK", block):
        file = Path(directory) / ("log.csv.gz" if is_packed else "log.csv")
        file.write_bytes(gzip.compress(data.encode()) if is_packed else data.encode())
        by_start, by_place = find_rows(
            file, CsvLayout(","), np.array(sorted(unparsed), np.int64), list(unparsed), range(len(parsed))
        )
    assert {start: (row.line, row.text) for start, row in by_start.items()} == unparsed
    assert [(by_place[place].line, by_place[place].text) for place in range(len(parsed))] == parsed


def test_quotes_are_text_where_the_layout_has_none(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text('"a\t1\n"b\t2\nc\t3\n')
    layout = CsvLayout("\t", is_quoted=False, has_header=False)
    _, by_place = find_rows(tmp_path / "u.data", layout, np.empty(0, np.int64), [], [0, 2])
    assert {place: (row.line, row.text) for place, row in by_place.items()} == {
        0: (1, '"a\t1'),
        2: (3, "c\t3"),
    }


@pytest.mark.parametrize("block", [1, 5, 1 << 20])
def test_a_carriage_return_ends_a_row_but_no_line(tmp_path: Path, block: int) -> None:
    # As DuckDB reads it, unless it is inside a quoted field.
    (tmp_path / "log.csv").write_bytes(b'a,b\r\n1,2\n3,\r4\n"5\r",6\r\n7,8\r')
    with patch.object(csv_blocks, "BLOCK", block):
        _, by_place = find_rows(tmp_path / "log.csv", CsvLayout(","), np.empty(0, np.int64), [], range(5))
    assert [(row.line, row.text) for row in by_place.values()] == [
        (2, "1,2"),
        (3, "3,"),
        (3, "4"),
        (4, '"5\r",6'),
        (5, "7,8"),
    ]


@pytest.mark.parametrize("name", ["2019-Oct.csv", "2019-Oct.csv.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_of_a_file_that_duckdb_reads_in_parts(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, end: str
) -> None:
    # A file larger than a buffer of DuckDB's reader (32 MB), with quoted newlines and blank lines all over.
    good = csv_line(1, 0, "purchase", "100", "a.b", '"x' + end + "y " + 300 * "z" + '"', "1.50")
    faulty = {20_000: good.replace("1.50", "-1"), 50_000: good.replace("1.50", "?"), 99_999: good[:40]}
    rows = [faulty.get(number, good) + (end if number % 7 == 0 else "") for number in range(100_000)]
    data = end.join([HEADER, *rows]).encode()
    assert len(data) > 35_000_000
    (tmp_path / name).write_bytes(gzip.compress(data, 1) if name.endswith(".gz") else data)
    counts = rees46.read_events(connection, tmp_path)
    expected = []
    for number, text in faulty.items():
        line = 1 + end.join([HEADER, *rows[:number]]).count("\n") + 1
        expected.append((line, text))
    assert sorted((reject.line, reject.text) for reject in counts.rejects) == [
        (line, text[:500]) for line, text in expected
    ]

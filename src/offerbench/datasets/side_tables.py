"""Tables that say what a log's identifiers mean: an error is refused, with its file and line or key."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import numpy as np

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.faults import first_fault
from offerbench.datasets.raw_files import opened
from offerbench.datasets.reading import explained
from offerbench.datasets.rejects import PARSE_REASONS
from offerbench.datasets.row_counts import count_rows, refuse_lost_rows
from offerbench.datasets.row_lines import find_rows

# For read_csv: some of the rows that DuckDB can't parse are kept, of which the first is shown.
STORE_REJECTS = "store_rejects = true, rejects_limit = 1000"


def execute(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    parameters: Mapping[str, object],
    file: Path,
    layout: CsvLayout,
    hint: str,
) -> None:
    """Run a statement that reads `file` with STORE_REJECTS; every row has to be of the layout.

    Raises
    ------
    OfferbenchError
        If the file can't be read, or a row of it: names the line, and what to do.
    """
    count_rows([file], layout)  # no row swallows others, and a packed file is as it was packed
    with explained(f"{file}: can't be read", hint, [file], layout):
        connection.execute(statement, dict(parameters))
    faults = connection.execute(
        """
        SELECT line, line_byte_position - 1, error_type, column_name, left(csv_line, 80)
        FROM reject_errors JOIN reject_scans USING (scan_id, file_id) WHERE file_path = $file
        ORDER BY line, error_type = 'CAST', column_idx LIMIT 1
        """,
        {"file": str(file)},
    ).fetchall()
    for line, start, kind, column, text in faults:
        if layout.is_quoted:  # where quoted fields may hold newlines, DuckDB's line is not the file's
            line = find_rows(file, layout, np.array([start]), [start], [])[0][start].line
        what = PARSE_REASONS[kind].replace("_", " ") if kind in PARSE_REASONS else f"{column} is not a number"
        raise OfferbenchError(f"{file}: line {line}: {what}: {text.strip()!r}. {hint}")


def refuse_faulty_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    faults: Mapping[str, str],
    file: Path,
    layout: CsvLayout,
    hint: str,
) -> None:
    """Refuse a file by its first bad row; `table` has a row for each row of the file, in their order.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds the table.
    table : str
        Its name.
    faults : mapping of str to str
        What is wrong -> SQL condition.
    file : Path
        The file that the table was read from.
    layout : CsvLayout
        How it is written.
    hint : str
        What the user shall do.

    Raises
    ------
    OfferbenchError
        If a row is bad, or there is no row at all.
    """
    ((rows,),) = connection.sql(f"SELECT count(*) FROM {table}").fetchall()
    if not rows:
        raise OfferbenchError(f"{file}: no row. {hint}")
    refuse_lost_rows([file], count_rows([file], layout), {0: rows})
    first = connection.sql(
        f"""
        SELECT rowid, fault FROM (SELECT rowid, {first_fault(faults)} AS fault FROM {table})
        WHERE fault IS NOT NULL ORDER BY rowid LIMIT 1
        """
    ).fetchall()
    for place, fault in first:
        row = find_rows(file, layout, np.empty(0, np.int64), [], [place])[1][place]
        raise OfferbenchError(f"{file}: line {row.line}: {fault}: {row.text[:80]!r}. {hint}")


def repeats(key: str, table: str) -> str:
    """Give the SQL condition that an earlier row of `table` has the same `key`."""
    return (
        f"rowid IN (SELECT rowid FROM {table} QUALIFY "
        f"row_number() OVER (PARTITION BY {key} ORDER BY rowid) > 1)"
    )


def line_without(file: Path, place: int, missing: tuple[bytes, ...]) -> int:
    """Give the line of the first row of a tab-separated file whose field `place` is one of `missing`."""
    with opened(file) as stream:
        return next(
            number
            for number, line in enumerate(stream, 1)
            if number > 1 and line.rstrip(b"\r\n").split(b"\t")[place] in missing
        )

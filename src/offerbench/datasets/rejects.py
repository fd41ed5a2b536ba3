"""Rejected rows: those that can't be used are counted by reason and shown, and too many refuse the run."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np

from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError
from offerbench.datasets.canonical import ReadCounts, Reject, literal
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.row_lines import Row, find_rows

SAMPLES = 20
"""Rows of a reason that the rejects file shows."""
TEXT_LENGTH = 500
MIN_REJECTED_OF_TYPE = 10
"""So many rejected rows of an event type say something about their share; of fewer it is chance."""
# For read_csv: DuckDB keeps every row that it can't parse, with its line, instead of stopping there.
STORE_REJECTS = "store_rejects = true, rejects_limit = 0"
# DuckDB's reason for a row that it can't parse, where the column does not matter.
PARSE_REASONS = {
    "MISSING COLUMNS": "wrong_number_of_fields",
    "TOO MANY COLUMNS": "wrong_number_of_fields",
    "INVALID ENCODING": "not_utf8",
    "UNQUOTED VALUE": "quote_not_closed",
    "LINE SIZE OVER MAXIMUM": "line_too_long",
    "INVALID STATE": "not_csv",
}


def create_table(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the empty table `rejected`, a row for each row rejected.

    Its file is a number of the list of the files that are read. Its line is known, or else its first byte
    (of a row that could not be parsed) or its place among the parsed rows of the file; all from 0.
    """
    connection.execute(
        "CREATE TABLE rejected "
        "(file INTEGER, line BIGINT, first_byte BIGINT, place BIGINT, reason VARCHAR, text VARCHAR)"
    )


def add_unparsed(
    connection: duckdb.DuckDBPyConnection,
    reasons: Mapping[str, str],
    files: Sequence[Path],
    layout: CsvLayout,
) -> None:
    """Add to `rejected` what `read_csv` with `STORE_REJECTS` could not parse.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Has read the files.
    reasons : mapping of str to str
        Reason of a field that is not of its type, by column of the file.
    files : sequence of Path
        The files.
    layout : CsvLayout
        How the files are written.

    Raises
    ------
    OfferbenchError
        If a quote that is never closed, or a line of megabytes, has swallowed the rows after it: how
        many they were is not known.
    """
    connection.execute(
        """
        CREATE TEMP TABLE unparsed AS
        SELECT (list_position($names, file_path) - 1)::INTEGER AS file, * EXCLUDE (file_id)
        FROM reject_errors JOIN reject_scans USING (scan_id, file_id) WHERE list_contains($names, file_path)
        """,
        {"names": [str(file) for file in files]},
    )
    # The text of a sample is cut, that of the error is not.
    swallowed = connection.sql(
        """
        SELECT file, line_byte_position - 1, error_type, line FROM unparsed
        WHERE error_type = 'LINE SIZE OVER MAXIMUM'
           OR (error_type = 'UNQUOTED VALUE' AND regexp_matches(csv_line, '[\\r\\n]'))
        ORDER BY 1, 2 LIMIT 1
        """
    ).fetchall()
    for number, first_byte, kind, line in swallowed:
        file = files[number]
        by_start, _ = find_rows(file, layout, np.array([first_byte]), [first_byte], [])
        line = by_start[first_byte].line if first_byte in by_start else line
        what = PARSE_REASONS[kind].replace("_", " ")
        raise OfferbenchError(
            f"{file}: line {line}: {what}, so the rows after it can't be told apart. Close the "
            "quote or remove the line."
        )
    casts = " ".join(
        f"WHEN column_name = {literal(name)} THEN {literal(why)}" for name, why in reasons.items()
    )
    kinds = " ".join(
        f"WHEN error_type = {literal(kind)} THEN {literal(why)}" for kind, why in PARSE_REASONS.items()
    )
    # A row has an error for each field that it lacks: one is kept, a wrong type last.
    connection.execute(
        f"""
        INSERT INTO rejected
        SELECT file, NULL, line_byte_position - 1, NULL,
               CASE {kinds} {casts} ELSE 'unreadable' END, left(csv_line, {TEXT_LENGTH})
        FROM unparsed
        QUALIFY row_number() OVER (
            PARTITION BY file, line_byte_position ORDER BY error_type = 'CAST', column_idx
        ) = 1
        """
    )
    connection.execute("DROP TABLE unparsed")


def summary(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], layout: CsvLayout | None = None
) -> tuple[dict[str, int], tuple[Reject, ...]]:
    """Count the rows of `rejected` by reason, and give the first `SAMPLES` of each.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds `rejected`.
    files : sequence of Path
        The files.
    layout : CsvLayout, optional
        How the CSV files are written, if `rejected` has rows whose line is not known.
    """
    counts = connection.sql("SELECT reason, count(*) FROM rejected GROUP BY 1 ORDER BY 1").fetchall()
    # Which of two rows is first is known among those that could be parsed, and among the others.
    candidates = connection.sql(
        f"""
        SELECT file, line, first_byte, place, reason, text FROM rejected
        QUALIFY row_number() OVER (
            PARTITION BY reason, place IS NULL ORDER BY file, coalesce(line, first_byte, place), rowid
        ) <= {SAMPLES}
        ORDER BY reason, file, line, rowid
        """
    ).fetchall()
    samples: dict[str, list[Reject]] = {}
    for number in sorted({row[0] for row in candidates}):
        rows = [row[1:] for row in candidates if row[0] == number]
        for reject in _of_file(connection, files[number], number, rows, layout):
            if len(first := samples.setdefault(reject.reason, [])) < SAMPLES:
                first.append(reject)
    return dict(counts), tuple(reject for reason in sorted(samples) for reject in samples[reason])


def _of_file(
    connection: duckdb.DuckDBPyConnection,
    file: Path,
    number: int,
    rows: Sequence[tuple[int | None, int | None, int | None, str, str]],
    layout: CsvLayout | None,
) -> list[Reject]:
    """Make samples of rows of a file, in its order, with their lines and as they are written there."""
    starts = [first_byte for _, first_byte, _, _, _ in rows if first_byte is not None]
    places = [place for _, _, place, _, _ in rows if place is not None]
    by_start: dict[int, Row] = {}
    by_place: dict[int, Row] = {}
    if layout is not None and (starts or places):
        unparsed = connection.execute(
            "SELECT DISTINCT first_byte FROM rejected WHERE file = $file AND first_byte IS NOT NULL "
            "ORDER BY 1",
            {"file": number},
        ).fetchnumpy()["first_byte"]
        by_start, by_place = find_rows(file, layout, np.asarray(unparsed), starts, places)
    rejects = []
    for line, first_byte, place, reason, text in rows:
        row = by_place.get(place) if place is not None else by_start.get(first_byte or 0)
        rejects.append(
            Reject(str(file), line, reason, text)
            if row is None
            else Reject(str(file), row.line, reason, row.text)
        )
    return sorted(rejects, key=lambda reject: reject.line or 0)


def refuse_too_many(read: ReadCounts, raw_directory: Path, max_share: float) -> None:
    """Refuse a run whose raw files have too many rows that can't be used.

    Each kept event type is asked by itself too: where most rows are views that are left out, a third of the
    purchases is a small share of the rows.

    Raises
    ------
    OfferbenchError
        If the share of the rejected rows is above `max_share`, of all rows or of an event type's.
    """
    total = sum(read.rejected.values())
    if total > max_share * read.rows:
        what = f"{total:,} of {read.rows:,} rows"
    else:
        too_many = {
            name: (rows, rejected)
            for name, (rows, rejected) in read.rejected_by_type.items()
            if rejected >= MIN_REJECTED_OF_TYPE and rejected > max_share * rows
        }
        if not too_many:
            return
        name, (rows, rejected) = max(too_many.items(), key=lambda entry: entry[1][1] / entry[1][0])
        what = f"{rejected:,} of {rows:,} rows of the event type '{name}'"
    first = read.rejects[0]
    place = first.file if first.line is None else f"{first.file}, line {first.line}"
    raise OfferbenchError(
        f"{raw_directory}: {what} can't be used ({_reasons(read)}), more than "
        f"prepare.max_rejected_share = {max_share:g}. The first: {place}: {first.reason}: {first.text!r}. "
        f"{read.advice}Correct the files, or raise prepare.max_rejected_share in params.yaml."
    )


def _reasons(read: ReadCounts) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in read.rejected.items())


def rejected_lines(read: ReadCounts) -> list[str]:
    """Say on one line how many rows were rejected, and of which event types; none if no row was."""
    total = sum(read.rejected.values())
    if not total:
        return []
    shares = [
        f"{rejected / rows:.2%} of '{name}'"
        for name, (rows, rejected) in read.rejected_by_type.items()
        if rejected
    ]
    return [
        f"rejected {total:,} of {read.rows:,} rows ({_reasons(read)}){': ' if shares else ''}"
        f"{', '.join(shares)}. rejects.csv beside the prepared tables shows the first"
    ]


def write_rejects(target: Path, rejects: tuple[Reject, ...]) -> None:
    """Write the samples of the rejected rows as CSV."""
    with atomic_file(target) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "line", "reason", "text"])
        writer.writerows((row.file, row.line, row.reason, row.text) for row in rejects)

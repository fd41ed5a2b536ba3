"""Events that two files of a log hold: they would count twice."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path

import duckdb

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.canonical import identifier

REPEATED = "repeats_an_event_of_another_file"


def settle_repeated_events(
    connection: duckdb.DuckDBPyConnection, raw_files: Sequence[Path], columns: Sequence[str]
) -> None:
    """Find events that two files hold.

    Files may share days, such as the parts of a month; so a shared range is looked into. Where most of
    the smaller file's distinct events there are the other's too, the range is repeated. A single day at
    the border of two files, which the end of one month's file has from the next, is rejected; a longer
    range is refused.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds `staged`.
    raw_files : sequence of Path
        The files, by their number in `staged`.
    columns : sequence of str
        Columns of `staged` that tell an event from another.

    Raises
    ------
    OfferbenchError
        If two files hold the same events of more than their border day.
    """
    key = ", ".join(identifier(name) for name in columns)
    ranges = connection.sql(
        "SELECT file, min(day), max(day) FROM staged WHERE day IS NOT NULL GROUP BY 1 ORDER BY 1"
    ).fetchall()
    overlapping = [
        (one, other)
        for one, other in combinations(ranges, 2)
        if max(one[1], other[1]) <= min(one[2], other[2])
    ]
    suspects = _pairs_with_equal_events(connection, overlapping, key)
    for (file, first, last), (other, other_first, other_last) in overlapping:
        if (file, other) not in suspects:
            continue
        start, end = max(first, other_first), min(last, other_last)
        smaller, shared = connection.execute(
            f"""
            WITH keys AS (
                SELECT count(*) FILTER (file = $file) AS here, count(*) FILTER (file = $other) AS there
                FROM staged WHERE file IN ($file, $other) AND day BETWEEN $start AND $end
                GROUP BY {key}
            )
            SELECT least(count(*) FILTER (here > 0), count(*) FILTER (there > 0)),
                   count(*) FILTER (here > 0 AND there > 0) FROM keys
            """,
            {"file": file, "other": other, "start": start, "end": end},
        ).fetchall()[0]
        if 2 * shared <= smaller:
            continue
        if start == end and first < last and other_first < other_last:
            _reject_border_day(connection, file, other, start, key)
            continue
        raise OfferbenchError(
            f"{raw_files[other]}: repeats {shared:,} of {smaller:,} events of {raw_files[file]} on "
            f"{end - start + 1} common days. Remove one of the two, or the days that both have."
        )


def _pairs_with_equal_events(
    connection: duckdb.DuckDBPyConnection,
    pairs: Sequence[tuple[tuple[int, int, int], tuple[int, int, int]]],
    key: str,
) -> set[tuple[int, int]]:
    """Give the pairs of files that have an event in common: of many files, few are looked into."""
    files = sorted({file for pair in pairs for file, _, _ in pair})
    days = _days_of_two({each for pair in pairs for each in pair})
    if len(files) <= 2:
        return {(one, other) for (one, _, _), (other, _, _) in pairs}
    found = connection.execute(
        f"""
        WITH keys AS (
            SELECT list_sort(list(DISTINCT file)) AS files
            FROM staged WHERE day IN (SELECT unnest($days)) AND file IN (SELECT unnest($files))
            GROUP BY {key} HAVING count(DISTINCT file) > 1
        )
        SELECT DISTINCT files FROM keys
        """,
        {"files": files, "days": days},
    ).fetchall()
    return {pair for (group,) in found for pair in combinations(group, 2)}


def _days_of_two(ranges: set[tuple[int, int, int]]) -> list[int]:
    """List the days that two or more files have in their ranges."""
    change = Counter(first for _, first, _ in ranges)
    change.subtract(Counter(last + 1 for _, _, last in ranges))
    days: list[int] = []
    covered = 0
    for day, following in pairwise(sorted(change)):
        covered += change[day]
        if covered > 1:
            days += range(day, following)
    return days


def _reject_border_day(
    connection: duckdb.DuckDBPyConnection, file: int, other: int, day: int, key: str
) -> None:
    """Mark for rejection the events of `day` that file number `other` repeats of `file`.

    Two equal rows within a file are two events: each is repeated by one row of the other file.
    """
    connection.execute(
        f"""
        UPDATE staged SET fault = '{REPEATED}', fault_text = ''
        WHERE rowid IN (
            WITH numbered AS (
                SELECT rowid AS place, file,
                       row_number() OVER (PARTITION BY file, {key} ORDER BY rowid) AS copy, {key}
                FROM staged WHERE file IN ($file, $other) AND day = $day AND fault IS NULL
            )
            SELECT place FROM (FROM numbered WHERE file = $other)
            SEMI JOIN (FROM numbered WHERE file = $file) earlier USING (copy, {key})
        )
        """,
        {"file": file, "other": other, "day": day},
    )


def reject_events(connection: duckdb.DuckDBPyConnection, numbers: Sequence[int]) -> None:
    """Mark for rejection the events of these numbers, from 0 in the order of their rows, as repeated ones.

    For a file that was read by itself, when another one was found to hold the same events.
    """
    connection.execute(
        f"""
        UPDATE staged SET fault = '{REPEATED}', fault_text = ''
        WHERE rowid IN (
            SELECT place FROM (
                SELECT rowid AS place, row_number() OVER (ORDER BY rowid) - 1 AS number
                FROM staged WHERE event_type IS NOT NULL AND fault IS NULL
            )
            WHERE number IN (SELECT unnest($numbers))
        )
        """,
        {"numbers": list(numbers)},
    )

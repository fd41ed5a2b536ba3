"""REES46: "eCommerce behavior data from multi category store", monthly CSV files.

Any number of `*.csv` and `*.csv.gz` files, read in the order of their names by DuckDB, which
streams them: no file is ever in memory as a whole.
"""

from itertools import combinations
from pathlib import Path

import duckdb

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import rejects
from offerbench.datasets.canonical import ReadCounts
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.raw_files import as_pattern, first_line
from offerbench.datasets.reading import explained
from offerbench.datasets.staging import Log, finish_events, stage_events

# The public schema, and how a field is read. A time has a suffix such as ` UTC`, or none.
COLUMNS = {
    "event_time": "TIMESTAMP",
    "event_type": "VARCHAR",
    "product_id": "VARCHAR",
    "category_id": "VARCHAR",
    "category_code": "VARCHAR",
    "brand": "VARCHAR",
    "price": "DOUBLE",
    "user_id": "BIGINT",
    "user_session": "VARCHAR",
}
KEPT_EVENT_TYPES = ("cart", "purchase")
EVENT_KEY = '"user", day, event_type, product_id, price'
REPEATED = "repeats_an_event_of_another_file"


def _log(raw_files: list[Path]) -> Log:
    day = "(event_time::DATE - DATE '1970-01-01')"
    return Log(
        files=tuple(raw_files),
        rows="read_csv($files, header = true, auto_detect = false, delim = ',', quote = '\"', "
        f"columns = $columns, {rejects.STORE_REJECTS})",
        parameters={"files": [as_pattern(file) for file in raw_files], "columns": COLUMNS},
        event_type="event_type",
        kept={name: name for name in KEPT_EVENT_TYPES},
        values={
            "user": "user_id",
            "day": day,
            "product_id": "product_id",
            "category1": "coalesce(split_part(category_code, '.', 1), '')",
            "category2": "coalesce(split_part(category_code, '.', 2), '')",
            "category3": "coalesce(split_part(category_code, '.', 3), '')",
            "brand": "coalesce(brand, '')",
            "price": "price",
        },
        faults={
            "user_missing": "user_id IS NULL",
            "product_missing": "coalesce(product_id, '') = ''",
            **rejects.day_faults(day),
            **rejects.number_faults("price", "price"),
        },
        shown=tuple(COLUMNS),
        parse_reasons={
            "event_time": "time_missing_or_unreadable",
            "price": "price_missing_or_not_a_number",
            "user_id": "user_not_a_number",
        },
        layout=CsvLayout(","),
    )


def _raw_files(raw_directory: Path) -> list[Path]:
    names = {path.name: path for path in raw_directory.glob("*")}
    found = [names[name] for name in sorted(names) if name.lower().endswith((".csv", ".csv.gz"))]
    if not found:
        raise OfferbenchError(
            f"{raw_directory}: no *.csv or *.csv.gz file. Put the monthly files of REES46 there "
            "(2019-Oct.csv.gz, ...)."
        )
    packed = {name.lower(): file for name, file in names.items() if name.lower().endswith(".gz")}
    for file in found:
        if other := packed.get(f"{file.name}.gz".lower()):
            raise OfferbenchError(f"{file}: is there a second time as {other}. Remove one of the two.")
        _check_header(file)
    return found


def _check_header(file: Path) -> None:
    """Refuse a file whose first line is not the public header: DuckDB reads columns by their place."""
    first = first_line(file).strip()
    if first != ",".join(COLUMNS):
        raise OfferbenchError(
            f"{file}: starts with {first[:80]!r}. Every file needs the header {','.join(COLUMNS)}."
        )


def _settle_repeated_events(connection: duckdb.DuckDBPyConnection, raw_files: list[Path]) -> None:
    """Find events that two files hold: they would count twice.

    Files may share days, such as the parts of a month; so a shared range is looked into. Where most of
    the smaller file's distinct events there are the other's too, the range is repeated. A single day at
    the border of two files, which the end of one month's file has from the next, is rejected; a longer
    range is refused.

    Raises
    ------
    OfferbenchError
        If two files hold the same events of more than their border day.
    """
    ranges = connection.sql(
        "SELECT file, min(day), max(day) FROM staged WHERE day IS NOT NULL GROUP BY 1 ORDER BY 1"
    ).fetchall()
    for (file, first, last), (other, other_first, other_last) in combinations(ranges, 2):
        start, end = max(first, other_first), min(last, other_last)
        if start > end:
            continue
        smaller, shared = connection.execute(
            f"""
            WITH keys AS (
                SELECT count(*) FILTER (file = $file) AS here, count(*) FILTER (file = $other) AS there
                FROM staged WHERE file IN ($file, $other) AND day BETWEEN $start AND $end
                GROUP BY {EVENT_KEY}
            )
            SELECT least(count(*) FILTER (here > 0), count(*) FILTER (there > 0)),
                   count(*) FILTER (here > 0 AND there > 0) FROM keys
            """,
            {"file": file, "other": other, "start": start, "end": end},
        ).fetchall()[0]
        if 2 * shared <= smaller:
            continue
        if start == end and first < last and other_first < other_last:
            _reject_border_day(connection, file, other, start)
            continue
        raise OfferbenchError(
            f"{raw_files[other]}: repeats {shared:,} of {smaller:,} events of {raw_files[file]} on "
            f"{end - start + 1} common days. Remove one of the two, or the days that both have."
        )


def _reject_border_day(connection: duckdb.DuckDBPyConnection, file: int, other: int, day: int) -> None:
    """Mark for rejection the events of `day` that file number `other` repeats of `file`.

    Two equal rows within a file are two events: each is repeated by one row of the other file.
    """
    connection.execute(
        f"""
        UPDATE staged SET fault = '{REPEATED}', fault_text = ''
        WHERE rowid IN (
            WITH numbered AS (
                SELECT rowid AS place, file,
                       row_number() OVER (PARTITION BY file, {EVENT_KEY} ORDER BY rowid) AS copy, {EVENT_KEY}
                FROM staged WHERE file IN ($file, $other) AND day = $day AND fault IS NULL
            )
            SELECT place FROM (FROM numbered WHERE file = $other)
            SEMI JOIN (FROM numbered WHERE file = $file) earlier USING (copy, {EVENT_KEY})
        )
        """,
        {"file": file, "other": other, "day": day},
    )


def read_events(connection: duckdb.DuckDBPyConnection, raw_directory: Path) -> ReadCounts:
    """Make the canonical table `events` of carts and purchases; other event types are counted.

    A row that can't be parsed is rejected and counted, so is a cart or purchase without user,
    product, time or price, and an event of the border day of two files that both have. `category_code`
    splits on `.`; its first three levels are features.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the table.
    raw_directory : Path
        Holds the CSV files.

    Raises
    ------
    OfferbenchError
        If there is no file or no row, a file is not of the public schema or can't be unpacked, or
        two files hold the same events.
    """
    raw_files = _raw_files(raw_directory)
    log = _log(raw_files)
    advice = f"Fetch the files again; every file needs the header {','.join(COLUMNS)}."
    with explained(f"{raw_directory}: can't be read as REES46", advice, log.files, log.layout):
        stage_events(connection, log)
        _settle_repeated_events(connection, raw_files)
        return finish_events(connection, log, str(raw_directory))

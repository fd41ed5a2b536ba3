"""REES46: "eCommerce behavior data from multi category store", monthly CSV files.

Any number of `*.csv` and `*.csv.gz` files, read in the order of their names by DuckDB, which
streams them: no file is ever in memory as a whole.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import rejects
from offerbench.datasets.canonical import ReadCounts
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.faults import day_faults, number_faults
from offerbench.datasets.parts import whole_log
from offerbench.datasets.raw_files import as_pattern, first_line
from offerbench.datasets.reading import explained
from offerbench.datasets.repeated_events import reject_events, settle_repeated_events
from offerbench.datasets.shop_log.values import written_number
from offerbench.datasets.staging import Log, finish_events, finish_part, stage_events
from offerbench.datasets.written import utc_day, whole_number

# The public schema.
COLUMNS = (
    *("event_time", "event_type", "product_id", "category_id", "category_code"),
    *("brand", "price", "user_id", "user_session"),
)
KEPT_EVENT_TYPES = ("cart", "purchase")
EVENT_KEY = ("user", "day", "event_type", "product_id", "price")


def _log(raw_files: list[Path]) -> Log:
    day, user, price = utc_day("event_time"), whole_number("user_id"), written_number("price", ".")
    return Log(
        files=tuple(raw_files),
        rows="read_csv($files, header = true, auto_detect = false, delim = ',', quote = '\"', "
        f"columns = $columns, {rejects.STORE_REJECTS})",
        parameters={
            "files": [as_pattern(file) for file in raw_files],
            "columns": dict.fromkeys(COLUMNS, "VARCHAR"),
        },
        event_type="event_type",
        kept={name: name for name in KEPT_EVENT_TYPES},
        values={
            "user": user,
            "day": day,
            "product_id": "product_id",
            "category1": "coalesce(split_part(category_code, '.', 1), '')",
            "category2": "coalesce(split_part(category_code, '.', 2), '')",
            "category3": "coalesce(split_part(category_code, '.', 3), '')",
            "brand": "coalesce(brand, '')",
            "price": price,
        },
        faults={
            "user_missing": "coalesce(trim(user_id), '') = ''",
            "user_not_a_number": f"({user}) IS NULL",
            "product_missing": "coalesce(product_id, '') = ''",
            **day_faults(day),
            **number_faults("price", f"({price})"),
        },
        shown=COLUMNS,
        layout=CsvLayout(","),
    )


def raw_files(raw_directory: Path) -> list[Path]:
    """Give the CSV files, in the order of their names, after a look at each one's header.

    Raises
    ------
    OfferbenchError
        If there is none, one is there twice, or is not of the public schema.
    """
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
        check_header(file)
    return found


def check_header(file: Path) -> None:
    """Refuse a file whose first line is not the public header: DuckDB reads columns by their place.

    Raises
    ------
    OfferbenchError
        Gives the line and the header.
    """
    first = first_line(file).strip()
    if first != ",".join(COLUMNS):
        raise OfferbenchError(
            f"{file}: starts with {first[:80]!r}. Every file needs the header {','.join(COLUMNS)}."
        )


def read_events(connection: duckdb.DuckDBPyConnection, raw_directory: Path) -> ReadCounts:
    """Make the canonical table `events` of carts and purchases; other event types are counted.

    A time without an offset is in UTC, and days are UTC's. A row that can't be parsed is rejected and
    counted, so is a cart or purchase without user, product, time or price, and an event of the border day
    of two files that both have. `category_code` splits on `.`; its first three levels are features.

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
    files = raw_files(raw_directory)
    log = _log(files)
    with _explained(raw_directory, log):
        stage_events(connection, log)
        settle_repeated_events(connection, files, EVENT_KEY)
        return finish_events(connection, log, str(raw_directory))


def read_file(connection: duckdb.DuckDBPyConnection, file: Path, repeated: Sequence[int] = ()) -> ReadCounts:
    """Make the canonical table `events` of one of the files, as `read_events` would of its rows.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the table.
    file : Path
        One of `raw_files`.
    repeated : sequence of int
        Numbers of events, from 0 in the order of their rows, that are rejected: another file has them.

    Returns
    -------
    ReadCounts
        For `whole_log`.

    Raises
    ------
    OfferbenchError
        If the file can't be read or unpacked.
    """
    log = _log([file])
    with _explained(file.parent, log):
        stage_events(connection, log)
        if repeated:
            reject_events(connection, repeated)
        return finish_part(connection, log)


def whole(parts: Sequence[ReadCounts], raw_directory: Path) -> ReadCounts:
    """Put the counts of all files together, in their order; see `whole_log`."""
    return whole_log(parts, {name: name for name in KEPT_EVENT_TYPES}, (), str(raw_directory))


def _explained(raw_directory: Path, log: Log) -> AbstractContextManager[None]:
    advice = f"Fetch the files again; every file needs the header {','.join(COLUMNS)}."
    return explained(f"{raw_directory}: can't be read as REES46", advice, log.files, log.layout)

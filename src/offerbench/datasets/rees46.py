"""REES46: "eCommerce behavior data from multi category store", monthly CSV files.

Any number of `*.csv` and `*.csv.gz` files, read in the order of their names by DuckDB, which
streams them: no file is ever whole in memory.
"""

import gzip
from pathlib import Path

import duckdb

from offerbench.datasets.canonical import ReadCounts
from offerbench.errors import OfferbenchError

# The public schema, and how a field is read.
COLUMNS = {
    "event_time": "VARCHAR",
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


def _raw_files(raw_directory: Path) -> list[str]:
    found = sorted(str(path) for pattern in ("*.csv", "*.csv.gz") for path in raw_directory.glob(pattern))
    if not found:
        raise OfferbenchError(
            f"{raw_directory}: no *.csv or *.csv.gz file. Put the monthly files of REES46 there "
            "(2019-Oct.csv.gz, ...)."
        )
    for name in found:
        _check_header(Path(name))
    return found


def _check_header(file: Path) -> None:
    """Refuse a file whose first line is not the public header: DuckDB reads columns by their place."""
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as opened:
            first = opened.readline().decode("utf-8-sig", errors="replace").strip()
    except (OSError, EOFError) as error:
        raise OfferbenchError(f"{file}: can't be unpacked ({error}). Fetch the file again.") from None
    if first != ",".join(COLUMNS):
        raise OfferbenchError(
            f"{file}: starts with '{first[:80]}'. Every file needs the header {','.join(COLUMNS)}."
        )


def read_events(connection: duckdb.DuckDBPyConnection, raw_directory: Path) -> ReadCounts:
    """Make the canonical table `events` of carts and purchases; other event types are counted.

    A cart or purchase without user, product, time or price is left out and counted.
    `category_code` splits on `.`; its first three levels are features.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the table.
    raw_directory : Path
        Holds the CSV files.

    Raises
    ------
    OfferbenchError
        If there is no file, or one is not of the public schema.
    """
    raw_files = _raw_files(raw_directory)
    kept = ", ".join(f"'{event_type}'" for event_type in KEPT_EVENT_TYPES)
    # One pass over the files: a row that is not kept leaves its event type and NULLs, which take
    # next to no room in a column store, so that it can be counted afterwards.
    columns = {
        '"user"': "user_id",
        "day": "event_time[:10]::DATE - DATE '1970-01-01'",
        "product_id": "product_id",
        "category1": "coalesce(split_part(category_code, '.', 1), '')",
        "category2": "coalesce(split_part(category_code, '.', 2), '')",
        "category3": "coalesce(split_part(category_code, '.', 3), '')",
        "brand": "coalesce(brand, '')",
        "price": "price",
    }
    complete = " AND ".join(
        f"{name} IS NOT NULL" for name in ("user_id", "event_time", "product_id", "price")
    )
    selected = ", ".join(f"CASE WHEN is_kept THEN {value} END AS {name}" for name, value in columns.items())
    try:
        connection.execute(
            f"""
            CREATE TABLE staged AS
            SELECT event_type, is_kept AND {complete} AS is_event, {selected}
            FROM (SELECT *, event_type IN ({kept}) AS is_kept
                  FROM read_csv($files, header = true, auto_detect = false, delim = ',', quote = '"',
                                columns = $columns))
            """,
            {"files": raw_files, "columns": COLUMNS},
        )
        connection.execute(
            """
            CREATE TABLE events AS
            SELECT "user", day, event_type, product_id, category1, category2, category3, brand, price
            FROM staged WHERE is_event ORDER BY staged.rowid
            """
        )
        incomplete = connection.sql(
            f"SELECT count(*) FROM staged WHERE event_type IN ({kept}) AND is_event IS NOT TRUE"
        ).fetchall()[0][0]
        event_types = dict(
            connection.sql("SELECT event_type, count(*) FROM staged GROUP BY 1 ORDER BY 1").fetchall()
        )
        connection.execute("DROP TABLE staged")
    except duckdb.Error as error:
        raise OfferbenchError(
            f"{raw_directory}: can't be read as REES46. {error}\nEvery file needs the header "
            f"{','.join(COLUMNS)}."
        ) from None
    return ReadCounts(
        rows=sum(event_types.values()),
        event_types=event_types,
        left_out={
            f"event_type_{name}": count for name, count in event_types.items() if name not in KEPT_EVENT_TYPES
        }
        | ({"user_product_time_or_price_missing": incomplete} if incomplete else {}),
    )

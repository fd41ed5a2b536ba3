"""Rows of each event type of a log: how many, how many rejected, which left out by mistake."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import duckdb

from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.repeated_events import REPEATED


@dataclass(frozen=True)
class TypeCounts:
    """Rows by the log's own event types."""

    rows: dict[str, int]
    """Of each type, kept or not, those that could be parsed."""
    kept: dict[str, tuple[int, int]]
    """Of each type that is to be kept, there or not: rows, and how many of them are rejected; a field of a
    row that can't be parsed may say that it is of the type."""
    without_type: int
    """Rows without any type."""

    @property
    def left_out(self) -> dict[str, int]:
        """Rows of the types that are not kept, by reason."""
        return {f"event_type_{name}": count for name, count in self.rows.items() if name not in self.kept}


def count_types(
    connection: duckdb.DuckDBPyConnection,
    is_rejected: str,
    layout: CsvLayout | None,
    kept_types: Iterable[str],
) -> TypeCounts:
    """Count the rows of `staged` and those of `rejected` that could not be parsed.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds the tables, `rejected` before the faulty rows of `staged` are in it.
    is_rejected : str
        SQL condition of a row of `staged` that can't be used.
    layout : CsvLayout or None
        How the files are written, if they are CSV.
    kept_types : iterable of str
        The log's own event types that are kept.
    """
    types = connection.sql(
        f"""
        SELECT log_type, count(*), count(*) FILTER ({is_rejected} AND fault <> '{REPEATED}')
        FROM staged GROUP BY 1 ORDER BY 1
        """
    ).fetchall()
    rows_of = {name: rows for name, rows, _ in types}
    rejected_of = {name: rejected for name, _, rejected in types}
    kept = {}
    for name in sorted(kept_types):
        unparsed = _unparsed(connection, name, layout)
        kept[name] = (rows_of.get(name, 0) + unparsed, rejected_of.get(name, 0) + unparsed)
    return TypeCounts(
        {name: rows for name, rows in rows_of.items() if name is not None}, kept, rows_of.get(None, 0)
    )


def _unparsed(connection: duckdb.DuckDBPyConnection, name: str, layout: CsvLayout | None) -> int:
    if layout is None:
        return 0
    ((count,),) = connection.execute(
        """
        SELECT count(*) FROM rejected WHERE contains(
            $delimiter || replace(text, '"', '') || $delimiter, $delimiter || $name || $delimiter
        )
        """,
        {"delimiter": layout.delimiter, "name": name},
    ).fetchall()
    return int(count)


def nearly_kept(rows: Mapping[str, int], kept: Mapping[str, str]) -> Iterator[str]:
    """Give a warning for each event type that only capitals or blanks keep from being one that is used.

    Parameters
    ----------
    rows : mapping of str to int
        Rows of each of the log's types.
    kept : mapping of str to str
        Event type by the log's own.
    """
    alike = {_plain(name): name for name in kept}
    for name, count in rows.items():
        if name not in kept and _plain(name) in alike:
            yield (
                f"event type {name!r} is left out with {count:,} rows, but differs from "
                f"{alike[_plain(name)]!r} by capitals or blanks only"
            )


def _plain(name: str) -> str:
    return "".join(name.casefold().split())

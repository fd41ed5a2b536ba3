"""`custom.tables`: attributes of products, orders or users that are joined to the rows of a log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.canonical import identifier
from offerbench.datasets.config import Custom, Table
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.shop_log.columns import Use, Wanted
from offerbench.datasets.shop_log.files import LogFile, described, is_parquet
from offerbench.datasets.shop_log.rows import ReadColumn, Rows, rows_of_files
from offerbench.datasets.shop_log.values import Form
from offerbench.datasets.side_tables import execute

LOG = -1
"""Stands for the log among the numbers of the tables."""


@dataclass(frozen=True)
class TableFile:
    """A table of params.yaml and its file."""

    table: Table
    file: LogFile
    names: Mapping[str, str]
    """Name that params.yaml uses -> column of the file."""
    delimiter: str


def described_tables(
    connection: duckdb.DuckDBPyConnection, directory: Path, custom: Custom
) -> list[TableFile]:
    """Find the tables' files and their columns.

    Raises
    ------
    OfferbenchError
        If one is not there, can't be read or lacks a column: names the key.
    """
    tables = []
    for place, table in enumerate(custom.tables):
        key, path = f"custom.tables.{place}", directory / table.file
        if not path.exists():
            raise OfferbenchError(f"{key}.file: no file {path}. Put the table there, or correct the name.")
        delimiter = table.delimiter or custom.delimiter
        file = described(connection, path, delimiter, None)
        names = dict(table.columns) if table.columns is not None else {name: name for name in file.columns}
        for column in (table.key, *names.values()):
            if column not in file.columns:
                raise OfferbenchError(
                    f"{key}: {path} has no column '{column}'. It has {list(file.columns)}. Set the key in "
                    "params.yaml."
                )
        tables.append(TableFile(table, file, names, delimiter))
    return tables


def places(
    wanted: Mapping[Wanted, str], log_files: Sequence[LogFile], tables: Sequence[TableFile]
) -> dict[Wanted, int]:
    """Say where each wanted column is: in the log, or in which table.

    A column that no source has is left to the log, which then says what it has. A table's key that is
    called as in the log is the log's.

    Raises
    ------
    OfferbenchError
        If two sources have it, or a table's key is in a later table only.
    """
    found = {}
    for want, key in wanted.items():
        sources = [LOG] if want.column in log_files[0].columns else []
        sources += [
            number
            for number, table in enumerate(tables)
            if want.column in table.names
            and (want.column != table.table.key or (table.table.log_key or want.column) != want.column)
        ]
        if len(sources) > 1:
            files = [log_files[0].path if source == LOG else tables[source].file.path for source in sources]
            raise OfferbenchError(
                f"{key}: the column '{want.column}' is in {files[0]} and {files[1]}. Give that of a table "
                f"another name by custom.tables.{sources[-1]}.columns."
            )
        found[want] = sources[0] if sources else LOG
    for number, table in enumerate(tables):
        if found[_key(table)] >= number:
            raise OfferbenchError(
                f"custom.tables.{number}: its key '{_key(table).column}' is in a later table. Change their "
                "order."
            )
    return found


def _key(table: TableFile) -> Wanted:
    return Wanted(table.table.log_key or table.table.key, Use.TEXT)


def no_record(number: int) -> str:
    """Give the column that is true where a row has no record in table number `number`."""
    return f"no_record_{number}"


def joined_rows(
    connection: duckdb.DuckDBPyConnection,
    log: Rows,
    tables: Sequence[TableFile],
    wanted: Mapping[Wanted, str],
    places_of: Mapping[Wanted, int],
    names: Mapping[Wanted, str],
    form: Form,
) -> Rows:
    """Read the log and the tables into the database, and give the rows of the log with their records.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the tables `log_rows`, `table_0`, ...
    log : Rows
        The rows of the log.
    tables : sequence of TableFile
        The tables.
    wanted : mapping of Wanted to str
        All wanted columns, with the keys that name them.
    places_of : mapping of Wanted to int
        Where each is.
    names : mapping of Wanted to str
        Its name in the result.
    form : Form
        How fields are written.

    Raises
    ------
    OfferbenchError
        If a table can't be read, or a record is in it twice.
    """
    if not tables:
        return log
    for number, table in enumerate(tables):
        own = [want for want, place in places_of.items() if place == number]
        read = [ReadColumn(table.names[want.column], want.use, wanted[want], names[want]) for want in own]
        _read_table(connection, number, table, read, form)
    connection.execute(f"CREATE TEMP TABLE log_rows AS SELECT * FROM {log.sql}", log.parameters)
    source = {LOG: "log_rows"} | {number: f"table_{number}" for number in range(len(tables))}
    columns = ", ".join(f"{source[place]}.{names[want]}" for want, place in places_of.items())
    flags = "".join(f", table_{number}.key IS NULL AS {no_record(number)}" for number in range(len(tables)))
    keys = [f"{source[places_of[_key(table)]]}.{names[_key(table)]}" for table in tables]
    joins = "".join(
        f" LEFT JOIN table_{number} ON table_{number}.key = {key}" for number, key in enumerate(keys)
    )
    # A join may lose the order of the rows, which says which line of its file a row is.
    return Rows(f"(SELECT {columns}{flags}, file_index FROM log_rows{joins} ORDER BY log_rows.rowid)", {})


def _read_table(
    connection: duckdb.DuckDBPyConnection, number: int, table: TableFile, read: list[ReadColumn], form: Form
) -> None:
    key = ReadColumn(table.table.key, Use.TEXT, f"custom.tables.{number}.key", "key")
    rows = rows_of_files(connection, [table.file], [key, *read], form, table.delimiter, True)
    columns = ", ".join(["key", *(identifier(column.name) for column in read)])
    statement = f"CREATE TEMP TABLE table_{number} AS SELECT {columns} FROM {rows.sql} WHERE key IS NOT NULL"
    layout = CsvLayout(table.delimiter)
    if is_parquet(table.file.path):
        connection.execute(statement, rows.parameters)
    else:
        hint = "Correct the table, or set custom.tables to what it is."
        execute(connection, statement, rows.parameters, table.file.path, layout, hint)
    twice = connection.execute(
        f"SELECT key FROM table_{number} GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
    ).fetchall()
    if twice:
        raise OfferbenchError(
            f"{table.file.path}: {table.table.key} {twice[0][0]!r} appears twice. A record may be there "
            "once: remove one of the two."
        )

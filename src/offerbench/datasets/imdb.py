"""The tables of IMDB about rated films and their people.

They have up to 90 million rows. DuckDB streams each once and keeps what belongs to a rated film. An error
in what is kept is refused: a film without its director would be counted as any other.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.faults import first_fault
from offerbench.datasets.raw_files import as_pattern, existing, first_line
from offerbench.datasets.side_tables import STORE_REJECTS, execute, line_without
from offerbench.datasets.written import not_whole

LAYOUT = CsvLayout("\t", is_quoted=False)
HINT = "Put title.basics, title.principals, title.crew and name.basics of IMDB there (.tsv or .tsv.gz)."
MISSING = (b"", rb"\N")


@dataclass(frozen=True)
class Table:
    """What is kept of a file."""

    columns: tuple[str, ...]
    """Columns of the file that are read; the first is its key."""
    name: str
    condition: str
    """Of the rows that are kept."""
    faults: Mapping[str, str]
    """What is wrong with a row that is kept -> SQL condition."""


_RATED = "tconst IN (SELECT tconst FROM rated)"
_SECOND = "count(*) OVER (PARTITION BY {}) > 1"
TABLES = {
    "title.basics.tsv": Table(
        ("tconst", "titleType", "primaryTitle", "startYear", "runtimeMinutes", "genres"),
        "imdb_titles",
        _RATED,
        {
            "has two records": _SECOND.format("tconst"),
            "startYear is not a number": not_whole("startYear"),
            "runtimeMinutes is not a number": not_whole("runtimeMinutes"),
        },
    ),
    "title.principals.tsv": Table(
        ("tconst", "nconst", "category"),
        "principals",
        f"category IN ('actor', 'actress') AND {_RATED}",
        {"has an actor without nconst": "coalesce(nconst, '') = ''"},
    ),
    "title.crew.tsv": Table(
        ("tconst", "directors"),
        "crew",
        _RATED,
        {
            "has two records": _SECOND.format("tconst"),
            "directors has an empty name": "list_contains(string_split(directors, ','), '')",
        },
    ),
    "name.basics.tsv": Table(
        ("nconst", "primaryName"),
        "names",
        "nconst IN (SELECT nconst FROM actors UNION ALL SELECT nconst FROM directors)",
        {"has two records": _SECOND.format("nconst")},
    ),
}


def files(raw_directory: Path) -> dict[str, Path]:
    """Give the files, plain or packed, and refuse one that is missing or is there twice."""
    return {name: _plain_or_packed(raw_directory / name) for name in TABLES}


def _plain_or_packed(file: Path) -> Path:
    packed = file.with_name(f"{file.name}.gz")
    if not packed.exists():
        return existing(file, HINT)
    if file.exists():
        raise OfferbenchError(f"{file}: is there a second time as {packed}. Remove one of the two.")
    return existing(packed, HINT)


def header(file: Path, delimiter: str, needed: tuple[str, ...]) -> list[str]:
    """Give the names of a file's columns, and refuse a file that lacks one or names one twice."""
    first = first_line(file)
    # IMDB's files have no quotes, those of MovieLens may have them around any field.
    names = next(csv.reader([first]), []) if delimiter == "," else first.split(delimiter)
    if missing := [name for name in needed if name not in names]:
        raise OfferbenchError(
            f"{file}: the first line, {first[:80]!r}, lacks the columns {missing}. Fetch the file again."
        )
    if len(set(names)) != len(names):
        raise OfferbenchError(f"{file}: the first line names a column twice. Fetch the file again.")
    return names


def read_tables(connection: duckdb.DuckDBPyConnection, imdb_files: Mapping[str, Path]) -> None:
    """Make the tables `imdb_titles`, `actors`, `directors` (tconst, role, nconst) and `names`.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds `rated` (tconst).
    imdb_files : mapping of str to Path
        Of `files`.

    Raises
    ------
    OfferbenchError
        If a file is damaged, has another layout, has nothing about rated films, or a row that is kept
        is bad.
    """
    _read(connection, "title.basics.tsv", imdb_files["title.basics.tsv"])
    _read(connection, "title.principals.tsv", imdb_files["title.principals.tsv"])
    connection.execute(
        "CREATE TEMP TABLE actors AS SELECT DISTINCT tconst, 'actor' AS role, nconst FROM principals"
    )
    _read(connection, "title.crew.tsv", imdb_files["title.crew.tsv"])
    connection.execute(
        """
        CREATE TEMP TABLE directors AS
        SELECT DISTINCT tconst, 'director' AS role, unnest(string_split(directors, ',')) AS nconst FROM crew
        """
    )
    _read(connection, "name.basics.tsv", imdb_files["name.basics.tsv"])


def _read(connection: duckdb.DuckDBPyConnection, name: str, file: Path) -> None:
    """Make the table of what a file says about rated films or their people."""
    table = TABLES[name]
    key = table.columns[0]
    names = header(file, "\t", table.columns)
    # A row without its key may belong to any film: it is kept to be refused.
    execute(
        connection,
        f"""
        CREATE TEMP TABLE {table.name} AS
        WITH imdb AS NOT MATERIALIZED (
            SELECT {", ".join(table.columns)}
            FROM read_csv($file, header = true, auto_detect = false, delim = '\t', quote = '', escape = '',
                          nullstr = '\\N', columns = $columns, {STORE_REJECTS})
        )
        SELECT * FROM imdb WHERE coalesce({key}, '') = '' OR ({table.condition})
        """,
        {"file": as_pattern(file), "columns": dict.fromkeys(names, "VARCHAR")},
        file,
        LAYOUT,
        HINT,
    )
    faults = {"": f"coalesce({key}, '') = ''", **table.faults}
    first = connection.sql(
        f"""
        SELECT {key}, fault FROM (SELECT {key}, {first_fault(faults)} AS fault FROM {table.name})
        WHERE fault IS NOT NULL ORDER BY fault, {key} LIMIT 1
        """
    ).fetchall()
    for value, fault in first:
        if not fault:
            line = line_without(file, names.index(key), MISSING)
            raise OfferbenchError(f"{file}: line {line}: has no {key}. {HINT}")
        raise OfferbenchError(f"{file}: {value}: {fault}. {HINT}")
    if not connection.sql(f"SELECT 1 FROM {table.name} LIMIT 1").fetchall():
        raise OfferbenchError(f"{file}: no row belongs to a rated film. {HINT}")

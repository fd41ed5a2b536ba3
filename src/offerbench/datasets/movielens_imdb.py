"""MovieLens-20M, 25M or 32M joined with IMDB: films by title, type, genre, actor, director.

The IMDB tables have up to 90 million rows. DuckDB streams each once and keeps what belongs to a
rated film.
"""

import gzip
from pathlib import Path

import duckdb

from offerbench.datasets.canonical import ReadCounts
from offerbench.datasets.movielens_ratings import (
    RATINGS_COLUMNS,
    execute,
    existing,
    filled_with_median,
    one_tag,
    unique_title,
    write_events,
)
from offerbench.errors import OfferbenchError

MOVIELENS_COLUMNS = {
    "ratings.csv": ("userId", "movieId", "rating", "timestamp"),
    "links.csv": ("movieId", "imdbId", "tmdbId"),
}
IMDB_COLUMNS = {
    "title.basics.tsv": ("tconst", "titleType", "primaryTitle", "startYear", "runtimeMinutes", "genres"),
    "title.principals.tsv": ("tconst", "nconst", "category"),
    "title.crew.tsv": ("tconst", "directors"),
    "name.basics.tsv": ("nconst", "primaryName"),
}
# What is kept of each IMDB file: the table's name and its query over the file's rows, `imdb`.
KEPT = {
    "title.basics.tsv": (
        "imdb_titles",
        """
        SELECT DISTINCT ON (tconst) * FROM imdb WHERE tconst IN (SELECT tconst FROM rated) ORDER BY ALL
        """,
    ),
    "title.principals.tsv": (
        "actors",
        """
        SELECT DISTINCT tconst, 'actor' AS role, nconst FROM imdb
        WHERE category IN ('actor', 'actress') AND nconst IS NOT NULL
              AND tconst IN (SELECT tconst FROM rated)
        """,
    ),
    "title.crew.tsv": (
        "directors",
        """
        SELECT DISTINCT tconst, 'director' AS role, unnest(string_split(directors, ',')) AS nconst
        FROM imdb WHERE tconst IN (SELECT tconst FROM rated)
        """,
    ),
    "name.basics.tsv": (
        "names",
        """
        SELECT nconst, min(primaryName) AS name FROM imdb
        WHERE nconst IN (SELECT nconst FROM actors UNION ALL SELECT nconst FROM directors)
        GROUP BY nconst
        """,
    ),
}
FEATURES = ("film", "title_type", "genre", "actor", "director", "runtime", "year")
MOVIELENS_HINT = "Put ratings.csv and links.csv of MovieLens-20M, 25M or 32M there as they are."
IMDB_HINT = "Put title.basics, title.principals, title.crew and name.basics of IMDB there (.tsv or .tsv.gz)."


def read_events(connection: duckdb.DuckDBPyConnection, raw_directory: Path) -> ReadCounts:
    """Make the canonical table `events` of the ratings of at least 4.

    Its feature columns are `film` (title with year), `title_type`, `genre` (one of the film's, chosen
    at random with a fixed seed), `actor` and `director` (the film's most popular), `runtime`
    (minutes, DOUBLE) and `year` (DOUBLE); a missing text is empty, a missing number the median.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the table.
    raw_directory : Path
        Holds the MovieLens and IMDB files.

    Raises
    ------
    OfferbenchError
        If a file is missing, damaged or has another layout.
    """
    movielens = {name: existing(raw_directory / name, MOVIELENS_HINT) for name in MOVIELENS_COLUMNS}
    imdb = {name: _plain_or_packed(raw_directory / name) for name in IMDB_COLUMNS}
    headers = {file: _header(file, ",", MOVIELENS_COLUMNS[name]) for name, file in movielens.items()}
    headers |= {file: _header(file, "\t", IMDB_COLUMNS[name]) for name, file in imdb.items()}
    for name, file in movielens.items():
        if headers[file] != list(MOVIELENS_COLUMNS[name]):
            raise OfferbenchError(
                f"{file}: needs the header {','.join(MOVIELENS_COLUMNS[name])}. {MOVIELENS_HINT}"
            )
    _read_ratings(connection, movielens["ratings.csv"], movielens["links.csv"])
    for name, file in imdb.items():
        _read_imdb(connection, name, file, headers[file])
    _choose_people(connection)
    _describe_films(connection)
    return write_events(
        connection,
        FEATURES,
        {"film_without_link": "films.tconst IS NULL", "film_without_imdb_title": "films.film IS NULL"},
        movielens["ratings.csv"],
    )


def _plain_or_packed(file: Path) -> Path:
    packed = file.with_name(f"{file.name}.gz")
    return packed if packed.is_file() and not file.is_file() else existing(file, IMDB_HINT)


def _header(file: Path, delimiter: str, needed: tuple[str, ...]) -> list[str]:
    """Give the names of a file's columns, and refuse a file that lacks one."""
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as opened:
            first = opened.readline(10_000).decode("utf-8-sig", errors="replace").rstrip("\r\n")
    except (OSError, EOFError) as error:
        raise OfferbenchError(f"{file}: can't be unpacked ({error}). Fetch the file again.") from None
    names = first.split(delimiter)
    if missing := [name for name in needed if name not in names]:
        raise OfferbenchError(
            f"{file}: the first line, '{first[:80]}', lacks the columns {missing}. Fetch the file again."
        )
    if len(set(names)) != len(names):
        raise OfferbenchError(f"{file}: the first line names a column twice. Fetch the file again.")
    return names


def _read_ratings(connection: duckdb.DuckDBPyConnection, ratings: Path, links: Path) -> None:
    """Make the tables `ratings`, `links` (movie_id, tconst) and `rated` (tconst, popularity)."""
    read = "FROM read_csv($file, header = true, auto_detect = false, columns = $columns)"
    execute(
        connection,
        f"CREATE TABLE ratings AS SELECT * {read}",
        {"file": str(ratings), "columns": RATINGS_COLUMNS},
        ratings,
        MOVIELENS_HINT,
    )
    execute(
        connection,
        f"""
        CREATE TEMP TABLE links AS
        SELECT movie_id, min('tt' || format('{{:07d}}', imdb_number)) AS tconst {read}
        WHERE movie_id IS NOT NULL AND imdb_number IS NOT NULL GROUP BY movie_id
        """,
        {
            "file": str(links),
            "columns": {"movie_id": "BIGINT", "imdb_number": "BIGINT", "tmdb_id": "VARCHAR"},
        },
        links,
        MOVIELENS_HINT,
    )
    connection.execute(
        """
        CREATE TEMP TABLE rated AS
        SELECT tconst, count(*) AS popularity FROM ratings JOIN links USING (movie_id) GROUP BY tconst
        """
    )


def _read_imdb(connection: duckdb.DuckDBPyConnection, name: str, file: Path, header: list[str]) -> None:
    """Make the table of what an IMDB file says about rated films and their people, see KEPT."""
    table, selection = KEPT[name]
    execute(
        connection,
        f"""
        CREATE TEMP TABLE {table} AS
        WITH imdb AS NOT MATERIALIZED (
            SELECT {", ".join(IMDB_COLUMNS[name])}
            FROM read_csv($file, header = true, auto_detect = false, delim = '\t', quote = '', escape = '',
                          nullstr = '\\N', columns = $columns)
        )
        {selection}
        """,
        {"file": str(file), "columns": dict.fromkeys(header, "VARCHAR")},
        file,
        f"Fetch the file again. {IMDB_HINT}",
    )


def _choose_people(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table `chosen` (tconst, role, name): of each film the person whose films have most ratings.

    A person's popularity in a role counts all ratings, also those below 4; ties go to the lower
    identifier. A person without a record goes by the identifier.
    """
    connection.execute(
        """
        CREATE TEMP TABLE chosen AS
        WITH appearances AS (SELECT * FROM actors UNION ALL SELECT * FROM directors),
        popular AS (
            SELECT tconst, role, nconst, sum(popularity) OVER (PARTITION BY role, nconst) AS ratings
            FROM appearances JOIN rated USING (tconst)
        )
        SELECT tconst, role, coalesce(name, nconst) AS name
        FROM popular LEFT JOIN names USING (nconst)
        QUALIFY row_number() OVER (PARTITION BY tconst, role ORDER BY ratings DESC, nconst) = 1
        """
    )


def _describe_films(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table `films`: for each linked film its features, none where IMDB has no title."""
    dated = "coalesce(primaryTitle || coalesce(' (' || startYear || ')', ''), tconst)"
    connection.execute(
        f"""
        CREATE TABLE films AS
        WITH numbered AS (
            SELECT *, {dated} AS dated_title, try_cast(startYear AS INTEGER) AS released,
                   try_cast(runtimeMinutes AS INTEGER) AS minutes
            FROM imdb_titles
        ),
        described AS (
            SELECT tconst, {unique_title("dated_title", "tconst")} AS film,
                   coalesce(titleType, '') AS title_type,
                   {one_tag("string_split(genres, ',')", "tconst")} AS genre,
                   {filled_with_median("minutes")} AS runtime, {filled_with_median("released")} AS year
            FROM numbered
        )
        SELECT movie_id, links.tconst, described.* EXCLUDE (tconst),
               coalesce(stars.name, '') AS actor, coalesce(makers.name, '') AS director
        FROM links LEFT JOIN described USING (tconst)
        LEFT JOIN (FROM chosen WHERE role = 'actor') stars USING (tconst)
        LEFT JOIN (FROM chosen WHERE role = 'director') makers USING (tconst)
        """
    )

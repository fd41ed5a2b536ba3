"""MovieLens-20M, 25M or 32M joined with IMDB: films by title, type, genre, actor, director."""

from pathlib import Path

import duckdb

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import imdb
from offerbench.datasets.canonical import ReadCounts
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.movielens_ratings import (
    filled_with_median,
    one_tag,
    read_ratings,
    refuse_unusable_ratings,
    unique_title,
    write_events,
)
from offerbench.datasets.raw_files import as_pattern, existing
from offerbench.datasets.side_tables import STORE_REJECTS, execute, refuse_faulty_rows, repeats
from offerbench.datasets.written import not_whole, whole_number

MOVIELENS_COLUMNS = {
    "ratings.csv": ("userId", "movieId", "rating", "timestamp"),
    "links.csv": ("movieId", "imdbId", "tmdbId"),
}
LAYOUT = CsvLayout(",")
LINKS_COLUMNS = ("movie_id", "imdb_number", "tmdb_id")
LINKS_FAULTS = {
    "no movieId": "coalesce(trim(movie_id), '') = ''",
    "movieId is not a number": not_whole("movie_id"),
    "imdbId is not a number": not_whole("imdb_number"),
    "movieId appears twice": repeats("TRY_CAST(movie_id AS BIGINT)", "raw_links"),
}
FEATURES = ("film", "title_type", "genre", "actor", "director", "runtime", "year")
MOVIELENS_HINT = "Put ratings.csv and links.csv of MovieLens-20M, 25M or 32M there as they are."


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
    imdb_files = imdb.files(raw_directory)
    for name, file in movielens.items():
        if imdb.header(file, ",", MOVIELENS_COLUMNS[name]) != list(MOVIELENS_COLUMNS[name]):
            raise OfferbenchError(
                f"{file}: needs the header {','.join(MOVIELENS_COLUMNS[name])}. {MOVIELENS_HINT}"
            )
    for name, file in imdb_files.items():
        imdb.header(file, "\t", imdb.TABLES[name].columns)
    read_ratings(connection, movielens["ratings.csv"], LAYOUT, MOVIELENS_HINT)
    refuse_unusable_ratings(connection, movielens["ratings.csv"], LAYOUT, MOVIELENS_HINT)
    _read_links(connection, movielens["links.csv"])
    imdb.read_tables(connection, imdb_files)
    _choose_people(connection)
    _describe_films(connection)
    return write_events(
        connection,
        FEATURES,
        {"film_without_link": "films.tconst IS NULL", "film_without_imdb_title": "films.film IS NULL"},
        movielens["ratings.csv"],
        LAYOUT,
    )


def _read_links(connection: duckdb.DuckDBPyConnection, links: Path) -> None:
    """Make the tables `links` (movie_id, tconst) and `rated` (tconst, popularity)."""
    execute(
        connection,
        f"""
        CREATE TEMP TABLE raw_links AS
        SELECT * FROM read_csv($file, header = true, auto_detect = false, quote = '"', columns = $columns,
                               {STORE_REJECTS})
        """,
        {"file": as_pattern(links), "columns": dict.fromkeys(LINKS_COLUMNS, "VARCHAR")},
        links,
        LAYOUT,
        MOVIELENS_HINT,
    )
    refuse_faulty_rows(connection, "raw_links", LINKS_FAULTS, links, LAYOUT, MOVIELENS_HINT)
    connection.execute(
        f"""
        CREATE TEMP TABLE links AS
        SELECT {whole_number("movie_id")} AS movie_id,
               'tt' || format('{{:07d}}', {whole_number("imdb_number")}) AS tconst
        FROM raw_links WHERE imdb_number IS NOT NULL
        """
    )
    connection.execute(
        """
        CREATE TEMP TABLE rated AS
        SELECT tconst, count(*) AS popularity FROM ratings JOIN links USING (movie_id) GROUP BY tconst
        """
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
        SELECT tconst, role, coalesce(primaryName, nconst) AS name
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

"""MovieLens-100k: 100,000 ratings of 1,682 films; `u.data` and `u.item` of 1998, or RecBole's files.

A film's title, one of its genres and the year of its release; the data set has no more.
"""

from pathlib import Path

import duckdb

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import movielens_recbole
from offerbench.datasets.canonical import ReadCounts
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.movielens_ratings import (
    filled_with_median,
    one_tag,
    read_ratings,
    unique_title,
    write_events,
)
from offerbench.datasets.raw_files import as_pattern, existing
from offerbench.datasets.side_tables import STORE_REJECTS, execute, refuse_faulty_rows, repeats
from offerbench.datasets.written import whole_number

# The last 19 fields of u.item, in their order: 1 where the film is of the genre.
GENRES = (
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)
ITEM_COLUMNS = {
    "movie_id": "VARCHAR",
    "title": "VARCHAR",
    "release_date": "VARCHAR",
    "video_release_date": "VARCHAR",
    "url": "VARCHAR",
} | {f"is_genre_{place}": "VARCHAR" for place in range(len(GENRES))}
FEATURES = ("film", "genre", "year")
RATINGS_LAYOUT = CsvLayout("\t", is_quoted=False, has_header=False)
ITEMS_LAYOUT = CsvLayout("|", is_quoted=False, has_header=False)
ITEM_FAULTS = {
    "no number of the film": f"({whole_number('movie_id')}) IS NULL",
    "the film's number appears twice": repeats("TRY_CAST(movie_id AS BIGINT)", "items"),
    "a genre that is neither 0 nor 1": " OR ".join(
        f"coalesce(is_genre_{place} NOT IN ('0', '1'), true)" for place in range(len(GENRES))
    ),
    "a date without a year": "release_date IS NOT NULL AND NOT regexp_matches(release_date, '[0-9]{4}$')",
}
HINT = "Put u.data and u.item of MovieLens-100k there as they are, or run `offerbench fetch`."
WITHOUT_FILM = {"film_without_record": "films.film IS NULL"}


def read_events(connection: duckdb.DuckDBPyConnection, raw_directory: Path) -> ReadCounts:
    """Make the canonical table `events` of the ratings of at least 4.

    Its feature columns are `film` (title with year), `genre` (one of the film's, chosen at random
    with a fixed seed) and `year` (of release, DOUBLE).

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the table.
    raw_directory : Path
        Holds `u.data` and `u.item`, or `ml-100k.inter` and `ml-100k.item` of RecBole.

    Raises
    ------
    OfferbenchError
        If a file is missing, there are ratings of both layouts, or a line of the films is bad.
    """
    recbole = raw_directory / movielens_recbole.RATINGS
    if recbole.exists():
        if (raw_directory / "u.data").exists():
            raise OfferbenchError(f"{recbole}: is there a second time as u.data. Remove one of the two.")
        return _read_recbole(connection, recbole, raw_directory / movielens_recbole.FILMS)
    ratings = existing(raw_directory / "u.data", HINT)
    items = existing(raw_directory / "u.item", HINT)
    read_ratings(connection, ratings, RATINGS_LAYOUT, HINT)
    _read_films(connection, items)
    return write_events(connection, FEATURES, WITHOUT_FILM, ratings, RATINGS_LAYOUT)


def _read_recbole(connection: duckdb.DuckDBPyConnection, ratings: Path, films: Path) -> ReadCounts:
    layout, hint = movielens_recbole.LAYOUT, movielens_recbole.HINT
    existing(ratings, hint)
    existing(films, hint)
    movielens_recbole.check_header(ratings)
    read_ratings(connection, ratings, layout, hint)
    movielens_recbole.read_films(connection, films, GENRES)
    return write_events(connection, FEATURES, WITHOUT_FILM, ratings, layout)


def _read_films(connection: duckdb.DuckDBPyConnection, items: Path) -> None:
    """Make the table `films`."""
    flags = ", ".join(
        f"CASE WHEN is_genre_{place} = '1' THEN '{name.replace(chr(39), chr(39) * 2)}' END"
        for place, name in enumerate(GENRES)
    )
    tags = f"list_filter([{flags}], lambda tag: tag IS NOT NULL)"
    execute(
        connection,
        f"""
        CREATE TEMP TABLE items AS
        SELECT * FROM read_csv($file, header = false, auto_detect = false, delim = '|', quote = '',
                               escape = '', encoding = 'latin-1', columns = $columns, {STORE_REJECTS})
        """,
        {"file": as_pattern(items), "columns": ITEM_COLUMNS},
        items,
        ITEMS_LAYOUT,
        f"Every line needs {len(ITEM_COLUMNS)} fields separated by |, in latin-1. {HINT}",
    )
    refuse_faulty_rows(connection, "items", ITEM_FAULTS, items, ITEMS_LAYOUT, HINT)
    connection.execute(
        f"""
        CREATE TABLE films AS
        WITH dated AS (
            SELECT * REPLACE (movie_id::BIGINT AS movie_id), nullif(trim(title), '') AS name,
                   try_cast(regexp_extract(release_date, '[0-9]{{4}}$') AS INTEGER) AS released
            FROM items
        )
        SELECT movie_id, {unique_title("name", "movie_id::VARCHAR")} AS film,
               {one_tag(tags, "movie_id::VARCHAR")} AS genre, {filled_with_median("released")} AS year
        FROM dated
        """
    )

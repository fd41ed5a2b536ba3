"""MovieLens-100k in RecBole's layout, as its PyPI package has it: `ml-100k.inter` and `ml-100k.item`.

The ratings are those of `u.data`. The films have the title without its year, the year, and the genres in one
field, separated by blanks.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from offerbench.core.errors import OfferbenchError
from offerbench.datasets.canonical import is_one_of
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.movielens_ratings import filled_with_median, one_tag, unique_title
from offerbench.datasets.raw_files import as_pattern, first_line
from offerbench.datasets.side_tables import STORE_REJECTS, execute, refuse_faulty_rows, repeats
from offerbench.datasets.written import whole_number

RATINGS, FILMS = "ml-100k.inter", "ml-100k.item"
LAYOUT = CsvLayout("\t", is_quoted=False)
HEADERS = {
    RATINGS: ("user_id:token", "item_id:token", "rating:float", "timestamp:float"),
    FILMS: ("item_id:token", "movie_title:token_seq", "release_year:token", "class:token_seq"),
}
FILM_COLUMNS = ("movie_id", "title", "release_year", "genres")
HINT = "Move ml-100k.inter and ml-100k.item away and run `offerbench fetch` to fetch them again."


def check_header(file: Path) -> None:
    """Refuse a file whose first line is not RecBole's: columns are read by their place.

    Raises
    ------
    OfferbenchError
        Names the line, and the one that is needed.
    """
    if (first := first_line(file)) != "\t".join(HEADERS[file.name]):
        raise OfferbenchError(
            f"{file}: starts with {first[:80]!r} in place of {' '.join(HEADERS[file.name])}. {HINT}"
        )


def read_films(connection: duckdb.DuckDBPyConnection, file: Path, genres: Sequence[str]) -> None:
    """Make the table `films` with movie_id, film, genre and year.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the table.
    file : Path
        `ml-100k.item`.
    genres : sequence of str
        The genres there are.

    Raises
    ------
    OfferbenchError
        If it can't be read, or a line of it is bad.
    """
    check_header(file)
    tags = "list_filter(string_split(coalesce(genres, ''), ' '), lambda tag: tag <> '')"
    unknown = f"len(list_filter({tags}, lambda tag: NOT {is_one_of('tag', genres)})) > 0"
    faults = {
        "no number of the film": f"({whole_number('movie_id')}) IS NULL",
        "the film's number appears twice": repeats("TRY_CAST(movie_id AS BIGINT)", "items"),
        "a genre that MovieLens does not have": unknown,
        "a year that is none": "regexp_matches(release_year, '[0-9]') "
        "AND NOT regexp_full_match(release_year, '[0-9]{4}')",
    }
    execute(
        connection,
        f"""
        CREATE TEMP TABLE items AS
        SELECT * FROM read_csv($file, header = true, auto_detect = false, delim = '\t', quote = '',
                               escape = '', columns = $columns, {STORE_REJECTS})
        """,
        {"file": as_pattern(file), "columns": dict.fromkeys(FILM_COLUMNS, "VARCHAR")},
        file,
        LAYOUT,
        f"Every line needs {len(FILM_COLUMNS)} fields separated by tabs. {HINT}",
    )
    refuse_faulty_rows(connection, "items", faults, file, LAYOUT, HINT)
    connection.execute(
        f"""
        CREATE TABLE films AS
        WITH dated AS (
            SELECT movie_id::BIGINT AS movie_id, try_cast(release_year AS INTEGER) AS released, genres,
                   nullif(trim(title), '') || coalesce(' (' || released || ')', '') AS name
            FROM items
        )
        SELECT movie_id, {unique_title("name", "movie_id::VARCHAR")} AS film,
               {one_tag(tags, "movie_id::VARCHAR")} AS genre, {filled_with_median("released")} AS year
        FROM dated
        """
    )

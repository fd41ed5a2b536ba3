"""What the MovieLens readers share: good ratings become events, one tag is chosen of a film's many."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import rejects
from offerbench.datasets.canonical import ReadCounts
from offerbench.datasets.csv_blocks import CsvLayout
from offerbench.datasets.faults import first_fault
from offerbench.datasets.raw_files import as_pattern
from offerbench.datasets.reading import explained
from offerbench.datasets.row_counts import count_rows, refuse_lost_rows
from offerbench.datasets.shop_log.values import written_number
from offerbench.datasets.written import not_whole, whole_number

EVENT_TYPE = "rating"
MIN_RATING = 4.0
"""A rating of at least so many stars is an event."""
TAG_SEED = 1729
"""Seed of the choice of one tag of a film."""
# MovieLens began in 1995. An earlier time is one whose end is cut off, a later one is in milliseconds.
FIRST_SECOND = 788_918_400
LAST_SECOND = 4_102_444_799

RATINGS_COLUMNS = ("user_id", "movie_id", "stars", "second")
FAULTS = {
    "user_missing": "coalesce(trim(user_id), '') = ''",
    "user_not_a_number": not_whole("user_id"),
    "film_missing": "coalesce(trim(movie_id), '') = ''",
    "film_not_a_number": not_whole("movie_id"),
    "rating_missing_or_not_a_number": f"({written_number('stars', '.')}) IS NULL",
    "rating_below_0.5_or_above_5": f"({written_number('stars', '.')}) NOT BETWEEN 0.5 AND 5",
    "time_missing_or_unreadable": f"({whole_number('second')}) IS NULL",
    "time_before_1995_or_after_2099": (
        f"({whole_number('second')}) NOT BETWEEN {FIRST_SECOND} AND {LAST_SECOND}"
    ),
}
REPEATED = "user_rated_the_film_before"


def read_ratings(connection: duckdb.DuckDBPyConnection, file: Path, layout: CsvLayout, hint: str) -> None:
    """Make the table `ratings` of those that can be used, in file order, and `rejected` of the others.

    MovieLens has one rating of a film by a user. A further one in the file is rejected.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Gets the tables.
    file : Path
        Of four columns: user, film, rating, time.
    layout : CsvLayout
        How it is written.
    hint : str
        What the user shall do about a file that can't be read.

    Raises
    ------
    OfferbenchError
        If the file can't be read or has no row.
    """
    expected = count_rows([file], layout)
    quote = '"' if layout.is_quoted else ""
    with explained(f"{file}: can't be read", hint, [file], layout):
        connection.execute(
            f"""
            CREATE TABLE ratings AS
            SELECT {whole_number("user_id")} AS user_id, {whole_number("movie_id")} AS movie_id,
                   {written_number("stars", ".")} AS stars, {whole_number("second")} AS second,
                   {first_fault(FAULTS)} AS fault
            FROM read_csv($file, header = $header, auto_detect = false, delim = $delimiter, quote = $quote,
                          escape = $quote, columns = $columns, {rejects.STORE_REJECTS})
            """,
            {
                "file": as_pattern(file),
                "columns": dict.fromkeys(RATINGS_COLUMNS, "VARCHAR"),
                "header": layout.has_header,
                "delimiter": layout.delimiter,
                "quote": quote,
            },
        )
    rejects.create_table(connection)
    rejects.add_unparsed(connection, {}, [file], layout)
    read = connection.sql(
        "SELECT (SELECT count(*) FROM ratings) + (SELECT count(*) FROM rejected)"
    ).fetchall()
    refuse_lost_rows([file], expected, {0: read[0][0]})
    connection.execute(
        f"""
        UPDATE ratings SET fault = '{REPEATED}' WHERE rowid IN (
            SELECT rowid FROM ratings
            SEMI JOIN (SELECT user_id, movie_id FROM ratings WHERE fault IS NULL
                       GROUP BY ALL HAVING count(*) > 1) USING (user_id, movie_id)
            WHERE fault IS NULL
            QUALIFY row_number() OVER (PARTITION BY user_id, movie_id ORDER BY rowid) > 1
        )
        """
    )
    connection.execute(
        """
        INSERT INTO rejected
        SELECT 0, NULL, NULL, rowid, fault, '' FROM ratings WHERE fault IS NOT NULL ORDER BY rowid
        """
    )
    connection.execute("DELETE FROM ratings WHERE fault IS NOT NULL")
    if not connection.sql("SELECT 1 FROM ratings UNION ALL SELECT 1 FROM rejected LIMIT 1").fetchall():
        raise OfferbenchError(f"{file}: no row. {hint}")


def refuse_unusable_ratings(
    connection: duckdb.DuckDBPyConnection, file: Path, layout: CsvLayout, hint: str
) -> None:
    """Refuse a file most of whose ratings can't be used, before tables of films are blamed for it.

    Parameters
    ----------
    connection : DuckDBPyConnection
        As `read_ratings` left it.
    file, layout, hint
        As there.

    Raises
    ------
    OfferbenchError
        If more than half of the ratings can't be used.
    """
    ((good, bad),) = connection.sql(
        "SELECT (SELECT count(*) FROM ratings), (SELECT count(*) FROM rejected)"
    ).fetchall()
    if bad <= good:
        return
    reasons, samples = rejects.summary(connection, [file], layout)
    first = min(samples, key=lambda reject: reject.line or 0)
    listed = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())
    raise OfferbenchError(
        f"{file}: {bad:,} of {good + bad:,} ratings can't be used ({listed}). The first: line {first.line}: "
        f"{first.reason}: {first.text!r}. Stars are 0.5 to 5, times seconds since 1970. {hint}"
    )


def one_tag(tags: str, identifier: str) -> str:
    """Give the SQL for one tag of a list: random over films, the same for a film at every run.

    The MD5 of seed and identifier, modulo the number of distinct tags, picks from the sorted tags:
    neither the order of the films nor that of the tags matters. No tag gives the empty string.

    Parameters
    ----------
    tags : str
        SQL of a list of text.
    identifier : str
        SQL of the film's identifier.
    """
    ordered = f"list_sort(list_distinct(coalesce({tags}, [])))"
    number = f"('0x' || md5('{TAG_SEED}:' || {identifier})[:15])::BIGINT"
    return f"coalesce({ordered}[1 + ({number} % greatest(len({ordered}), 1))::INTEGER], '')"


def filled_with_median(column: str) -> str:
    """Give the SQL for a number whose missing values take the median over the rows, as DOUBLE.

    The median is the lower one of two in the middle: a number that occurs. Without any number it is 0.
    """
    return f"coalesce({column}, quantile_disc({column}, 0.5) OVER (), 0)::DOUBLE"


def unique_title(title: str, identifier: str) -> str:
    """Give the SQL for a readable name of a film that no other has.

    The identifier follows where films share a title, and is the name where there is no title.
    """
    return (
        f"CASE WHEN {title} IS NULL THEN {identifier}"
        f" WHEN count(*) OVER (PARTITION BY {title}) > 1 THEN {title} || ' [' || {identifier} || ']'"
        f" ELSE {title} END"
    )


def write_events(
    connection: duckdb.DuckDBPyConnection,
    features: Sequence[str],
    without_film: Mapping[str, str],
    file: Path,
    layout: CsvLayout,
) -> ReadCounts:
    """Make the canonical table `events` of the tables `ratings` and `films`; both are dropped.

    Ratings are put in the order of their time, those of one second in file order, since the order
    within a day is part of a history. One that is no event is left out, counted under one reason.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds `ratings` and `rejected` (of `read_ratings`) and `films` (movie_id, each once, and the
        features).
    features : sequence of str
        Columns of `films` that go into the events.
    without_film : mapping of str to str
        Reason -> SQL condition on `films`, for a good rating whose film can't be used.
    file : Path
        The file of the ratings.
    layout : CsvLayout
        How it is written.
    """
    reasons = {"rating_below_4": f"stars < {MIN_RATING}", **without_film}
    connection.execute(
        f"""
        CREATE TEMP VIEW judged AS
        SELECT ratings.*, films.* EXCLUDE (movie_id), ratings.rowid AS file_order,
               {first_fault(reasons)} AS reason
        FROM ratings LEFT JOIN films USING (movie_id)
        """
    )
    connection.execute(
        f"""
        CREATE TABLE events AS
        SELECT user_id AS "user", (second // 86400)::INTEGER AS day, '{EVENT_TYPE}' AS event_type,
               {", ".join(features)}
        FROM judged WHERE reason IS NULL ORDER BY second, file_order
        """
    )
    counts = dict(connection.sql("SELECT reason, count(*) FROM judged GROUP BY 1").fetchall())
    connection.execute("DROP VIEW judged")
    connection.execute("DROP TABLE ratings")
    connection.execute("DROP TABLE films")
    rejected, samples = rejects.summary(connection, [file], layout)
    rows = sum(counts.values()) + sum(rejected.values())
    return ReadCounts(
        rows=rows,
        event_types={EVENT_TYPE: rows},
        left_out={reason: counts.get(reason, 0) for reason in reasons},
        rejected=rejected,
        rejects=samples,
    )

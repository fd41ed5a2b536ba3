"""What the MovieLens readers share: good ratings become events, one tag stands for a film's many."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from offerbench.datasets.canonical import ReadCounts, Reject
from offerbench.datasets.rejects import SAMPLES, TEXT_LENGTH
from offerbench.errors import OfferbenchError

EVENT_TYPE = "rating"
LEAST_RATING = 4.0
"""A rating of at least so many stars is an event."""
TAG_SEED = 1729
"""Seed of the choice of one tag of a film."""
LAST_SECOND = 4_102_444_800
"""2100-01-01: a later time stamp is a mistake, such as milliseconds for seconds."""

RATINGS_COLUMNS = {"user_id": "BIGINT", "movie_id": "BIGINT", "stars": "DOUBLE", "second": "BIGINT"}

IMPOSSIBLE = "field_missing_or_impossible"
# A rating that lacks a field or has an impossible one; NaN is above every number in DuckDB.
_IMPOSSIBLE = (
    "user_id IS NULL OR movie_id IS NULL OR coalesce(stars NOT BETWEEN 0 AND 5, true)"
    f" OR coalesce(second NOT BETWEEN 0 AND {LAST_SECOND}, true)"
)


def execute(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    parameters: Mapping[str, object],
    source: Path,
    hint: str,
) -> None:
    """Run a statement that reads `source`; what DuckDB refuses is the user's to put right.

    Raises
    ------
    OfferbenchError
        If the file can't be read: names it, the row as DuckDB tells it, and what to do.
    """
    try:
        connection.execute(statement, dict(parameters))
    except duckdb.Error as error:
        raise OfferbenchError(f"{source}: can't be read. {error}\n{hint}") from None


def existing(file: Path, hint: str) -> Path:
    """Give the file back.

    Raises
    ------
    OfferbenchError
        If it is not there.
    """
    if not file.is_file():
        raise OfferbenchError(f"{file}: no such file. {hint}")
    return file


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

    The identifier follows where films share a title, and stands alone where there is none.
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
    source: Path,
) -> ReadCounts:
    """Make the canonical table `events` of the tables `ratings` and `films`; both are dropped.

    Ratings are put in the order of their time, those of one second in file order, since the order
    within a day is part of a history. A rating that lacks a field or has an impossible one is set aside,
    any other that is no event is left out; each is counted under one reason.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Holds `ratings` (columns as in RATINGS_COLUMNS, rows in file order) and `films` (movie_id,
        each once, and the features).
    features : sequence of str
        Columns of `films` that go into the events.
    without_film : mapping of str to str
        Reason -> SQL condition on `films`, for a good rating whose film can't be used.
    source : Path
        The file of the ratings.
    """
    reasons = {IMPOSSIBLE: _IMPOSSIBLE, "rating_below_4": f"stars < {LEAST_RATING}", **without_film}
    cases = " ".join(f"WHEN {condition} THEN '{reason}'" for reason, condition in reasons.items())
    connection.execute(
        f"""
        CREATE TEMP VIEW judged AS
        SELECT ratings.*, films.* EXCLUDE (movie_id), ratings.rowid AS file_order,
               CASE {cases} END AS reason
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
    texts = connection.execute(
        f"""
        SELECT concat_ws(' ', {", ".join(f"coalesce({name}::VARCHAR, '(none)')" for name in RATINGS_COLUMNS)})
        FROM judged WHERE reason = '{IMPOSSIBLE}' ORDER BY file_order LIMIT {SAMPLES}
        """
    ).fetchall()
    connection.execute("DROP VIEW judged")
    connection.execute("DROP TABLE ratings")
    connection.execute("DROP TABLE films")
    rows = sum(counts.values())
    return ReadCounts(
        rows=rows,
        event_types={EVENT_TYPE: rows},
        left_out={reason: counts.get(reason, 0) for reason in reasons if reason != IMPOSSIBLE},
        set_aside={IMPOSSIBLE: counts[IMPOSSIBLE]} if IMPOSSIBLE in counts else {},
        rejects=tuple(Reject(source.name, None, IMPOSSIBLE, text[:TEXT_LENGTH]) for (text,) in texts),
    )

"""MovieLens-100k from tiny files in the layout of the real ones."""

import hashlib
from pathlib import Path

import duckdb
import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import movielens_100k
from offerbench.datasets.canonical import Reject

from .conftest import rows_of

GENRES = movielens_100k.GENRES


def picked(identifier: str, tags: set[str]) -> str:
    """The naive twin of the choice in SQL."""
    if not tags:
        return ""
    number = int(hashlib.md5(f"1729:{identifier}".encode()).hexdigest()[:15], 16)
    return sorted(tags)[number % len(tags)]


def item(number: int, title: str, date: str, *genres: str) -> str:
    flags = ["1" if name in genres else "0" for name in GENRES]
    return "|".join([str(number), title, date, "", "http://us.imdb.com/M/title-exact?x", *flags])


ITEMS = [
    item(1, "Toy Story (1995)", "01-Jan-1995", "Animation", "Children's", "Comedy"),
    item(2, "Léon, or \"The Pro'", "06-Feb-1994", "Crime"),
    item(246, "Chasing Amy (1997)", "01-Jan-1997", "Drama", "Romance"),
    item(268, "Chasing Amy (1997)", "03-Jan-1998", "Romance", "Drama"),
    item(267, "unknown", "", "unknown"),
    item(300, "", "", *()),
]
DAY = 86400
# User, film, stars, second.
RATINGS = [
    (7, 1, 5, 10011 * DAY + 50),
    (3, 2, 4, 10011 * DAY + 10),  # earlier on the day, later in the file
    (7, 246, 3, 10011 * DAY),
    (7, 268, 4, 10011 * DAY + 50),  # of the same second as the first line
    (7, 999, 5, 10011 * DAY),  # no record
    (8, 999, 1, 10011 * DAY),  # neither good nor known: counted once
    (3, 267, 5, 10012 * DAY),
    (3, 300, 5, 10013 * DAY - 1),
]


def write(directory: Path, items: list[str] = ITEMS, ratings: list[tuple] = RATINGS) -> Path:
    (directory / "u.item").write_text("".join(f"{line}\n" for line in items), encoding="latin-1")
    lines = ("\t".join("" if field is None else str(field) for field in row) for row in ratings)
    (directory / "u.data").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return directory


def test_events_are_canonical_and_in_the_order_of_time(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    counts = movielens_100k.read_events(connection, write(tmp_path))
    toy_story = picked("1", {"Animation", "Children's", "Comedy"})
    amy = picked("268", {"Drama", "Romance"})
    # The median of 1994, 1995, 1997, 1998 is the lower one in the middle.
    expected = [
        (3, 10011, "rating", "Léon, or \"The Pro'", "Crime", 1994.0),
        (7, 10011, "rating", "Toy Story (1995)", toy_story, 1995.0),
        (7, 10011, "rating", "Chasing Amy (1997) [268]", amy, 1998.0),
        (3, 10012, "rating", "unknown", "unknown", 1995.0),
        (3, 10012, "rating", "300", "", 1995.0),
    ]
    names = ["user", "day", "event_type", "film", "genre", "year"]
    assert rows_of(connection) == [dict(zip(names, row, strict=True)) for row in expected]
    assert counts.rows == 8
    assert counts.event_types == {"rating": 8}
    assert counts.rejected == {}
    assert counts.left_out == {
        "rating_below_4": 2,
        "film_without_record": 1,
    }


def test_the_genre_is_a_choice_of_each_film(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    tags = {number: {GENRES[(number * step) % 19] for step in range(1, 5)} for number in range(1, 400)}
    items = [item(number, f"Film {number}", "01-Jan-1990", *names) for number, names in tags.items()]
    ratings = [(1, number, 5, 10000 * DAY) for number in tags]
    movielens_100k.read_events(connection, write(tmp_path, items[::-1], ratings))
    chosen = {row["film"]: row["genre"] for row in rows_of(connection)}
    assert chosen == {f"Film {number}": picked(str(number), names) for number, names in tags.items()}
    places = [
        sorted(tags[number]).index(chosen[f"Film {number}"]) for number in tags if len(tags[number]) == 4
    ]
    assert all(places.count(place) > len(places) / 8 for place in range(4))  # no place is left out


NOON = 10_000 * DAY + DAY // 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((None, 1, 5, NOON), "user_missing"),
        ((1, None, 5, NOON), "film_missing"),
        ((1, 1, None, NOON), "rating_missing_or_not_a_number"),
        ((1, 1, 5, None), "time_missing_or_unreadable"),
        (("someone", 1, 5, NOON), "user_not_a_number"),
        ((1, "Léon", 5, NOON), "film_not_a_number"),
        ((1, 1, "good", NOON), "rating_missing_or_not_a_number"),
        ((1, 1, "nan", NOON), "rating_missing_or_not_a_number"),
        ((1, 1, 400, NOON), "rating_below_0.5_or_above_5"),
        ((1, 1, 0.4, NOON), "rating_below_0.5_or_above_5"),
        ((1, 1, "inf", NOON), "rating_missing_or_not_a_number"),
        ((1, 1, "0x5", NOON), "rating_missing_or_not_a_number"),
        (("1.5", 1, 5, NOON), "user_not_a_number"),
        (("0x10", 1, 5, NOON), "user_not_a_number"),
        ((1, "1_0", 5, NOON), "film_not_a_number"),
        ((1, 1, 5, "9e8"), "time_missing_or_unreadable"),
        ((1, 1, 5, "1998-01-01"), "time_missing_or_unreadable"),
        ((1, 1, 5, -1), "time_before_1995_or_after_2099"),
        ((1, 1, 5, NOON // 10), "time_before_1995_or_after_2099"),  # its last digit is cut off
        ((1, 1, 5, NOON * 1000), "time_before_1995_or_after_2099"),  # milliseconds
        ((1, 1, 5), "wrong_number_of_fields"),
        ((1, 1, 5, NOON, 7), "wrong_number_of_fields"),
        ((1, 2, 4, NOON), "user_rated_the_film_before"),
    ],
)
def test_a_rating_that_can_not_be_used_is_rejected(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, row: tuple, reason: str
) -> None:
    counts = movielens_100k.read_events(connection, write(tmp_path, ratings=[(1, 2, 5, NOON), row]))
    assert len(rows_of(connection)) == 1
    assert counts.rows == 2
    assert counts.rejected == {reason: 1}
    text = "\t".join("" if field is None else str(field) for field in row)
    assert counts.rejects == (Reject(str(tmp_path / "u.data"), 2, reason, text),)


def test_the_first_usable_rating_of_a_film_by_a_user_counts(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ratings = [(1, 1, "nan", NOON), (1, 1, 4, NOON + DAY), (2, 1, 4, NOON), (1, 1, 5, NOON), (1, 1, 2, NOON)]
    counts = movielens_100k.read_events(connection, write(tmp_path, ratings=ratings))
    assert [(row["user"], row["day"]) for row in rows_of(connection)] == [(2, 10_000), (1, 10_001)]
    assert [(reject.line, reject.reason) for reject in counts.rejects] == [
        (1, "rating_missing_or_not_a_number"),
        (4, "user_rated_the_film_before"),
        (5, "user_rated_the_film_before"),
    ]


@pytest.mark.parametrize("name", ["u.data", "u.item"])
def test_a_missing_file_is_named(connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    (write(tmp_path) / name).unlink()
    with pytest.raises(OfferbenchError, match=rf"{name}: no such file\. Put u\.data and u\.item"):
        movielens_100k.read_events(connection, tmp_path)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (item(9, "A title | with a bar", "01-Jan-1995"), "wrong number of fields: "),
        ("9|Short (1995)|Comedy", "wrong number of fields: '9|Short (1995)|Comedy'"),
        (item(9, "Long", "01-Jan-1995") + "|1", "wrong number of fields: "),
        (item(9, "Nine", "01-Jan-1995").replace("9|", "nine|", 1), "no number of the film: "),
        (item(9, "Nine", "01-Jan-1995").replace("9|", "|", 1), "no number of the film: "),
        (item(246, "Chasing Amy (1997)", "01-Jan-1997"), "the film's number appears twice: '246|"),
        (item(9, "Nine", "01-Jan-1995") + "x", "a genre that is neither 0 nor 1: "),
        (item(9, "Nine", "01-Jan-1995")[:-1] + "2", "a genre that is neither 0 nor 1: '9|Nine|"),
        (item(9, "Nine", "01-Jan-1995")[:-1], "a genre that is neither 0 nor 1: '9|Nine|"),
        (item(9, "Nine", "some day"), "a date without a year: '9|Nine|some day|"),
    ],
)
def test_a_bad_line_of_the_films_is_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, line: str, fault: str
) -> None:
    items = [*ITEMS, "", line, item(10, "Ten", "01-Jan-1995")]  # a blank line is passed over
    with pytest.raises(OfferbenchError) as error:
        movielens_100k.read_events(connection, write(tmp_path, items))
    assert str(error.value).startswith(f"{tmp_path / 'u.item'}: line {len(ITEMS) + 2}: {fault}")
    assert "Put u.data and u.item" in str(error.value)

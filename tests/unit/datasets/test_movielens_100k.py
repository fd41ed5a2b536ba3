"""MovieLens-100k from tiny files in the layout of the real ones."""

import hashlib
from pathlib import Path

import duckdb
import pytest

from offerbench.datasets import movielens_100k
from offerbench.errors import OfferbenchError

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
    (7, 1, 5, 11 * DAY + 50),
    (3, 2, 4, 11 * DAY + 10),  # earlier on the day, later in the file
    (7, 246, 3, 11 * DAY),
    (7, 268, 4, 11 * DAY + 50),  # of the same second as the first line
    (7, 999, 5, 11 * DAY),  # no record
    (7, 999, 1, 11 * DAY),  # neither good nor known: counted once
    (3, 267, 5, 12 * DAY),
    (3, 300, 5, 13 * DAY - 1),
]


def write(directory: Path, items: list[str] = ITEMS, ratings: list[tuple] = RATINGS) -> Path:
    (directory / "u.item").write_text("".join(f"{line}\n" for line in items), encoding="latin-1")
    lines = ("\t".join("" if field is None else str(field) for field in row) for row in ratings)
    (directory / "u.data").write_text("".join(f"{line}\n" for line in lines))
    return directory


def test_events_are_canonical_and_in_the_order_of_time(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    counts = movielens_100k.read_events(connection, write(tmp_path))
    toy_story = picked("1", {"Animation", "Children's", "Comedy"})
    amy = picked("268", {"Drama", "Romance"})
    # The median of 1994, 1995, 1997, 1998 is the lower one in the middle.
    expected = [
        (3, 11, "rating", "Léon, or \"The Pro'", "Crime", 1994.0),
        (7, 11, "rating", "Toy Story (1995)", toy_story, 1995.0),
        (7, 11, "rating", "Chasing Amy (1997) [268]", amy, 1998.0),
        (3, 12, "rating", "unknown", "unknown", 1995.0),
        (3, 12, "rating", "300", "", 1995.0),
    ]
    names = ["user", "day", "event_type", "film", "genre", "year"]
    assert rows_of(connection) == [dict(zip(names, row, strict=True)) for row in expected]
    assert counts.rows == 8
    assert counts.event_types == {"rating": 8}
    assert counts.set_aside == {}
    assert counts.left_out == {
        "rating_below_4": 2,
        "film_without_record": 1,
    }


def test_the_genre_is_a_choice_of_each_film(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    tags = {number: {GENRES[(number * step) % 19] for step in range(1, 5)} for number in range(1, 400)}
    items = [item(number, f"Film {number}", "01-Jan-1990", *names) for number, names in tags.items()]
    ratings = [(1, number, 5, 0) for number in tags]
    movielens_100k.read_events(connection, write(tmp_path, items[::-1], ratings))
    chosen = {row["film"]: row["genre"] for row in rows_of(connection)}
    assert chosen == {f"Film {number}": picked(str(number), names) for number, names in tags.items()}
    places = [
        sorted(tags[number]).index(chosen[f"Film {number}"]) for number in tags if len(tags[number]) == 4
    ]
    assert all(places.count(place) > len(places) / 8 for place in range(4))  # no place is left out


@pytest.mark.parametrize(
    "row",
    [
        (None, 1, 5, DAY),
        (1, None, 5, DAY),
        (1, 1, None, DAY),
        (1, 1, 5, None),
        (1, 1, "nan", DAY),
        (1, 1, 400, DAY),
        (1, 1, 5, -1),
        (1, 1, 5, 881250949000),  # milliseconds
    ],
)
def test_an_impossible_rating_is_set_aside(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, row: tuple
) -> None:
    counts = movielens_100k.read_events(connection, write(tmp_path, ratings=[row, (1, 1, 4, DAY)]))
    assert len(rows_of(connection)) == 1
    assert counts.set_aside == {"field_missing_or_impossible": 1}
    assert [reject.file for reject in counts.rejects] == ["u.data"]


@pytest.mark.parametrize("name", ["u.data", "u.item"])
def test_a_missing_file_is_named(connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    (write(tmp_path) / name).unlink()
    with pytest.raises(OfferbenchError, match=rf"{name}: no such file\. Put u\.data and u\.item"):
        movielens_100k.read_events(connection, tmp_path)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("u.data", "user\titem\trating\ttimestamp"),
        ("u.data", "1\t1\t5"),
        ("u.data", "1::1::5::978300760"),
        ("u.item", item(9, "A title | with a bar", "01-Jan-1995")),
        ("u.item", "9|Short (1995)|Comedy"),
        ("u.item", item(9, "Long", "01-Jan-1995") + "|1"),
    ],
)
def test_another_layout_is_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, line: str
) -> None:
    file = write(tmp_path) / name
    file.write_bytes(file.read_bytes() + f"{line}\n".encode("latin-1"))
    with pytest.raises(OfferbenchError, match=rf"{name}: can't be read\.[\s\S]*Every line needs"):
        movielens_100k.read_events(connection, tmp_path)

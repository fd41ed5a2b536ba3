"""MovieLens-100k in RecBole's layout: tiny files of it, and the real ones."""

from collections import Counter
from pathlib import Path

import duckdb
import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import movielens_100k
from offerbench.datasets.fetching import fetch_dataset
from offerbench.datasets.movielens_recbole import FILMS, HEADERS, RATINGS

from .conftest import rows_of
from .test_movielens_100k import picked

DAY = 86400
ITEMS = [
    "1\tToy Story\t1995\tAnimation Children's Comedy",
    "246\tChasing Amy\t1997\tDrama Romance",
    "268\tChasing Amy\t1997\tDrama Romance",
    "267\tunkonwn\tunkonwn\tunknown",
    "543\tMisérables, Les\t1995\tDrama Musical",
    "300\t\t\t",
]
LINES = [
    f"7\t1\t5\t{10011 * DAY + 50}",
    f"3\t543\t4\t{10011 * DAY + 10}",
    f"7\t246\t3\t{10011 * DAY}",
    f"7\t268\t4\t{10011 * DAY + 60}",
    f"7\t999\t5\t{10011 * DAY}",
    f"3\t267\t5\t{10012 * DAY}",
    f"3\t300\t5\t{10013 * DAY - 1}",
]


def write(directory: Path, items: list[str] = ITEMS, lines: list[str] = LINES) -> Path:
    for name, content in ((FILMS, items), (RATINGS, lines)):
        text = "".join(f"{line}\n" for line in ["\t".join(HEADERS[name]), *content])
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def test_events_are_those_of_the_other_layout(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    counts = movielens_100k.read_events(connection, write(tmp_path))
    expected = [
        (3, 10011, "rating", "Misérables, Les (1995)", picked("543", {"Drama", "Musical"}), 1995.0),
        (7, 10011, "rating", "Toy Story (1995)", picked("1", {"Animation", "Children's", "Comedy"}), 1995.0),
        (7, 10011, "rating", "Chasing Amy (1997) [268]", picked("268", {"Drama", "Romance"}), 1997.0),
        (3, 10012, "rating", "unkonwn", "unknown", 1995.0),
        (3, 10012, "rating", "300", "", 1995.0),
    ]
    names = ["user", "day", "event_type", "film", "genre", "year"]
    assert rows_of(connection) == [dict(zip(names, row, strict=True)) for row in expected]
    assert (counts.rows, counts.rejected) == (7, {})
    assert counts.left_out == {"rating_below_4": 1, "film_without_record": 1}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("x\tA\t1990\tDrama", "line 8: no number of the film"),
        ("1\tA\t1990\tDrama", "line 8: the film's number appears twice"),
        ("9\tA\t1990\tDrama Action|Horror", "line 8: a genre that MovieLens does not have"),
        ("9\tA\t19990\tDrama", "line 8: a year that is none"),
        ("9\tA\t1990", "line 8: wrong number of fields"),
    ],
)
def test_a_bad_line_of_the_films_is_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, line: str, message: str
) -> None:
    with pytest.raises(OfferbenchError, match=message):
        movielens_100k.read_events(connection, write(tmp_path, [*ITEMS, line]))


@pytest.mark.parametrize("name", [RATINGS, FILMS])
def test_another_header_is_refused(connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    write(tmp_path)
    (tmp_path / name).write_text((tmp_path / name).read_text().replace(":token", "", 1))
    with pytest.raises(OfferbenchError, match=rf"{name}: starts with '\w+_id\\t.* in place of \w+_id:token"):
        movielens_100k.read_events(connection, tmp_path)


def test_both_layouts_are_one_too_many(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "u.data").touch()
    with pytest.raises(OfferbenchError, match=r"ml-100k\.inter: is there a second time as u\.data"):
        movielens_100k.read_events(connection, tmp_path)


def test_ratings_without_films_are_refused(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (write(tmp_path) / FILMS).unlink()
    with pytest.raises(OfferbenchError, match=r"ml-100k\.item: no such file"):
        movielens_100k.read_events(connection, tmp_path)


def test_the_real_files_by_a_naive_reader(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    try:
        fetch_dataset("movielens_100k", tmp_path)
    except OfferbenchError as error:
        pytest.skip(str(error))
    counts = movielens_100k.read_events(connection, tmp_path)
    assert (counts.rows, counts.rejected) == (100_000, {})
    assert counts.left_out == {"rating_below_4": 44_625, "film_without_record": 0}
    lines = [line.split("\t") for line in (tmp_path / RATINGS).read_text().splitlines()[1:]]
    good = [(int(user), int(second) // DAY) for user, _, stars, second in lines if int(stars) >= 4]
    assert Counter(connection.sql('SELECT "user", day FROM events').fetchall()) == Counter(good)
    films = [line.split("\t") for line in (tmp_path / FILMS).read_text(encoding="utf-8").splitlines()[1:]]
    genres = {number: picked(number, set(tags.split())) for number, _, _, tags in films}
    expected = Counter(genres[film] for _, film, stars, _ in lines if int(stars) >= 4)
    assert dict(connection.sql("SELECT genre, count(*) FROM events GROUP BY 1").fetchall()) == expected

"""MovieLens + IMDB from tiny files in the layout of the real ones."""

import gzip
from pathlib import Path

import duckdb
import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import movielens_100k, movielens_imdb
from offerbench.parameters import load_parameters

from .conftest import rows_of
from .test_movielens_100k import picked

HEADERS = {
    "title.basics.tsv": "tconst titleType primaryTitle originalTitle isAdult startYear endYear"
    " runtimeMinutes genres",
    "title.principals.tsv": "tconst ordering nconst category job characters",
    "title.crew.tsv": "tconst directors writers",
    "name.basics.tsv": "nconst primaryName birthYear deathYear primaryProfession knownForTitles",
}
NO = "\\N"
ROWS: dict[str, list[tuple[str, ...]]] = {
    "title.basics.tsv": [
        ("tt0110413", "movie", "Léon", "Léon", "0", "1994", NO, "110", "Action,Crime,Drama"),
        ("tt0114709", "movie", '"Toy | Story', "x", "0", "1995", NO, "81", "Animation"),
        ("tt0000009", "short", "Twin", "x", "0", "2001", NO, NO, NO),
        ("tt10872600", "movie", "Twin", "x", "0", "2001", NO, "148", "Comedy,Drama"),
        ("tt0000010", "video", "Dateless", "x", "0", NO, NO, "60", "Drama"),
        ("tt0000011", NO, NO, NO, NO, NO, NO, NO, NO),
        ("tt7777777", "movie", "Nobody rated this", "x", "0", "1800", NO, "9000", "Western"),
    ],
    "title.principals.tsv": [
        ("tt0110413", "1", "nm0000003", "actor", NO, '["Léon"]'),
        ("tt0110413", "2", "nm0000002", "actress", NO, NO),
        ("tt0110413", "3", "nm0000002", "actress", NO, NO),  # twice in a film: its ratings count once
        ("tt0110413", "4", "nm0000001", "director", NO, NO),  # no actor there
        ("tt0114709", "1", "nm0000005", "actor", NO, NO),
        ("tt0114709", "2", "nm0000004", "actor", NO, NO),  # as popular: the lower identifier
        ("tt10872600", "1", "nm0000003", "actor", NO, NO),
        ("tt10872600", "2", "nm0000008", "actor", NO, NO),
        ("tt0000009", "1", "nm0000008", "self", NO, NO),
    ],
    "title.crew.tsv": [
        ("tt0110413", "nm0000001", NO),
        ("tt0114709", "nm0000009,nm0000001", NO),
        ("tt0000009", NO, NO),
        ("tt10872600", "nm0000404", NO),  # no record
    ],
    "name.basics.tsv": [
        ("nm0000001", "Luc Besson", "1959", NO, "director", NO),
        ("nm0000002", "Natalie Portman", "1981", NO, "actress", NO),
        ("nm0000003", 'Jean "Le" Reno', "1948", NO, "actor", NO),
        ("nm0000004", "Tom Hanks", "1956", NO, "actor", NO),
        ("nm0000005", "Tim Allen", "1953", NO, "actor", NO),
        ("nm0000008", "Nobody", NO, NO, NO, NO),
        ("nm0000009", "John Lasseter", "1957", NO, "director", NO),
    ],
}
LINKS = """movieId,imdbId,tmdbId
1,0114709,862
2,0110413,101
3,0000009,
4,10872600,7
5,10,8
6,11,
7,99,1
8,,
"""
DAY = 86400
RATINGS = [
    (5, 2, 4.0, 10020 * DAY + 9),
    (5, 1, 4.5, 10020 * DAY + 3),
    (4, 3, 5.0, 10021 * DAY),
    (4, 4, 4.0, 10021 * DAY),
    (4, 5, 4.0, 10022 * DAY),
    (4, 6, 4.0, 10023 * DAY),
    (4, 7, 4.0, 10023 * DAY),  # no such title at IMDB
    (4, 8, 4.0, 10023 * DAY),  # no link
    (4, 9, 4.0, 10023 * DAY),  # not even a line in links.csv
    (3, 8, 3.5, 10023 * DAY),
    (6, 1, 0.5, 10023 * DAY),  # counts for the popularity of Toy Story's people
]


def write(directory: Path, packed: bool = False) -> Path:
    lines = "".join(",".join(map(str, row)) + "\n" for row in RATINGS)
    (directory / "ratings.csv").write_text(f"userId,movieId,rating,timestamp\n{lines}")
    (directory / "links.csv").write_text(LINKS)
    for name, rows in ROWS.items():
        table = [HEADERS[name].split(), *rows]
        data = "".join("\t".join(row) + "\n" for row in table).encode()
        if packed:
            (directory / f"{name}.gz").write_bytes(gzip.compress(data))
        else:
            (directory / name).write_bytes(data)
    return directory


@pytest.mark.parametrize("packed", [False, True])
def test_events_are_canonical_and_in_the_order_of_time(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, packed: bool
) -> None:
    counts = movielens_imdb.read_events(connection, write(tmp_path, packed))
    leon = picked("tt0110413", {"Action", "Crime", "Drama"})
    twin = picked("tt10872600", {"Comedy", "Drama"})
    # Besson's films have 3 ratings, Lasseter's 2; Reno's 2, Portman's 1. The medians: of 60, 81, 110,
    # 148 minutes the lower one in the middle, of 1994, 1995, 2001, 2001 as well.
    expected = [
        (5, 10020, '"Toy | Story (1995)', "movie", "Animation", "Tom Hanks", "Luc Besson", 81.0, 1995.0),
        (5, 10020, "Léon (1994)", "movie", leon, 'Jean "Le" Reno', "Luc Besson", 110.0, 1994.0),
        (4, 10021, "Twin (2001) [tt0000009]", "short", "", "", "", 81.0, 2001.0),
        (4, 10021, "Twin (2001) [tt10872600]", "movie", twin, 'Jean "Le" Reno', "nm0000404", 148.0, 2001.0),
        (4, 10022, "Dateless", "video", "Drama", "", "", 60.0, 1995.0),
        (4, 10023, "tt0000011", "", "", "", "", 81.0, 1995.0),
    ]
    rows = [tuple(row.values()) for row in rows_of(connection)]
    assert rows == [(user, day, "rating", *features) for user, day, *features in expected]
    assert list(rows_of(connection)[0]) == ["user", "day", "event_type", *movielens_imdb.FEATURES]
    assert counts.rows == counts.event_types["rating"] == 11
    assert counts.rejected == {}
    assert counts.left_out == {
        "rating_below_4": 2,
        "film_without_link": 2,
        "film_without_imdb_title": 1,
    }


def test_popularity_decides_not_the_order_in_the_film(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    # A third of Allen's films outweighs Hanks's lower identifier.
    file = write(tmp_path) / "title.principals.tsv"
    file.write_text(file.read_text() + "tt0000010\t1\tnm0000005\tactor\t\\N\t\\N\n")
    movielens_imdb.read_events(connection, tmp_path)
    assert {row["film"]: row["actor"] for row in rows_of(connection)}['"Toy | Story (1995)'] == "Tim Allen"


def test_the_order_of_the_imdb_rows_does_not_matter(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    movielens_imdb.read_events(connection, write(tmp_path))
    events = rows_of(connection)
    connection.execute("DROP TABLE events")
    for name in ("raw_links", "links", "rated", "rejected", "chosen"):
        connection.execute(f"DROP TABLE {name}")
    for name in ("imdb_titles", "principals", "actors", "crew", "directors", "names"):
        connection.execute(f"DROP TABLE {name}")
    for name in ROWS:
        header, *lines = (tmp_path / name).read_text().splitlines()
        (tmp_path / name).write_text("\n".join([header, *lines[::-1]]) + "\n")
    movielens_imdb.read_events(connection, tmp_path)
    assert rows_of(connection) == events


def test_columns_of_imdb_go_by_name(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = write(tmp_path) / "title.crew.tsv"
    swapped = [[*line.split("\t")[::-1], "new"] for line in file.read_text().splitlines()]
    file.write_text("".join("\t".join(row) + "\n" for row in swapped))
    movielens_imdb.read_events(connection, tmp_path)
    assert [row["director"] for row in rows_of(connection)][:2] == ["Luc Besson", "Luc Besson"]


@pytest.mark.parametrize("name", ["ratings.csv", "links.csv", *ROWS])
def test_a_missing_file_is_named(connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    (write(tmp_path) / name).unlink()
    with pytest.raises(OfferbenchError, match=rf"{name}: no such file\. Put"):
        movielens_imdb.read_events(connection, tmp_path)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("ratings.csv", "timestamp"),
        ("links.csv", "imdbId"),
        ("title.basics.tsv", "startYear"),
        ("title.principals.tsv", "category"),
        ("title.crew.tsv", "directors"),
        ("name.basics.tsv", "primaryName"),
    ],
)
def test_a_missing_column_is_named(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, column: str
) -> None:
    file = write(tmp_path) / name
    file.write_text(file.read_text().replace(column, "other", 1))
    with pytest.raises(OfferbenchError, match=rf"{name}: .*lacks the columns \['{column}'\]"):
        movielens_imdb.read_events(connection, tmp_path)


@pytest.mark.parametrize(
    ("name", "line", "fault"),
    [
        ("links.csv", b"1,tt0114709,862\n", "line 10: imdbId is not a number: '1,tt0114709,862'"),
        ("links.csv", b"9,7\n", "line 10: wrong number of fields"),
        ("links.csv", b"1.5,7,8\n", "line 10: movieId is not a number: '1.5,7,8'"),
        ("links.csv", b",7,8\n", "line 10: no movieId: ',7,8'"),
        ("links.csv", b"3,7,8\n", "line 10: movieId appears twice: '3,7,8'"),
        ("links.csv", b'9,7,"a\nb"\n\n10,7,8,9\n', "line 13: wrong number of fields: '10,7,8,9'"),
        ("title.basics.tsv", b"tt0114709\tmovie\n", "line 9: wrong number of fields"),
        ("title.basics.tsv", b"\\N\tmovie" + b"\t\\N" * 7 + b"\n", "line 9: has no tconst"),
        ("title.basics.tsv", b"tt0114709\tmovie" + b"\t1" * 7 + b"\n", "tt0114709: has two records"),
        ("title.principals.tsv", b"\t1\tnm1\tactor\t\\N\t\\N\n", "line 11: has no tconst"),
        ("title.principals.tsv", b"tt0114709\t3\t\\N\tactor\t\\N\t\\N\n", "tt0114709: has an actor without"),
        ("title.crew.tsv", b"tt0114709\tnm\xff\xfe\t\\N\n", "line 6: not utf8"),
        ("title.crew.tsv", b"tt0114709\tnm0000009\t\\N\n", "tt0114709: has two records"),
        ("title.crew.tsv", b"tt0000010\tnm0000009,\t\\N\n", "tt0000010: directors has an empty name"),
        ("name.basics.tsv", b"nm0000001\tA\t\\N\t\\N\t\\N\t\\N\tmore\n", "line 9: wrong number of fields"),
        ("name.basics.tsv", b"nm0000001\tA\t\\N\t\\N\t\\N\t\\N\n", "nm0000001: has two records"),
        ("name.basics.tsv", b"\\N\tA\t\\N\t\\N\t\\N\t\\N\n", "line 9: has no nconst"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_bad_row_of_a_side_table_is_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, packed: bool, name: str, line: bytes, fault: str
) -> None:
    write(tmp_path, packed)
    file = tmp_path / (f"{name}.gz" if packed and name.endswith(".tsv") else name)
    file.write_bytes(file.read_bytes() + (gzip.compress(line) if file.suffix == ".gz" else line))
    with pytest.raises(OfferbenchError) as error:
        movielens_imdb.read_events(connection, tmp_path)
    assert str(error.value).startswith(f"{file}: {fault}")
    assert ". Put " in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("\t1994\t", "\tlong ago\t", "tt0110413: startYear is not a number"),
        ("\t110\t", "\tDrama\t", "tt0110413: runtimeMinutes is not a number"),
        ("\t1994\t", "\t1_994\t", "tt0110413: startYear is not a number"),
    ],
)
def test_a_title_with_a_wrong_number_is_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, old: str, new: str, fault: str
) -> None:
    file = write(tmp_path) / "title.basics.tsv"
    file.write_text(file.read_text().replace(old, new).replace("\t1800\t", "\tnot rated\t"))
    with pytest.raises(OfferbenchError, match=rf"title\.basics\.tsv: {fault}"):
        movielens_imdb.read_events(connection, tmp_path)


@pytest.mark.parametrize("name", list(ROWS))
def test_a_table_without_rated_films_is_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    file = write(tmp_path) / name
    file.write_text(file.read_text().splitlines()[0] + "\n")
    with pytest.raises(OfferbenchError, match=rf"{name}: no row belongs to a rated film"):
        movielens_imdb.read_events(connection, tmp_path)


@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_cut_gzip_file_is_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, kept: float
) -> None:
    file = write(tmp_path, packed=True) / "title.principals.tsv.gz"
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * kept)])
    with pytest.raises(OfferbenchError, match=r"title\.principals\.tsv\.gz: can't be"):
        movielens_imdb.read_events(connection, tmp_path)


@pytest.mark.parametrize("name", ["movielens_imdb", "movielens_100k"])
def test_the_preset_fits_the_reader(name: str) -> None:
    parameters = load_parameters(Path(__file__).parents[3] / "presets" / f"{name}.yaml")
    reader = {"movielens_imdb": movielens_imdb, "movielens_100k": movielens_100k}[name]
    assert parameters.dataset == name
    used = {column.column for column in parameters.prepare.clusters.values()}
    used |= set(parameters.prepare.offer_features) - set(parameters.prepare.clusters)
    assert used == set(reader.FEATURES)  # nothing that the reader gives is forgotten
    for train in (parameters.train_full, parameters.train_augmented, parameters.train_mono):
        assert train.ranker.embedding_dim == 30
        assert train.ranker.units == [30, 20]
        assert train.optimizer.learning_rate == 2e-3
        assert train.epochs == 10

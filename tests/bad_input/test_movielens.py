"""Bad MovieLens and IMDB files, end to end through the stage `prepare`."""

import gzip
from typing import Any

import pytest

from ..unit.datasets.test_movielens_100k import item
from ..unit.datasets.test_movielens_imdb import HEADERS
from ..unit.parameters import COMPLETE
from .stage import Bench

DATASETS = ["movielens_imdb", "movielens_100k"]
RATINGS_FILE = {"movielens_imdb": "ratings.csv", "movielens_100k": "u.data"}
NOON = 10_000 * 86400 + 43200
GOOD = [
    [str(user), str(film), str(3 + (user + film) % 3), str(NOON + 86400 * (film % 9) + user)]
    for user in range(1, 61)
    for film in range(1, 11)
]
ROW = ["61", "3", "5", str(NOON)]
FILMS = range(1, 11)

LINKS = [f"{film},{film:07d},{film}" for film in FILMS]
TITLES = [f"tt{film:07d}\tmovie\tFilm {film}\tx\t0\t{1990 + film}\t\\N\t{80 + film}\tDrama" for film in FILMS]
PRINCIPALS = [f"tt{film:07d}\t1\tnm{film % 3:07d}\tactor\t\\N\t\\N" for film in FILMS]
CREW = [f"tt{film:07d}\tnm{film % 4:07d}\t\\N" for film in FILMS]
NAMES = [f"nm{person:07d}\tPerson {person}\t\\N\t\\N\t\\N\t\\N" for person in range(4)]
ITEMS = [item(film, f"Film {film}", f"01-Jan-{1990 + film}", "Drama") for film in FILMS]
LINES = {
    "movielens_imdb": {
        "links.csv": ["movieId,imdbId,tmdbId", *LINKS],
        **{
            name: ["\t".join(HEADERS[name].split()), *lines]
            for name, lines in [
                ("title.basics.tsv", TITLES),
                ("title.principals.tsv", PRINCIPALS),
                ("title.crew.tsv", CREW),
                ("name.basics.tsv", NAMES),
            ]
        },
    },
    "movielens_100k": {"u.item": ITEMS},
}


def parameters(dataset: str, **changes: Any) -> dict[str, Any]:
    column = {"movielens_imdb": "runtime", "movielens_100k": "year"}[dataset]
    clusters = {"number_cluster": {**COMPLETE["prepare"]["clusters"]["price_cluster"], "column": column}}
    prepare = COMPLETE["prepare"] | {
        "target_event": "rating",
        "offer_features": ["film", "genre", "number_cluster"],
        "clusters": clusters,
        "history": {
            "events": ["rating"],
            "length": 9,
            "lengths": {},
            "keep": "latest",
            "weights": "distinct",
            "half_life_events": 20.0,
        },
    }
    return {**COMPLETE, "dataset": dataset, "tasks": ["film", "genre"], "prepare": prepare, **changes}


def ratings(dataset: str, rows: list[list[str]]) -> bytes:
    """The file of the ratings; the last line has no end, as where a copy has stopped."""
    delimiter, header = {
        "movielens_imdb": (",", ["userId,movieId,rating,timestamp"]),
        "movielens_100k": ("\t", []),
    }[dataset]
    return "\n".join([*header, *(delimiter.join(row) for row in rows)]).encode("latin-1")


def write(bench: Bench, dataset: str, rows: list[list[str]] = GOOD) -> None:
    """A set-up without a fault but for the ratings."""
    bench.set(parameters(dataset))
    for name, lines in LINES[dataset].items():
        put(bench, dataset, name, lines)
    (bench.raw(dataset) / RATINGS_FILE[dataset]).write_bytes(ratings(dataset, rows))


def put(bench: Bench, dataset: str, name: str, lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines).encode("latin-1")
    (bench.raw(dataset) / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)


@pytest.mark.parametrize("dataset", DATASETS)
def test_good_files_run(bench: Bench, dataset: str) -> None:
    write(bench, dataset)
    counts = bench.counts()
    assert (counts["rows"], counts["rejected"]) == (len(GOOD), {})
    assert counts["events_kept"] == sum(int(stars) >= 4 for _, _, stars, _ in GOOD)


REJECTED = {
    "empty user": (["", *ROW[1:]], "user_missing"),
    "empty film": ([ROW[0], "", *ROW[2:]], "film_missing"),
    "text for a user": (["someone", *ROW[1:]], "user_not_a_number"),
    "text for a film": ([ROW[0], "Alien", *ROW[2:]], "film_not_a_number"),
    "text for a rating": ([*ROW[:2], "good", ROW[3]], "rating_missing_or_not_a_number"),
    "empty rating": ([*ROW[:2], "", ROW[3]], "rating_missing_or_not_a_number"),
    "NaN": ([*ROW[:2], "NaN", ROW[3]], "rating_missing_or_not_a_number"),
    "rating above 5": ([*ROW[:2], "5.5", ROW[3]], "rating_below_0.5_or_above_5"),
    "rating of 0": ([*ROW[:2], "0", ROW[3]], "rating_below_0.5_or_above_5"),
    "bad time": ([*ROW[:3], "yesterday"], "time_missing_or_unreadable"),
    "empty time": ([*ROW[:3], ""], "time_missing_or_unreadable"),
    "time in milliseconds": ([*ROW[:3], f"{ROW[3]}000"], "time_before_1995_or_after_2099"),
    "too many fields": ([*ROW, "more"], "wrong_number_of_fields"),
    "a last line cut in the middle": (ROW[:2], "wrong_number_of_fields"),
    "a last line cut in its time": ([*ROW[:3], ROW[3][:-1]], "time_before_1995_or_after_2099"),
    "non-UTF-8 bytes": ([*ROW[:3], "\xff\xfe"], "not_utf8"),
    "a film rated twice": ([*GOOD[0][:3], str(NOON + 99)], "user_rated_the_film_before"),
    "duplicated rows": (GOOD[0], "user_rated_the_film_before"),
}


@pytest.mark.parametrize("fault", REJECTED)
@pytest.mark.parametrize("dataset", DATASETS)
def test_a_rating_is_rejected(bench: Bench, fault: str, dataset: str) -> None:
    row, reason = REJECTED[fault]
    write(bench, dataset, [*GOOD, row])
    counts = bench.counts()
    assert counts["rejected"] == {reason: 1}
    assert counts["rows"] == len(GOOD) + 1
    line = len(GOOD) + (2 if dataset == "movielens_imdb" else 1)
    assert f"{RATINGS_FILE[dataset]},{line},{reason}," in bench.rejects()


@pytest.mark.parametrize("fault", REJECTED)
def test_too_many_ratings_rejected_are_refused(bench: Bench, fault: str) -> None:
    row, reason = REJECTED[fault]
    write(bench, "movielens_100k", [*GOOD, *[row] * 20])
    assert f"20 of {len(GOOD) + 20} rows can't be used ({reason} 20)" in bench.refused()


def test_quotes_and_newlines_inside_a_field_are_read(bench: Bench) -> None:
    write(bench, "movielens_imdb", [[f'"{field}"' for field in GOOD[0]], *GOOD[1:], [*ROW[:2], "9", ROW[3]]])
    put(
        bench,
        "movielens_imdb",
        "links.csv",
        ["movieId,imdbId,tmdbId", '1,"0000001","a ""b"",\nc"', *LINKS[1:]],
    )
    counts = bench.counts()
    assert counts["rows"] == len(GOOD) + 1
    assert counts["rejected"] == {"rating_below_0.5_or_above_5": 1}
    assert counts["left_out"]["film_without_link"] == 0


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_task_with_one_value(bench: Bench, dataset: str) -> None:
    write(bench, dataset)  # all films are dramas
    assert bench.counts()["vocabulary"]["genre"]["values"] == 1


@pytest.mark.parametrize("dataset", DATASETS)
def test_one_user_only_is_refused(bench: Bench, dataset: str) -> None:
    write(bench, dataset, [row for row in GOOD if row[0] == "7"])
    assert "prepare.split: 20 test and 15 validation" in bench.refused()


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_batch_larger_than_the_data_is_refused(bench: Bench, dataset: str) -> None:
    write(bench, dataset)
    bench.set(parameters(dataset, rebatch={**COMPLETE["rebatch"], "batch_size": 100_000}))
    bench.counts()
    assert "rebatch.batch_size: 100000 events are more than" in bench.refused("rebatch", "data/batches")


FILES = [(dataset, name) for dataset in DATASETS for name in [RATINGS_FILE[dataset], *LINES[dataset]]]


@pytest.mark.parametrize(("dataset", "name"), FILES)
def test_a_missing_file_is_refused(bench: Bench, dataset: str, name: str) -> None:
    write(bench, dataset)
    (bench.raw(dataset) / name).unlink()
    assert f"{name}: no such file. Put" in bench.refused()


@pytest.mark.parametrize(("dataset", "name"), FILES)
def test_zero_bytes_are_refused(bench: Bench, dataset: str, name: str) -> None:
    write(bench, dataset)
    (bench.raw(dataset) / name).write_bytes(b"")
    message = bench.refused()
    assert f"{name}: no row" in message or f"{name}: the first line, '', lacks" in message


@pytest.mark.parametrize(("dataset", "name"), [file for file in FILES if not file[1].startswith("u.")])
def test_zero_rows_are_refused(bench: Bench, dataset: str, name: str) -> None:
    write(bench, dataset)
    file = bench.raw(dataset) / name
    file.write_bytes(file.read_bytes().splitlines()[0] + b"\n")
    assert f"{name}: no row" in bench.refused()


@pytest.mark.parametrize("name", ["title.principals.tsv", "name.basics.tsv"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_cut_gzip_is_refused(bench: Bench, name: str, kept: float) -> None:
    write(bench, "movielens_imdb")
    raw = bench.raw("movielens_imdb")
    packed = gzip.compress((raw / name).read_bytes())
    (raw / name).unlink()
    (raw / f"{name}.gz").write_bytes(packed[: int(len(packed) * kept)])
    assert f"{name}.gz: can't be" in bench.refused()


UNUSABLE = {
    "times as text": ("4.5", "2005-04-02 23:53:47", "time_missing_or_unreadable"),
    "times in milliseconds": ("4.5", "1112486027000", "time_before_1995_or_after_2099"),
    "stars of 1 to 10": ("9", "1112486027", "rating_below_0.5_or_above_5"),
}


@pytest.mark.parametrize("fault", UNUSABLE)
def test_ratings_of_another_form_are_refused_by_their_file(bench: Bench, fault: str) -> None:
    stars, time, reason = UNUSABLE[fault]
    write(bench, "movielens_imdb", [[user, film, stars, time] for user, film, _, _ in GOOD])
    message = bench.refused()
    assert f"ratings.csv: {len(GOOD)} of {len(GOOD)} ratings can't be used ({reason} {len(GOOD)})" in message
    assert f"The first: line 2: {reason}: '{GOOD[0][0]},{GOOD[0][1]},{stars},{time}'" in message


def test_a_quoted_header_is_read(bench: Bench) -> None:
    write(bench, "movielens_imdb")
    counts = bench.counts()
    file = bench.raw("movielens_imdb") / "ratings.csv"
    header, rest = file.read_text().split("\n", 1)
    file.write_text(",".join(f'"{name}"' for name in header.split(",")) + "\n" + rest)
    assert bench.counts() == counts


IMDB, ML100K = LINES["movielens_imdb"], LINES["movielens_100k"]
REFUSED: dict[str, tuple[str, str, list[str], str]] = {
    "a missing column": (
        "movielens_imdb",
        "title.crew.tsv",
        [IMDB["title.crew.tsv"][0].replace("directors", "makers"), *CREW],
        "title.crew.tsv: the first line, 'tconst\\tmakers\\twriters', lacks the columns ['directors']",
    ),
    "another header": (
        "movielens_imdb",
        "links.csv",
        ["imdbId,movieId,tmdbId", *LINKS],
        "links.csv: needs the header movieId,imdbId,tmdbId",
    ),
    "another header of the ratings": (
        "movielens_imdb",
        "ratings.csv",
        ["movieId,userId,rating,timestamp", *map(",".join, GOOD)],
        "ratings.csv: needs the header userId,movieId,rating,timestamp",
    ),
    "a file plain and packed": (
        "movielens_imdb",
        "title.crew.tsv.gz",
        IMDB["title.crew.tsv"],
        "title.crew.tsv: is there a second time as",
    ),
    "a quote that is not closed": (
        "movielens_imdb",
        "ratings.csv",
        ["userId,movieId,rating,timestamp", '1,1,"4,900000000', *map(",".join, GOOD)],
        "ratings.csv: line 2: quote not closed",
    ),
    "a link that is not a number": (
        "movielens_imdb",
        "links.csv",
        [*IMDB["links.csv"], "11,tt0000011,11"],
        "links.csv: line 12: imdbId is not a number: '11,tt0000011,11'",
    ),
    "a link cut in the middle": (
        "movielens_imdb",
        "links.csv",
        [*IMDB["links.csv"], "11,11"],
        "links.csv: line 12: wrong number of fields",
    ),
    "a link without film": (
        "movielens_imdb",
        "links.csv",
        [*IMDB["links.csv"], ",0000011,11"],
        "links.csv: line 12: no movieId",
    ),
    "a film linked twice": (
        "movielens_imdb",
        "links.csv",
        [*IMDB["links.csv"], "3,0000011,11"],
        "links.csv: line 12: movieId appears twice: '3,0000011,11'",
    ),
    "an IMDB line cut in the middle": (
        "movielens_imdb",
        "title.basics.tsv",
        [*IMDB["title.basics.tsv"], "tt0000011\tmov"],
        "title.basics.tsv: line 12: wrong number of fields",
    ),
    "a title with two records": (
        "movielens_imdb",
        "title.basics.tsv",
        [*IMDB["title.basics.tsv"], TITLES[2]],
        "title.basics.tsv: tt0000003: has two records",
    ),
    "text for a year": (
        "movielens_imdb",
        "title.basics.tsv",
        [line.replace("\t1993\t", "\tlong ago\t") for line in IMDB["title.basics.tsv"]],
        "title.basics.tsv: tt0000003: startYear is not a number",
    ),
    "an empty identifier": (
        "movielens_imdb",
        "name.basics.tsv",
        [*IMDB["name.basics.tsv"], NAMES[0].replace("nm0000000", "")],
        "name.basics.tsv: line 6: has no nconst",
    ),
    "non-UTF-8 bytes": (
        "movielens_imdb",
        "name.basics.tsv",
        [*IMDB["name.basics.tsv"], NAMES[0].replace("Person", "\xff")],
        "name.basics.tsv: line 6: not utf8",
    ),
    "an item cut in the middle": (
        "movielens_100k",
        "u.item",
        [*ITEMS, ITEMS[0][:20]],
        "u.item: line 11: wrong number of fields",
    ),
    "an item without number": (
        "movielens_100k",
        "u.item",
        [*ITEMS, ITEMS[0][1:]],
        "u.item: line 11: no number of the film",
    ),
    "an item twice": (
        "movielens_100k",
        "u.item",
        [*ITEMS, ITEMS[0]],
        "u.item: line 11: the film's number appears twice",
    ),
    "a bad date": (
        "movielens_100k",
        "u.item",
        [*ITEMS, item(11, "Film 11", "some day")],
        "u.item: line 11: a date without a year",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_files_are_refused(bench: Bench, fault: str) -> None:
    dataset, name, lines, message = REFUSED[fault]
    write(bench, dataset)
    put(bench, dataset, name, lines)
    assert message in bench.refused()

"""The synthetic log has the schema, the size and the planted structure that it says."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.csv as pc_csv
import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.datasets import rees46
from offerbench.datasets.canonical import ReadCounts, event_database
from offerbench.datasets.synthetic import months as calendar
from offerbench.datasets.synthetic.generate import generate
from offerbench.datasets.synthetic.structure import Structure, heavy_tailed

ROWS = 200_000
MONTHS = 3
SEED = 7


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return generate(tmp_path_factory.mktemp("synthetic"), ROWS, MONTHS, SEED)


def read_rows(files: list[Path]) -> pd.DataFrame:
    """All rows, in the order of time; missing fields are empty strings."""
    frames = [pd.read_csv(path, keep_default_na=False, dtype={"price": float}) for path in files]
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def log(files: list[Path]) -> pd.DataFrame:
    return read_rows(files)


def control(directory: Path, structure: Structure) -> pd.DataFrame:
    """The same log but for one part of the structure: what would be seen without it."""
    return read_rows(generate(directory, ROWS, MONTHS, SEED, structure))


def looks(log: pd.DataFrame) -> pd.DataFrame:
    """A product that a session looks at counts once, however many rows it has."""
    return log.drop_duplicates(["user_session", "product_id"])


@pytest.fixture(scope="module")
def purchases(log: pd.DataFrame) -> pd.DataFrame:
    return log[log.event_type == "purchase"]


@pytest.fixture(scope="module")
def read(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[ReadCounts, pd.DataFrame]:
    with event_database(tmp_path_factory.mktemp("spill"), "1GB") as connection:
        counts = rees46.read_events(connection, files[0].parent)
        return counts, connection.sql("SELECT * FROM events").df()


def share_of_top(values: pd.Series, part: int) -> float:
    """Share of the rows that the most frequent of the values have: one value in `part`."""
    counts = values.value_counts()
    return float(counts.iloc[: len(counts) // part].sum() / counts.sum())


class TestFiles:
    def test_names_header_and_number_of_rows(self, files: list[Path], log: pd.DataFrame) -> None:
        assert [path.name for path in files] == ["2019-Oct.csv.gz", "2019-Nov.csv.gz", "2019-Dec.csv.gz"]
        assert sorted(files[0].parent.iterdir()) == sorted(files)
        for path in files:
            with gzip.open(path, "rt") as lines:
                assert next(lines) == (
                    "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,"
                    "user_session\n"
                )
        assert len(log) == ROWS

    def test_fields_look_like_rees46(self, log: pd.DataFrame) -> None:
        patterns = {
            "event_time": r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC",
            "event_type": "view|cart|purchase",
            "product_id": r"[1-9]\d{6,7}",
            "category_id": r"2053\d{15}",
            "category_code": r"([a-z_]+(\.[a-z_]+){0,3})?",
            "brand": "([a-z]+)?",
            "user_id": r"[45]\d{8}",
            "user_session": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        }
        for name, pattern in patterns.items():
            assert log[name].astype(str).str.fullmatch(pattern).all(), name
        assert (log.price > 0).all()

    def test_rows_of_a_file_are_sorted_and_of_its_month(self, files: list[Path]) -> None:
        for path, first_day in zip(files, calendar.FIRST_DAYS, strict=False):
            times = pd.read_csv(path).event_time
            assert times.is_monotonic_increasing
            assert set(times.str[:7]) == {f"{first_day:%Y-%m}"}
            assert times.str[:10].nunique() in (30, 31)

    def test_reads_as_rees46_with_right_shares(self, read: tuple[ReadCounts, pd.DataFrame]) -> None:
        counts, events = read
        assert counts.rows == ROWS
        shares = {name: count / ROWS for name, count in counts.event_types.items()}
        assert shares["view"] == pytest.approx(0.945, abs=0.01)
        assert shares["cart"] == pytest.approx(0.038, abs=0.007)
        assert shares["purchase"] == pytest.approx(0.016, abs=0.003)
        assert len(events) == counts.event_types["cart"] + counts.event_types["purchase"]
        assert not events.isna().any(axis=None)
        assert events.day.nunique() == sum(calendar.DAYS[:MONTHS])

    def test_same_seed_same_bytes_other_seed_other_bytes(self, tmp_path: Path) -> None:
        def content(name: str, seed: int) -> list[bytes]:
            return [path.read_bytes() for path in generate(tmp_path / name, 5_000, 2, seed)]

        first = content("first", 1)
        assert content("again", 1) == first
        assert all(a != b for a, b in zip(content("other", 2), first, strict=True))

    def test_many_slices_follow_each_other(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(calendar, "ROWS_PER_SLICE", 1_000)
        frame = pd.read_csv(generate(tmp_path, 20_500, 1, SEED)[0])
        assert len(frame) == 20_500
        assert frame.event_time.is_monotonic_increasing
        assert frame.event_time.str[:10].nunique() == 31

    @pytest.mark.parametrize("rows", [1, 2, 6, 53])
    def test_few_rows(self, tmp_path: Path, rows: int) -> None:
        files = generate(tmp_path, rows, 7, SEED)
        assert len(files) == 7
        assert sum(pc_csv.read_csv(path).num_rows for path in files) == rows
        with event_database(tmp_path / "spill", "1GB") as connection:
            assert rees46.read_events(connection, tmp_path).rows == rows


class TestStructure:
    def test_popularity_and_activity_are_heavy_tailed(self, log: pd.DataFrame) -> None:
        assert share_of_top(log.product_id, 10) > 0.5
        assert share_of_top(log.user_id, 10) > 0.5
        in_category = looks(log).groupby("category_id").product_id
        largest = in_category.nunique().nlargest(5).index
        assert np.mean([share_of_top(in_category.get_group(name), 5) for name in largest]) > 0.32
        # ... and yet no product and no user is most of the log
        assert log.product_id.value_counts(normalize=True).iloc[0] < 0.1
        assert log.user_id.value_counts(normalize=True).iloc[0] < 0.02

    def test_users_buy_in_the_category_that_they_bought_in_before(self, purchases: pd.DataFrame) -> None:
        hits, by_popularity, events = 0, 0.0, 0
        popularity = purchases.category_id.value_counts(normalize=True)
        for _, bought in purchases.groupby("user_id").category_id:
            for position in range(3, len(bought)):
                favourite = bought.iloc[:position].mode()[0]
                hits += bought.iloc[position] == favourite
                by_popularity += popularity[favourite]
                events += 1
        assert events > 500
        assert hits / events > 0.4
        assert hits / events > 3 * by_popularity / events

    def test_users_stay_under_few_roots(self, log: pd.DataFrame) -> None:
        named = log[log.category_code != ""]
        root = named.category_code.str.split(".").str[0]
        same = root.groupby(named.user_id).agg(lambda r: r.value_counts(normalize=True).iloc[0])
        assert same[root.groupby(named.user_id).size() >= 50].median() > 0.5
        assert root.value_counts(normalize=True).iloc[0] < 0.4

    def test_users_keep_to_a_price_level(self, log: pd.DataFrame, tmp_path: Path) -> None:
        def correlation(log: pd.DataFrame) -> float:
            """Of the price levels of a user's even and odd sessions."""
            seen = looks(log)
            seen = seen[seen.groupby("category_id").product_id.transform("nunique") >= 4]
            level = np.log(seen.price)
            level -= level.groupby(seen.category_id).transform("mean")
            half = seen.groupby("user_id").user_session.transform(lambda name: pd.factorize(name)[0] % 2)
            halves = level.groupby([seen.user_id, half]).agg(["mean", "size"]).unstack()
            halves = halves[(halves["size"] >= 15).all(axis=1)]["mean"]
            assert len(halves) > 200
            return float(halves[0].corr(halves[1]))

        assert correlation(log) > 0.8
        assert correlation(control(tmp_path, Structure(candidates=1))) < 0.6

    def test_brands_are_concentrated_in_roots(self, log: pd.DataFrame) -> None:
        named = log[(log.brand != "") & (log.category_code != "")].drop_duplicates("product_id")
        root = named.category_code.str.split(".").str[0]
        top = root.groupby(named.brand).agg(lambda r: r.value_counts(normalize=True).iloc[0])
        assert top[named.brand.value_counts() >= 5].median() > 0.6

    def test_users_have_favourite_brands(self, log: pd.DataFrame, tmp_path: Path) -> None:
        def same_brand(log: pd.DataFrame) -> float:
            """Share of the products new to a user whose brand is that of the last one in the category."""
            products = log[log.brand != ""].drop_duplicates(["user_id", "product_id"])
            last = products.groupby(["user_id", "category_id"]).brand.shift()
            return float((products.brand == last)[last.notna()].mean())

        assert same_brand(log) > same_brand(control(tmp_path, Structure(brand_weight=0.0))) + 0.02

    def test_most_purchases_follow_a_cart_within_minutes(self, log: pd.DataFrame) -> None:
        seconds = pd.to_datetime(log.event_time, format="%Y-%m-%d %H:%M:%S UTC").astype("int64") // 10**9
        carts = pd.Series(np.where(log.event_type == "cart", seconds, np.nan), log.index)
        keys = [log.user_id, log.user_session, log.product_id]
        wait = (seconds - carts.groupby(keys).ffill())[log.event_type == "purchase"]
        assert 0.75 < wait.notna().mean() < 0.98
        assert wait.median() < 120
        assert wait.min() >= 0

    def test_products_are_bought_again(self, log: pd.DataFrame, tmp_path: Path) -> None:
        def repeats(log: pd.DataFrame) -> float:
            """Share of the purchases of what the user bought before."""
            return float(log[log.event_type == "purchase"].duplicated(["user_id", "product_id"]).mean())

        assert repeats(log) > 0.15
        assert repeats(log) > repeats(control(tmp_path, Structure(regular_look_share=0.0))) + 0.03

    def test_missing_categories_and_brands(self, log: pd.DataFrame) -> None:
        assert (log.category_code == "").mean() == pytest.approx(0.25, abs=0.1)
        assert 0.05 < (log.brand == "").mean() < 0.4
        assert log.category_id[log.category_code == ""].nunique() > 20

    def test_category_codes_have_one_to_four_levels(self, log: pd.DataFrame) -> None:
        levels = log.category_code[log.category_code != ""].str.count(r"\.") + 1
        assert set(levels) == {1, 2, 3, 4}

    def test_a_session_is_of_one_user(self, log: pd.DataFrame) -> None:
        assert log.groupby("user_session").user_id.nunique().max() == 1
        assert 3 < len(log) / log.user_session.nunique() < 7

    def test_a_product_has_one_record(self, log: pd.DataFrame) -> None:
        fields = ["product_id", "category_id", "category_code", "brand", "price"]
        assert log.product_id.nunique() == len(log.drop_duplicates(fields))


def test_heavy_tailed_follows_its_law() -> None:
    count, head = 50, 2.0
    uniform = (np.arange(1_000_000) + 0.5) / 1_000_000
    share = np.bincount(heavy_tailed(uniform, count, head), minlength=count) / len(uniform)
    ranks = np.arange(count)
    expected = np.log((ranks + 1 + head) / (ranks + head)) / np.log((count + head) / head)
    np.testing.assert_allclose(share, expected, atol=2e-6)
    assert heavy_tailed(np.array([0.0, np.nextafter(1.0, 0.0)]), count, head).tolist() == [0, count - 1]


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"rows": 0}, "rows: must be at least 1, got 0"),
            ({"months": 0}, "months: must be from 1 to 7, got 0"),
            ({"months": 8}, "months: must be from 1 to 7, got 8"),
            ({"seed": -1}, "seed: must be at least 0, got -1"),
        ],
    )
    def test_bad_arguments(self, tmp_path: Path, arguments: dict[str, int], message: str) -> None:
        with pytest.raises(OfferbenchError, match=f"^{message}$"):
            generate(tmp_path, **{"rows": 100, "months": 1, "seed": 0, **arguments})
        assert not list(tmp_path.iterdir())

    def test_files_of_a_longer_run_are_refused(self, tmp_path: Path) -> None:
        generate(tmp_path, 100, 2, SEED)
        with pytest.raises(OfferbenchError, match=r"has 2019-Nov\.csv\.gz, which would be read together"):
            generate(tmp_path, 100, 1, SEED)

    def test_interrupted_month_leaves_no_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("offerbench.datasets.synthetic.generate.draw_rows", fail)
        with pytest.raises(KeyboardInterrupt):
            generate(tmp_path, 100, 1, SEED)
        assert not list(tmp_path.iterdir())

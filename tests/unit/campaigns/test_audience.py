"""Who is in an audience, in which order, who is held back, and the figures of it."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.campaigns.audience import (
    Audience,
    Size,
    audience_columns,
    audience_size,
    choose_audience,
    draw_control,
    eligible,
)
from offerbench.campaigns.audience_summary import summarise
from offerbench.campaigns.column_files import read_columns, write_columns
from offerbench.core.errors import OfferbenchError
from tests.oracle import audience as oracle

from .scores import AS_OF, drawn_scores, scored_of

NOBODY = np.empty(0, np.int64)
DAYS = st.none() | st.integers(1, 40).map(lambda days: AS_OF - timedelta(days=days))
USERS = st.lists(
    st.fixed_dictionaries(
        {
            "user": st.integers(-5, 60),
            "chance": st.sampled_from([0.0, 0.1, 0.1, 0.25, 0.5, 1.0]),  # many ties
            "expected_purchases": st.floats(0, 3),
            "past_purchases": st.integers(0, 9),
            "last_purchase": DAYS,
        }
    ),
    min_size=1,
    max_size=25,
    unique_by=lambda user: user["user"],
).map(lambda users: sorted(users, key=lambda user: user["user"]))


def rows_of(columns: Any) -> list[dict[str, Any]]:
    table = pd.DataFrame({name: np.asarray(column) for name, column in columns.items()}).drop(columns="group")
    rows = table.to_dict("records")
    for row in rows:
        row["last_purchase"] = (
            None if pd.isna(row["last_purchase"]) else pd.Timestamp(row["last_purchase"]).date()
        )
    return rows


@given(USERS, st.integers(1, 25), st.sets(st.integers(-9, 60)), st.none() | st.integers(0, 45))
def test_the_audience_is_that_of_the_plain_twin(
    users: list[dict[str, Any]], size: int, excluded: set[int], exclude_buyers: int | None
) -> None:
    scored = scored_of(users)
    wanted = oracle.audience(users, size, AS_OF, excluded, exclude_buyers)
    listed = np.array(sorted(excluded), np.int64)
    if len(wanted) < size:
        with pytest.raises(OfferbenchError, match=r"the audience is empty|only .* may be asked"):
            left = eligible(scored, AS_OF, listed, exclude_buyers)
            choose_audience(scored, left, Size(users=size), 0.0, np.random.default_rng(1))
        return
    left = eligible(scored, AS_OF, listed, exclude_buyers)
    audience = choose_audience(scored, left, Size(users=size), 0.0, np.random.default_rng(1))
    assert rows_of(audience_columns(scored, audience)) == wanted
    assert left.left + left.excluded_by_list + left.excluded_as_buyers == len(users)
    assert left.excluded_by_list == sum(user["user"] in excluded for user in users)


def test_a_purchase_on_the_first_of_the_days_counts() -> None:
    user = {"chance": 0.5, "expected_purchases": 1.0, "past_purchases": 1}
    scored = scored_of(
        [{**user, "user": days, "last_purchase": AS_OF - timedelta(days=days)} for days in (29, 30, 31)]
    )
    assert eligible(scored, AS_OF, NOBODY, 30).is_left.tolist() == [False, False, True]


@pytest.mark.parametrize(("share", "users"), [(0.1, 3), (0.12, 3), (0.001, 1), (1.0, 25), (0.5, 13)])
def test_a_share_is_of_the_users_that_may_be_asked(share: float, users: int) -> None:
    scored = drawn_scores(30, 1)
    left = eligible(scored, AS_OF, scored.user[:5], None)
    assert audience_size(Size(share=share), left) == users


@given(st.integers(1, 400), st.floats(0, 1, exclude_max=True), st.integers(0, 9))
def test_the_control_group_has_its_share(size: int, share: float, seed: int) -> None:
    held_back = int(size * share + 0.5)
    if share > 0 and not 0 < held_back < size:
        with pytest.raises(OfferbenchError, match=r"leaves nobody in the (target|control) group"):
            draw_control(size, share, np.random.default_rng(seed))
        return
    drawn, again = (draw_control(size, share, np.random.default_rng(seed)) for _ in range(2))
    assert drawn.sum() == held_back
    assert drawn.tolist() == again.tolist()


def test_every_rank_is_held_back_equally_often() -> None:
    generator = np.random.default_rng(5)
    times = sum(draw_control(10, 0.3, generator).astype(int) for _ in range(4000))
    assert np.abs(times / 4000 - 0.3).max() < 4 * np.sqrt(0.3 * 0.7 / 4000)


def test_the_figures_of_an_audience_known_by_hand() -> None:
    chances = [0.5, 0.2, 0.2, 0.1, 0.9]
    user = {"expected_purchases": 1.0, "past_purchases": 1, "last_purchase": None}
    scored = scored_of([{**user, "user": row, "chance": chance} for row, chance in enumerate(chances)])
    left = eligible(scored, AS_OF, np.array([4, 77]), None)
    audience = Audience(np.array([0, 1]), np.array([False, True]))
    chosen = scored.chance[audience.rows]
    summary = summarise("brand = '69'", AS_OF, 14, left, 1.0, chosen, audience.is_control)
    assert summary.as_json() == {
        "offer": "brand = '69'",
        "as_of": "2017-12-01",
        "horizon_days": 14,
        "users_considered": 5,
        "excluded_by_list": 1,
        "excluded_as_buyers": 0,
        "users_in_audience": 2,
        "users_in_control": 1,
        "expected_buyers": 0.7,
        "expected_buyers_at_random": 0.5,
        "share_of_expected_buyers": 0.7,
        "backtest": None,
    }
    text = summary.as_text().splitlines()
    assert "expected buyers in the audience  0.7" in text
    assert "share of all expected buyers     70.0%" in text


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".CSV"])
def test_a_file_has_what_was_chosen_and_can_be_read_as_a_list_of_users(tmp_path: Path, suffix: str) -> None:
    scored, file = drawn_scores(50, 3), tmp_path / f"audience{suffix}"
    left = eligible(scored, AS_OF, NOBODY, None)
    audience = choose_audience(scored, left, Size(users=20), 0.25, np.random.default_rng(2))
    write_columns(file, audience_columns(scored, audience))
    written = read_columns(
        file, {"user": int, "rank": int, "chance": float, "expected_purchases": float, "group": str}
    )
    assert written["user"].tolist() == scored.user[audience.rows].tolist()
    assert written["chance"].tolist() == scored.chance[audience.rows].tolist()
    assert written["rank"].tolist() == list(range(1, 21))
    assert (written["group"] == "control").tolist() == audience.is_control.tolist()
    assert read_columns(file, {"user": int}, header_needed=False)["user"].tolist() == written["user"].tolist()
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    if suffix == ".csv":
        header, first = file.read_text().splitlines()[:2]
        assert header == "user,rank,chance,expected_purchases,past_purchases,last_purchase,group"
        assert first.split(",")[1] == "1"
        last = pd.read_csv(file)["last_purchase"]
        assert last.isna().tolist() == np.isnat(scored.last_purchase[audience.rows]).tolist()
        assert date.fromisoformat(last.dropna().iloc[0]) < AS_OF


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("user\n1\nx\n", "Row #3: CSV conversion error to int64: invalid value 'x' (user is a whole number)"),
        ("id\n1\n", "Row #1: CSV conversion error to int64: invalid value 'id'"),
        ("1\n2.5\n", "Row #2: CSV conversion error to int64: invalid value '2.5'"),
        ("id,name\n1,a\n", "no column 'user'. Its first line has 'id', 'name'"),
        ("user,name\n1,a\n,b\n", "row 3 has no 'user', which must be a whole number"),
        ("\n", "an empty file"),
    ],
)
def test_a_file_that_is_no_list_of_users_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "users.csv"
    file.write_text(text)
    with pytest.raises(OfferbenchError) as raised:
        read_columns(file, {"user": int}, header_needed=False)
    assert str(raised.value).startswith(f"{file}: ")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OfferbenchError, match=r"audience.xlsx: must end in .csv or .parquet"):
        write_columns(tmp_path / "audience.xlsx", {"user": [1]})
    assert list(tmp_path.iterdir()) == []

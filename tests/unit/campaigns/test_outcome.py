"""What came of an audience: known answers of the interval, the groups, and what is refused."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.campaigns.as_of import EPOCH
from offerbench.campaigns.attributes import load_attributes
from offerbench.campaigns.later_purchases import buyers_in_file, buyers_in_prepared
from offerbench.campaigns.offer import offer_of_expression
from offerbench.campaigns.outcome import AskedUsers, measure_outcome, read_audience
from offerbench.campaigns.rate_difference import difference, rate
from offerbench.core.errors import OfferbenchError
from tests.oracle import outcome as oracle
from tests.unit.conftest import TinyData

DAY = date(2017, 12, 1)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        # Newcombe 1998, table II, method 10.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_published_intervals(one: tuple[int, int], other: tuple[int, int], low: float, high: float) -> None:
    found = difference(rate(*one), rate(*other))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


COUNTS = st.integers(1, 3000).flatmap(lambda users: st.tuples(st.integers(0, users), st.just(users)))


@given(COUNTS, COUNTS)
def test_the_interval_is_that_of_the_formula(one: tuple[int, int], other: tuple[int, int]) -> None:
    found = difference(rate(*one), rate(*other))
    assert (found.low, found.high) == pytest.approx(oracle.newcombe(one, other), abs=1e-9)
    back = difference(rate(*other), rate(*one))
    assert (back.value, back.low, back.high) == pytest.approx((-found.value, -found.high, -found.low))


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """A true effect of 2 points, drawn again and again."""
    generator = np.random.default_rng(3)
    counts = zip(generator.binomial(900, 0.07, 1500), generator.binomial(100, 0.05, 1500), strict=True)
    found = [difference(rate(int(a), 900), rate(int(b), 100)) for a, b in counts]
    covered = np.mean([one.low <= 0.02 <= one.high for one in found])
    assert 0.93 < covered < 0.98


def asked(groups: str, chances: list[float]) -> AskedUsers:
    return AskedUsers(
        np.arange(10, 10 + len(groups)), np.array(chances), np.array([group == "c" for group in groups])
    )


def test_groups_counted_by_hand() -> None:
    found = measure_outcome(asked("ttctc", [0.5, 0.25, 0.125, 0.5, 0.25]), np.array([10, 12, 13, 99]))
    assert (found.target.users, found.target.buyers, found.target.expected_buyers) == (3, 2, 1.25)
    assert found.control is not None and found.difference is not None
    assert (found.control.users, found.control.buyers, found.control.expected_buyers) == (2, 1, 0.375)
    assert found.difference.value == pytest.approx(2 / 3 - 1 / 2)
    content = found.as_json()
    assert content["target"]["rate"]["value"] == 0.666667
    assert content["difference"]["low"] < 0 < content["difference"]["high"]
    lines = found.as_text().splitlines()
    assert lines[2].split() == ["target", "3", "2", "66.67%", "20.77%", "to", "93.85%", "1.2", "0.62"]
    assert lines[3].split()[:4] == ["control", "2", "1", "50.00%"]
    assert lines[5].startswith("Target less control: +16.67% [")
    assert lines[5].endswith("buyers in the target group: the interval includes 0.")


def test_a_large_effect_is_said_to_be_one() -> None:
    found = measure_outcome(asked("t" * 200 + "c" * 200, [0.1] * 400), np.arange(10, 110))
    assert found.as_text().endswith("+100 [+86, +114] buyers in the target group: the interval excludes 0.")


def test_without_a_control_group_there_is_no_difference() -> None:
    found = measure_outcome(asked("tt", [0.5, 0.5]), np.array([], np.int64))
    assert found.control is None and found.difference is None
    assert found.as_json()["difference"] is None
    assert "Without a control group nobody knows" in found.as_text()
    assert found.as_text().splitlines()[2].endswith("-")  # nothing to divide by


@given(st.integers(0, 26), st.integers(1, 20))
def test_buyers_in_prepared_data_are_those_of_the_log(tiny_data: TinyData, start: int, horizon: int) -> None:
    attributes = load_attributes(tiny_data.directory)
    brand = next(iter(value for value in attributes.by_name["brand"].labels if value))
    offer = offer_of_expression(f"brand = '{brand}' or price_cluster > 5", attributes)
    is_of_offer = offer.matches(tiny_data.data.events).tolist()
    first = EPOCH + timedelta(days=min(event.day for event in tiny_data.targets))
    last = EPOCH + timedelta(days=max(event.day for event in tiny_data.targets))
    as_of = first + timedelta(days=start)
    if as_of > last:
        with pytest.raises(OfferbenchError, match=f"the data end on {last}, before {as_of}"):
            buyers_in_prepared(tiny_data.directory, offer, as_of, horizon)
        return
    wanted = oracle.buyers(tiny_data.targets, is_of_offer, as_of, horizon, EPOCH)
    assert buyers_in_prepared(tiny_data.directory, offer, as_of, horizon).tolist() == sorted(wanted)


def test_days_that_are_still_to_come_are_said(tiny_data: TinyData, caplog: pytest.LogCaptureFixture) -> None:
    offer = offer_of_expression("brand <> ''", load_attributes(tiny_data.directory))
    last = EPOCH + timedelta(days=max(event.day for event in tiny_data.targets))
    buyers_in_prepared(tiny_data.directory, offer, last, 14)
    assert caplog.messages == ["the data have 1 of the 14 days: buyers are still to come"]


def test_purchases_of_a_file_count_in_the_horizon(tmp_path: Path) -> None:
    file = tmp_path / "purchases.csv"
    file.write_text(
        "day,user,price\n2017-11-30,1,3\n2017-12-01,2,3\n2017-12-14,3,3\n2017-12-15,4,3\n2017-12-02,2,1\n"
    )
    assert buyers_in_file(file, DAY, 14).tolist() == [2, 3]
    file.write_text("user,day\n1,yesterday\n")
    with pytest.raises(OfferbenchError, match="Row #2: CSV conversion error to date32") as raised:
        buyers_in_file(file, DAY, 14)
    assert "day is a date such as 2017-12-01" in str(raised.value)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["1,0.5,target", "1,0.5,target"], "row 3: the user is there before"),
        (["1,0.5,target", "2,1.5,target"], "row 3: the chance must be 0 to 1"),
        (["1,0.5,target", "2,inf,target"], "row 3: 'chance' must be a finite number"),
        (["1,0.5,target", "2,nan,target"], "row 3 has no 'chance', which must be a number"),
        (["1,0.5,target", "2,0.5,treated"], "row 3: the group must be target or control"),
        (["1,0.5,control"], "nobody is in the group 'target'"),
        ([], "nobody is in the group 'target'"),
        (["x,0.5,target"], "Row #2: CSV conversion error to int64: invalid value 'x'"),
    ],
)
def test_a_file_that_is_no_audience_is_refused(tmp_path: Path, lines: list[str], words: str) -> None:
    file = tmp_path / "audience.csv"
    file.write_text("\n".join(["user,chance,group", *lines]) + "\n")
    with pytest.raises(OfferbenchError) as raised:
        read_audience(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert words in str(raised.value)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user,rank\n1,1\n")
    with pytest.raises(OfferbenchError, match=r"no column 'chance', 'group'. Its first line has 'user'"):
        read_audience(tmp_path / "users.csv")

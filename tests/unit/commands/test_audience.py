"""`offerbench audience`: files and figures of a made-up score (refusals: tests/bad_input)."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from offerbench import cli
from offerbench.campaigns.as_of import data_days
from offerbench.campaigns.backtest_reach import BacktestSizes, OffersOfSize
from tests.unit.campaigns.scores import FakeScore, drawn_scores
from tests.unit.conftest import TinyData

USERS = 120
OFFER = "price_cluster > 5"
CAMPAIGNS = """\
messages_per_user: 1
control: 0.1
seed: 3
campaigns:
  - {name: dear, offer: price_cluster > 5, size: 20}
  - {name: cheap, offer: price_cluster < 5, size: 30}
"""


@pytest.fixture
def score(tiny_data: TinyData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeScore:
    """A checkout with prepared data, in which the score gives drawn chances."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("data/prepared").symlink_to(tiny_data.directory)
    fake = FakeScore(USERS, [])
    monkeypatch.setattr("offerbench.commands.campaign_score.load_campaign_score", lambda: fake)
    monkeypatch.setattr("offerbench.commands.campaign_score.load_backtest_sizes", lambda: None)
    return fake


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["offerbench", *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


def run_audience(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    return run(monkeypatch, "audience", "--output", "audience.csv", *words)


def files() -> set[str]:
    return {path.name for path in Path().iterdir()} - {"data"}


def test_an_offer_in_and_ranked_users_out(
    score: FakeScore, tiny_data: TinyData, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        run_audience(monkeypatch, OFFER, "--size", "40", "--control", "0.25", "--exclude-buyers", "30") == 0
    )
    last = data_days(tiny_data.directory)[1]
    assert score.asked == [([OFFER], date.fromordinal(last.toordinal() + 1), 14)]
    table = pd.read_csv("audience.csv")
    assert table["rank"].tolist() == list(range(1, 41))
    assert table["chance"].is_monotonic_decreasing
    assert table["group"].value_counts().to_dict() == {"target": 30, "control": 10}
    figures = json.loads(Path("audience.json").read_text())
    assert figures["offer"] == OFFER
    assert figures["expected_buyers"] == pytest.approx(table["chance"].sum(), abs=1e-6)
    assert figures["users_considered"] == USERS
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("audience: scored 120 users (")
    assert "users considered                 120" in lines
    assert f"expected buyers in the audience  {table['chance'].sum():.1f}" in lines
    assert files() == {"audience.csv", "audience.json"}


def test_what_the_backtest_reached_with_offers_of_that_size_is_told(
    score: FakeScore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bought = float((drawn_scores(USERS, 0).past_purchases > 0).mean())
    sizes = BacktestSizes(
        horizon_days=14,
        heads={},
        users=[0.0, 0.1, 0.5, 1.0],
        sizes=[
            OffersOfSize(
                bought_before_from=low,
                bought_before_below=high,
                offers=1234,
                buyers=5678,
                expected_over_actual=0.98765432,
                buyers_reached=[0.0, 0.4, 0.8, 1.0],
            )
            for low, high in ((0.0, bought), (bought, bought + 0.1))
        ],
    )
    monkeypatch.setattr("offerbench.commands.campaign_score.load_backtest_sizes", lambda: sizes)
    assert run_audience(monkeypatch, OFFER, "--size", "36") == 0
    printed = capsys.readouterr().out
    assert "60.0% of the buyers with 30.0% of the users" in printed  # half way from 10% to 50%
    assert "0.99 buyers expected for each actual one" in printed
    assert f"(1,234 offers that {bought:.1%} to {bought + 0.1:.1%} of the users had bought before" in printed
    told = json.loads(Path("audience.json").read_text())["backtest"]
    assert told["share_of_buyers"] == 0.6 and told["expected_over_actual"] == 0.987654
    assert told["offers"] == 1234 and told["bought_before_from"] == round(bought, 6)
    assert run_audience(monkeypatch, OFFER, "--size", "36", "--horizon", "7") == 0
    assert "reached in the backtest" not in capsys.readouterr().out  # it had another horizon
    assert json.loads(Path("audience.json").read_text())["backtest"] is None


def test_a_plan_tells_of_each_campaign_what_the_backtest_reached(
    score: FakeScore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bought = [float((drawn_scores(USERS, seed).past_purchases > 0).mean()) for seed in (0, 1)]
    assert bought[0] != bought[1]
    known = OffersOfSize(
        bought_before_from=bought[1],
        bought_before_below=bought[1] + 1e-9,
        offers=12,
        buyers=34,
        expected_over_actual=0.98765432,
        buyers_reached=[0.0, 0.4, 0.8, 1.0],
    )
    sizes = BacktestSizes(horizon_days=14, heads={}, users=[0.0, 0.1, 0.5, 1.0], sizes=[known])
    assert run_plan(monkeypatch, CAMPAIGNS) == 0
    assert "in the backtest" not in capsys.readouterr().out
    without = json.loads(Path("plan/plan.json").read_text())
    monkeypatch.setattr("offerbench.commands.campaign_score.load_backtest_sizes", lambda: sizes)
    assert run_plan(monkeypatch, CAMPAIGNS) == 0
    lines = capsys.readouterr().out.splitlines()
    (cheap,) = (line.split() for line in lines if line.startswith("cheap") and "%" in line and "." in line)
    assert cheap[-2:] == ["55.0%", "0.99"]  # 30 of 120 users: 3 eighths of the way from 10% to 50%
    (dear,) = (line.split() for line in lines if line.startswith("dear") and line.endswith("-"))
    assert dear[-2:] == ["-", "-"]  # no offer of its size
    told = json.loads(Path("plan/cheap.json").read_text())["backtest"]
    assert (told["share_of_buyers"], told["share_of_users"], told["offers"]) == (0.55, 0.25, 12)
    plan = json.loads(Path("plan/plan.json").read_text())
    assert plan["campaigns"]["cheap"]["backtest"] == told
    assert plan["campaigns"]["dear"]["backtest"] is None
    plan["campaigns"]["cheap"]["backtest"] = None
    assert plan == without  # the plan itself is the same


def test_the_same_command_gives_the_same_bytes(score: FakeScore, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    for seed in ("1", "1", "2"):
        assert run_audience(monkeypatch, OFFER, "--share", "0.5", "--control", "0.2", "--seed", seed) == 0
        written.append(Path("audience.csv").read_bytes())
    assert written[0] == written[1]
    assert written[0] != written[2]


def test_an_earlier_audience_can_be_excluded(
    score: FakeScore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "audience", OFFER, "--size", "20", "--output", "first.parquet") == 0
    assert run_audience(monkeypatch, OFFER, "--size", "20", "--exclude", "first.parquet") == 0
    first, second = pd.read_parquet("first.parquet"), pd.read_csv("audience.csv")
    assert not set(first["user"]) & set(second["user"])
    assert first["chance"].min() >= second["chance"].max()
    assert json.loads(Path("audience.json").read_text())["excluded_by_list"] == 20
    Path("unknown.csv").write_text("user\n-1\n-2\n")
    capsys.readouterr()
    assert run_audience(monkeypatch, OFFER, "--size", "20", "--exclude", "unknown.csv") == 0
    assert "warning: 2 of 2 users to exclude are not in the data" in capsys.readouterr().out


def test_a_list_of_products_and_another_day(
    score: FakeScore, tiny_data: TinyData, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = next(iter(tiny_data.labels("product_id")))
    Path("products.csv").write_text(f"product_id\n{product}\n")
    words = ("--products", "products.csv", "--as-of", "2019-10-10", "--horizon", "7", "--size", "3")
    assert run_audience(monkeypatch, *words) == 0
    assert score.asked == [([f"\"product_id\" IN ('{product}')"], date(2019, 10, 10), 7)]


def test_without_models_it_says_which_stage_makes_them(
    score: FakeScore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from offerbench.commands import campaign_score as module
    from offerbench.core.errors import OfferbenchError

    def missing() -> Any:
        raise OfferbenchError("models/head.json: no such file. Run `dvc repro train_head` to make it.")

    monkeypatch.setattr(module, "load_campaign_score", missing)
    assert run_audience(monkeypatch, OFFER, "--size", "5") == 2
    assert "Run `dvc repro train_head`" in capsys.readouterr().err
    assert files() == set()


def run_plan(monkeypatch: pytest.MonkeyPatch, text: str, *words: str) -> int:
    Path("campaigns.yaml").write_text(text)
    return run(monkeypatch, "audience", "--campaigns", "campaigns.yaml", "--output", "plan", *words)


def test_more_pairs_than_there_is_room_for_are_cut_and_said_to_be(
    score: FakeScore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("offerbench.campaigns.plan_size.MAX_PAIRS", 70)
    assert run_plan(monkeypatch, CAMPAIGNS) == 0  # each needs its best 50
    printed = capsys.readouterr()
    assert "only the best 35 users of each campaign were looked at" in printed.out + printed.err
    assert "below the best plan." in printed.out
    plan = json.loads(Path("plan/plan.json").read_text())
    assert plan["is_exact"] is False
    assert plan["expected_buyers"] <= plan["bound"]
    monkeypatch.setattr("offerbench.campaigns.plan_size.MAX_PAIRS", 10**6)
    assert run_plan(monkeypatch, CAMPAIGNS) == 0
    best = json.loads(Path("plan/plan.json").read_text())
    assert plan["expected_buyers"] <= best["expected_buyers"] <= plan["bound"] + 1e-6
    monkeypatch.setattr("offerbench.campaigns.plan_size.MAX_PAIRS", 50)
    capsys.readouterr()
    assert run_plan(monkeypatch, CAMPAIGNS) == 0
    filled = sum(len(pd.read_csv(f"plan/{name}.csv")) for name in ("dear", "cheap"))
    printed = capsys.readouterr()
    assert (f"{50 - filled} places stay empty" in printed.out + printed.err) == (filled < 50)
    monkeypatch.setattr("offerbench.campaigns.plan_size.MAX_PAIRS", 49)
    assert run_plan(monkeypatch, CAMPAIGNS) == 2
    assert "the campaigns want 50 messages" in capsys.readouterr().err


def test_several_campaigns_share_the_users(
    score: FakeScore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):  # an earlier plan is replaced
        assert run_plan(monkeypatch, CAMPAIGNS) == 0
    names = {"dear.csv", "dear.json", "cheap.csv", "cheap.json", "plan.json", "overlap.png"}
    assert {path.name for path in Path("plan").iterdir()} == names
    tables = {name: pd.read_csv(f"plan/{name}.csv") for name in ("dear", "cheap")}
    assert {name: len(table) for name, table in tables.items()} == {"dear": 20, "cheap": 30}
    assert not set(tables["dear"]["user"]) & set(tables["cheap"]["user"])
    assert tables["cheap"]["group"].value_counts().to_dict() == {"target": 27, "control": 3}
    plan = json.loads(Path("plan/plan.json").read_text())
    expected = sum(table["chance"].sum() for table in tables.values())
    assert plan["is_exact"] is True
    assert plan["expected_buyers"] == plan["bound"] == pytest.approx(expected, abs=1e-6)
    assert plan["campaigns"]["dear"]["offer"] == "price_cluster > 5"
    wanted, planned = plan["overlap"]["best_users_of_each"], plan["overlap"]["in_the_plan"]
    assert planned == {"dear": {"dear": 20, "cheap": 0}, "cheap": {"dear": 0, "cheap": 30}}
    users = drawn_scores(USERS, 0).user
    best = [
        set(users[np.argsort(-drawn_scores(USERS, seed).chance)[:size]]) for seed, size in ((0, 20), (1, 30))
    ]
    assert wanted["dear"]["cheap"] == wanted["cheap"]["dear"] == len(best[0] & best[1]) > 0
    text = capsys.readouterr().out
    assert f"{expected:.1f} expected buyers as of" in text
    assert "with 1 message for each user at most: the best plan." in text


def test_a_plan_gives_the_same_bytes_whatever_the_order_of_the_pairs(
    score: FakeScore, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    for _ in range(2):
        assert run_plan(monkeypatch, CAMPAIGNS) == 0
        written.append({path.name: path.read_bytes() for path in Path("plan").iterdir()})
    assert written[0] == written[1]


def test_a_plan_too_large_says_its_gap(
    score: FakeScore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_plan(monkeypatch, "exact_pairs: 1\n" + CAMPAIGNS) == 0
    plan = json.loads(Path("plan/plan.json").read_text())
    assert plan["is_exact"] is False
    assert plan["gap"] == pytest.approx(1 - plan["expected_buyers"] / plan["bound"], abs=2e-6)
    assert f"at most {plan['gap']:.2%} below the best plan." in capsys.readouterr().out


def test_excluded_users_are_in_no_campaign(score: FakeScore, monkeypatch: pytest.MonkeyPatch) -> None:
    excluded = drawn_scores(USERS, 0).user[::3]
    Path("users.csv").write_text("\n".join(map(str, excluded)))
    assert run_plan(monkeypatch, CAMPAIGNS, "--exclude", "users.csv") == 0
    for name in ("dear", "cheap"):
        assert not set(pd.read_csv(f"plan/{name}.csv")["user"]) & set(excluded)

"""`offerbench outcome`: from an audience and later events to a table (refusals: tests/bad_input)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from offerbench import cli
from offerbench.campaigns.as_of import EPOCH
from tests.unit.conftest import TinyData

AS_OF = "2019-10-12"
OFFER = "price_cluster > 5"


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["offerbench", "outcome", *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


@pytest.fixture
def audience(tiny_data: TinyData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """A checkout with prepared data, and an audience of 60 of its users."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("data/prepared").symlink_to(tiny_data.directory)
    users = pd.read_parquet("data/prepared/users.parquet")["user"].to_numpy()[:60]
    table = pd.DataFrame({"user": users, "chance": 0.25, "group": ["target", "target", "control"] * 20})
    table.to_csv("audience.csv", index=False)
    facts = {"offer": OFFER, "as_of": AS_OF, "horizon_days": 7, "users_in_audience": 60}
    Path("audience.json").write_text(json.dumps(facts))
    return table


def test_the_groups_are_those_of_the_file_and_the_events_those_of_the_horizon(
    audience: pd.DataFrame,
    tiny_data: TinyData,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, "audience.csv", "--output", "outcome.json") == 0
    found = json.loads(Path("outcome.json").read_text())
    matching = tiny_data.labels("price_cluster")
    labels = [label for value, label in matching.items() if value and float(value) > 5]
    events = tiny_data.data.events
    first = (pd.Timestamp(AS_OF).date() - EPOCH).days
    counts = np.isin(events["price_cluster"], labels) & (events["day"] >= first) & (events["day"] < first + 7)
    numbers = pd.read_parquet("data/prepared/users.parquet")["user"].to_numpy()
    bought = set(numbers[events["user"][counts]])
    for group in ("target", "control"):
        users = set(audience["user"][audience["group"] == group])
        assert found[group]["users"] == len(users)
        assert found[group]["buyers"] == len(users & bought) > 0
        assert found[group]["expected_buyers"] == len(users) / 4
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:4] == ["group", "users", "buyers", "rate"]
    assert lines[-1].startswith("Target less control: ")


def test_a_file_of_purchases_will_do_and_the_command_may_say_what_counts(
    audience: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    users = audience["user"].tolist()
    lines = [f"{users[0]},2019-10-12", f"{users[2]},2019-10-13", f"{users[1]},2019-10-20"]
    Path("purchases.csv").write_text("user,day\n" + "\n".join(lines) + "\n")
    assert run(monkeypatch, "audience.csv", "purchases.csv", "--output", "outcome.json") == 0
    found = json.loads(Path("outcome.json").read_text())
    assert (found["target"]["buyers"], found["control"]["buyers"]) == (1, 1)
    assert "outcome: 2 of 3 purchases are in the horizon" in capsys.readouterr().out
    Path("audience.json").unlink()
    words = ("--offer", OFFER, "--as-of", "2019-10-13", "--horizon", "14")
    assert run(monkeypatch, "audience.csv", "purchases.csv", "--output", "outcome.json", *words) == 0
    found = json.loads(Path("outcome.json").read_text())
    assert (found["target"]["buyers"], found["control"]["buyers"]) == (1, 1)
    assert "2 of 3 purchases" in capsys.readouterr().out

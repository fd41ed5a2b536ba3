"""campaigns.yaml, and the stage that plans it."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from offerbench.campaigns.campaigns_file import load_campaigns
from tests.unit.conftest import TinyData

from .scores import FakeScore

REPOSITORY = Path(__file__).parents[3]
CAMPAIGNS = """\
messages_per_user: 2
control: 0.0
seed: 3
file_format: parquet
campaigns:
  - {name: dear, offer: price_cluster > 5, size: 20}
  - {name: cheap, offer: price_cluster < 5, size: 30}
"""


def test_the_committed_campaigns_are_valid() -> None:
    campaigns = load_campaigns(REPOSITORY / "campaigns.yaml")
    assert len(campaigns.campaigns) == 3
    assert campaigns.as_of is None


def test_a_day_is_read(tmp_path: Path) -> None:
    (tmp_path / "campaigns.yaml").write_text(f"as_of: 2017-12-01\n{CAMPAIGNS}")
    assert str(load_campaigns(tmp_path / "campaigns.yaml").as_of) == "2017-12-01"


def run_stage(tiny_data: TinyData, directory: Path, monkeypatch: pytest.MonkeyPatch, campaigns: str) -> None:
    """Run the stage on the tiny data, which params.yaml calls rees46."""
    monkeypatch.chdir(directory)
    shutil.copy(REPOSITORY / "presets/rees46.yaml", "params.yaml")
    Path("campaigns.yaml").write_text(campaigns)
    Path("data").mkdir()
    Path("data/prepared").symlink_to(tiny_data.directory)
    monkeypatch.setattr("offerbench.commands.campaign_score.load_campaign_score", lambda: FakeScore(120, []))
    specification = importlib.util.spec_from_file_location("stage", REPOSITORY / "stages/audiences.py")
    assert specification is not None and specification.loader is not None
    stage = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(stage)
    stage.main()


def test_the_stage_plans_the_file(
    tiny_data: TinyData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_stage(tiny_data, tmp_path, monkeypatch, f"dataset: rees46\n{CAMPAIGNS}")
    names = {"dear.parquet", "dear.json", "cheap.parquet", "cheap.json", "plan.json", "overlap.png"}
    assert {path.name for path in Path("data/audiences").iterdir()} == names
    plan = json.loads(Path("data/audiences/plan.json").read_text())
    # Two messages for each user are enough for two campaigns: each has its best users.
    assert plan["overlap"]["best_users_of_each"] == plan["overlap"]["in_the_plan"]
    assert "with 2 messages for each user at most: the best plan." in capsys.readouterr().out


def test_the_stage_plans_nothing_for_another_data_set(
    tiny_data: TinyData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run_stage(tiny_data, tmp_path, monkeypatch, f"dataset: complete_journey\n{CAMPAIGNS}")
    assert {path.name for path in Path("data/audiences").iterdir()} == {"plan.json"}
    assert json.loads(Path("data/audiences/plan.json").read_text()) == {"campaigns": {}}
    assert caplog.messages == ["campaigns.yaml is for complete_journey, the data are rees46: no audience"]

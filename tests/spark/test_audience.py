"""Audiences on Spark against one machine: every file the same bytes."""

import logging
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from offerbench.campaigns import score as score_module
from offerbench.campaigns.attributes import load_attributes
from offerbench.campaigns.audience import Size
from offerbench.campaigns.campaigns_file import load_campaigns
from offerbench.campaigns.delivery import Request, deliver_audience
from offerbench.campaigns.offer import offer_of_expression
from offerbench.campaigns.plan_delivery import campaign_offers, deliver_plan
from offerbench.campaigns.scored_users import CampaignScore
from offerbench.commands.campaign_score import load_campaign_score
from offerbench.core.paths import PARAMETERS_FILE, PREPARED_DIRECTORY
from offerbench.engines.spark_score import SparkScore
from tests.unit.campaigns.conftest import make_checkout
from tests.unit.parameters import COMPLETE, merged

from .conftest import LOCAL

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("configured_tensorflow")]
CAMPAIGNS = {
    "dataset": None,
    "as_of": None,
    "horizon_days": 3,
    "messages_per_user": 1,
    "exclude_buyers_days": None,
    "exact_pairs": 10_000,
    "control": 0.1,
    "seed": 3,
    "file_format": "csv",
    "campaigns": [
        {"name": "brands", "offer": "brand = 'brand2'", "size": 9},
        {"name": "cheap", "offer": "price_cluster < 3 or brand = 'brand1'", "size": 12},
    ],
}


def delivered(score: CampaignScore, directory: Path) -> dict[str, bytes]:
    """Deliver an audience as of an earlier day, another as of the last, and a plan; give all files."""
    directory.mkdir()
    attributes = load_attributes(PREPARED_DIRECTORY)
    offer = offer_of_expression("brand = 'brand2' or product_id = '3'", attributes)
    for day in (date(2019, 10, 22), date(2019, 10, 26)):
        request = Request(day, 3, Size(share=0.4), np.array([5, 8, 10**6]), 2, 0.2, 7)
        deliver_audience(score, offer, request, directory / f"{day}.csv")
    with (directory / "campaigns.yaml").open("w") as file:
        YAML().dump(CAMPAIGNS, file)
    campaigns = load_campaigns(directory / "campaigns.yaml")
    offers = campaign_offers(campaigns, attributes)
    deliver_plan(score, campaigns, offers, date(2019, 10, 26), np.empty(0, np.int64), directory / "plan")
    return {
        str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*") if file.is_file()
    }


def test_files_are_those_of_one_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("offerbench.model.runtime.configure", lambda threads: None)  # it is set up already
    monkeypatch.setattr(score_module, "USERS_AT_A_TIME", 20)  # some parts a shard, some shards
    make_checkout(tmp_path / "checkout")
    monkeypatch.chdir(tmp_path / "checkout")
    expected = delivered(load_campaign_score(), tmp_path / "expected")
    spark = {**LOCAL, "work_directory": str(tmp_path / "work"), "users_per_shard": 40}
    with PARAMETERS_FILE.open("w") as file:
        YAML().dump(merged(COMPLETE, {"resources.spark": spark}), file)
    score = load_campaign_score()
    assert isinstance(score, SparkScore)
    with caplog.at_level(logging.INFO):
        found = delivered(score, tmp_path / "found")
    assert found.keys() == expected.keys() > {"2019-10-22.csv", "2019-10-26.json", "plan/brands.csv"}
    assert [name for name in found if found[name] != expected[name]] == []
    assert list((tmp_path / "work").iterdir()) == []
    assert "scored with what was known before 2019-10-20" in caplog.text

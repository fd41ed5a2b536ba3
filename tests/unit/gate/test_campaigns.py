"""The gate on the backtest: campaigns of the past that are ranked worse fail it."""

import json
from pathlib import Path
from typing import Any

import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.gate.campaigns import CampaignResults, campaign_tolerance, read_campaigns
from offerbench.gate.compare import Verdict, compare
from offerbench.gate.results import load_results
from offerbench.gate.version import at_revision, working_tree

from ..git_repository import commit_all
from .checkout import Results

TOLERANCE = {"all": None, "popular": None, "cold_start": None}


def content(campaign: float, half_width: float | None = 0.004) -> dict[str, Any]:
    def table(value: float | None) -> dict[str, Any]:
        rows = {"campaign": value, "count": value}
        return {"all": {"brand": rows, "mean": rows}, "few_buyers": {"brand": {"campaign": None}}}

    return {"wauc": table(campaign), "half_widths": table(half_width), "gaps": {}, "counts": {}}


def write(directory: Path, campaign: float | None, **changes: Any) -> None:
    """Results whose backtest has one wAUC everywhere; without a backtest if it is None."""
    results = Results()
    results.parameters = {key.replace("__", "."): value for key, value in changes.items()}
    results.write(directory)
    if campaign is not None:
        (directory / "metrics/campaign.json").write_text(json.dumps(content(campaign)))
        results.write_lock(directory)


@pytest.fixture
def checkout(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(repository)
    write(repository, 0.83)
    commit_all(repository)
    return repository


def verdicts(tolerance: dict[str, float | None] = TOLERANCE) -> dict[tuple[str, str], Verdict]:
    found = compare(load_results(at_revision("HEAD")), load_results(working_tree()), tolerance)
    return {(row.task, row.model): row.verdict for row in found if row.measure == "campaign"}


@pytest.mark.parametrize(
    ("now", "verdict"), [(0.825, Verdict.FELL), (0.8261, Verdict.WITHIN), (0.8345, Verdict.ROSE)]
)
def test_a_fall_beyond_the_baselines_interval_fails(checkout: Path, now: float, verdict: Verdict) -> None:
    write(checkout, now)
    assert verdicts() == {("brand", "campaign"): verdict, ("brand", "count"): verdict}  # no mean, no other


def test_a_tolerance_that_is_set_counts(checkout: Path) -> None:
    write(checkout, 0.825)
    assert set(verdicts({**TOLERANCE, "all": 0.01}).values()) == {Verdict.WITHIN}
    assert set(verdicts({**TOLERANCE, "all": 0.001}).values()) == {Verdict.FELL}


def test_a_backtest_that_is_gone_is_refused_and_a_new_one_is_new(checkout: Path) -> None:
    write(checkout, None)
    with pytest.raises(
        OfferbenchError, match=r"campaign.json: brand.campaign: no value, but HEAD .* has one"
    ):
        verdicts()
    commit_all(checkout)
    write(checkout, 0.5)
    assert set(verdicts().values()) == {Verdict.NEW}


def test_other_dates_are_another_measurement(checkout: Path) -> None:
    write(checkout, 0.83, backtest__dates=["2019-10-20"])
    with pytest.raises(OfferbenchError, match=r"other backtest\.dates.*measured in another way"):
        verdicts()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not valid JSON"),
        (json.dumps({"wauc": {}}), "half_widths: Field required"),
        (json.dumps(content(1.5)), "less than or equal to 1"),
    ],
)
def test_a_damaged_file_is_named(checkout: Path, text: str, reason: str) -> None:
    (checkout / "metrics/campaign.json").write_text(text)
    with pytest.raises(OfferbenchError, match=f"campaign.json.*{reason}"):
        read_campaigns(working_tree())


def test_a_half_width_is_needed_where_no_tolerance_is_set() -> None:
    with pytest.raises(OfferbenchError, match=r"half_widths.all.brand.campaign: no half width"):
        campaign_tolerance(("brand", "campaign"), CampaignResults(), "HEAD", None)

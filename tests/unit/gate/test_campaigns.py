"""The gate on the backtest: campaigns of the past that are ranked worse fail it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.evaluation.bootstrap import Samples
from offerbench.evaluation.sample_files import SampleKey, write_samples
from offerbench.gate.campaigns import CAMPAIGN_SAMPLES_FILE, campaign_tolerance, read_campaigns
from offerbench.gate.compare import Verdict, compare
from offerbench.gate.results import load_results
from offerbench.gate.version import at_revision, working_tree

from ..git_repository import commit_all
from .checkout import Gate, Results

ROWS = ("campaign", "count")
TOLERANCE = {"all": None, "popular": None, "cold_start": None}


def content(campaign: float, half_width: float | None = 0.004) -> dict[str, Any]:
    def table(value: float | None) -> dict[str, Any]:
        rows = dict.fromkeys(ROWS, value)
        return {"all": {"brand": rows, "mean": rows}, "few_buyers": {"brand": {"campaign": None}}}

    return {"wauc": table(campaign), "half_widths": table(half_width), "gaps": {}, "counts": {}}


def drawn(campaign: float, noise: float, seed: int, samples: int = 200) -> dict[SampleKey, Samples]:
    """Samples that differ by their users, the same in all versions, and by a version's own noise."""
    users = np.random.default_rng(0).normal(0, 0.01, samples)
    own = np.random.default_rng(seed)
    return {("all", "brand", row): campaign + users + own.normal(0, noise, samples) for row in ROWS}


def write(
    directory: Path,
    campaign: float | None,
    samples: Mapping[SampleKey, Samples] | None = None,
    **changes: Any,
) -> None:
    """Results whose backtest has one wAUC everywhere; without a backtest if it is None."""
    results = Results()
    results.parameters = {key.replace("__", "."): value for key, value in changes.items()}
    results.write(directory)
    if campaign is not None:
        (directory / "metrics/campaign.json").write_text(json.dumps(content(campaign)))
        if samples is not None:
            write_samples(directory / CAMPAIGN_SAMPLES_FILE, samples.items())
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


@pytest.mark.parametrize(
    ("now", "noise", "verdict"),
    [(0.828, 0.0003, Verdict.FELL), (0.832, 0.0003, Verdict.ROSE), (0.828, 0.003, Verdict.WITHIN)],
)
def test_a_small_fall_on_the_same_users_is_seen(
    checkout: Path, now: float, noise: float, verdict: Verdict
) -> None:
    write(checkout, 0.83, drawn(0.83, 0, 1))
    commit_all(checkout)
    write(checkout, now, drawn(now, noise, 2))  # within .004, the baseline's own interval
    assert set(verdicts().values()) == {verdict}


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (None, "working tree has no bootstrap samples of brand.campaign"),
        (
            {("all", "brand", "campaign"): np.zeros(200)},
            "working tree has no bootstrap samples of brand.count",
        ),
        (drawn(0.828, 0.0003, 2, samples=100), "they have different numbers of bootstrap samples"),
    ],
)
def test_backtests_that_can_not_be_paired_go_by_the_own_interval_and_it_is_said(
    checkout: Path, gate: Gate, samples: dict[SampleKey, Samples] | None, reason: str
) -> None:
    write(checkout, 0.83, drawn(0.83, 0, 1))
    commit_all(checkout)
    write(checkout, 0.828, samples)
    outcome = gate(checkout, "--baseline", "HEAD")
    assert outcome.status == 0
    assert f"gate: campaigns are compared with the baseline's own intervals: {reason}.\n" in outcome.out
    assert "campaigns are" not in gate(checkout, "--baseline", "HEAD", "--tolerance", "0.01").out


def test_samples_that_are_none_or_another_runs_are_refused(checkout: Path) -> None:
    write(checkout, 0.83, drawn(0.83, 0, 1))
    (checkout / CAMPAIGN_SAMPLES_FILE).write_bytes(b"PAR1PAR1")
    with pytest.raises(OfferbenchError, match=r"campaign_samples.parquet is not what dvc.lock says"):
        load_results(working_tree())
    Results().write_lock(checkout)
    with pytest.raises(OfferbenchError, match=r"campaign_samples.parquet: not a file of samples"):
        load_results(working_tree())


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
        campaign_tolerance(("brand", "campaign"), {}, "HEAD", None)

"""The backtest of two versions: wAUC of the campaigns of the past."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter

from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import METRICS_DIRECTORY
from offerbench.evaluation.bootstrap import Samples
from offerbench.evaluation.sample_files import parse_samples
from offerbench.gate.json_files import read_checked_json
from offerbench.gate.version import Version

CAMPAIGN = "campaign"
"""What the gate's table calls the measure."""
CAMPAIGN_FILE = METRICS_DIRECTORY / "campaign.json"
CAMPAIGN_SAMPLES_FILE = METRICS_DIRECTORY / "campaign_samples.parquet"
MEASURED_BY = (
    *("prepare_past.cuts", "train_activity.horizon_days", "backtest.dates", "backtest.max_offers"),
    *("backtest.seed", "backtest.bootstrap"),
)
"""Parameters that say which campaigns are replayed."""
SEGMENT, MEAN = "all", "mean"

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Place = tuple[str, str]
"""Task and row."""
Values = dict[Place, float]


class _Content(BaseModel):
    wauc: dict[str, dict[str, dict[str, Share | None]]]
    half_widths: dict[str, dict[str, dict[str, Share | None]]]


CONTENT = TypeAdapter(_Content)


@dataclass(frozen=True)
class CampaignResults:
    """wAUC of the campaigns of one version, over all offers; empty without a backtest."""

    wauc: Values = field(default_factory=dict)
    half_widths: Values = field(default_factory=dict)
    """Half the width of each one's 95% interval."""
    samples: dict[Place, Samples] = field(default_factory=dict)
    """wAUC of each bootstrap sample of the users; empty if the version has none."""


def read_campaigns(version: Version) -> CampaignResults:
    """Read metrics/campaign.json of a version, and its samples; a version of old has none.

    Raises
    ------
    OfferbenchError
        If a file can't be parsed, or holds a value that is no wAUC.
    """
    content = read_checked_json(version, CAMPAIGN_FILE, CONTENT)
    if content is None:
        return CampaignResults()
    return CampaignResults(_values(content.wauc), _values(content.half_widths), _read_samples(version))


def _read_samples(version: Version) -> dict[Place, Samples]:
    content = version.read(CAMPAIGN_SAMPLES_FILE)
    if content is None:
        return {}
    found = parse_samples(content, f"{version.name}: {CAMPAIGN_SAMPLES_FILE}")
    return {(task, row): values for (segment, task, row), values in found.items() if segment == SEGMENT}


def _values(table: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Values:
    return {
        (task, row): value
        for task, rows in table.get(SEGMENT, {}).items()
        if task != MEAN
        for row, value in rows.items()
        if value is not None
    }


def campaigns_not_paired(
    baseline: tuple[str, CampaignResults], now: tuple[str, CampaignResults]
) -> str | None:
    """Say why the backtests of two versions can't be compared user by user; None if they can.

    Data, split, dates and draws are the same, or the versions would not be compared at all: so every sample
    has the same users in both.

    Parameters
    ----------
    baseline, now : (str, CampaignResults)
        Name of a version, and its backtest.
    """
    for name, results in (baseline, now):
        if missing := [place for place in baseline[1].wauc if place not in results.samples]:
            return f"{name} has no bootstrap samples of {'.'.join(missing[0])}"
    lengths = {len(values) for _, results in (baseline, now) for values in results.samples.values()}
    return "they have different numbers of bootstrap samples" if len(lengths) > 1 else None


def campaign_tolerance(place: Place, half_widths: Values, name: str, fixed: float | None) -> float:
    """How far a wAUC may fall: what is set for all offers, else the half width.

    Parameters
    ----------
    place : (str, str)
        Task and row.
    half_widths : dict of float
        Of the intervals of the differences, or of the baseline's own.
    name : str
        Of the baseline.
    fixed : float, optional
        What is set.

    Raises
    ------
    OfferbenchError
        If neither is known.
    """
    if fixed is not None:
        return fixed
    if place not in half_widths:
        raise OfferbenchError(
            f"{name}: {CAMPAIGN_FILE}: half_widths.{SEGMENT}.{'.'.join(place)}: no half width of an "
            f"interval, and gate.tolerance.{SEGMENT} is null. Set it, or give --tolerance."
        )
    return half_widths[place]

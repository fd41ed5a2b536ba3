"""The backtest of two versions: wAUC of the campaigns of the past."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter

from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import METRICS_DIRECTORY
from offerbench.gate.json_files import read_checked_json
from offerbench.gate.version import Version

CAMPAIGN = "campaign"
"""What the gate's table calls the measure."""
CAMPAIGN_FILE = METRICS_DIRECTORY / "campaign.json"
MEASURED_BY = (
    *("prepare_past.cuts", "train_activity.horizon_days", "backtest.dates", "backtest.max_offers"),
    *("backtest.seed", "backtest.bootstrap"),
)
"""Parameters that say which campaigns are replayed."""
SEGMENT, MEAN = "all", "mean"

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Values = dict[tuple[str, str], float]
"""A number for each task and row."""


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


def read_campaigns(version: Version) -> CampaignResults:
    """Read metrics/campaign.json of a version; a version of old has none.

    Raises
    ------
    OfferbenchError
        If it can't be parsed, or holds a value that is no wAUC.
    """
    content = read_checked_json(version, CAMPAIGN_FILE, CONTENT)
    if content is None:
        return CampaignResults()
    return CampaignResults(_values(content.wauc), _values(content.half_widths))


def _values(table: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Values:
    return {
        (task, row): value
        for task, rows in table.get(SEGMENT, {}).items()
        if task != MEAN
        for row, value in rows.items()
        if value is not None
    }


def campaign_tolerance(
    cell: tuple[str, str], results: CampaignResults, name: str, fixed: float | None
) -> float:
    """How far a wAUC may fall: what is set for all offers, else the baseline's own half width.

    Raises
    ------
    OfferbenchError
        If neither is known.
    """
    if fixed is not None:
        return fixed
    if cell not in results.half_widths:
        raise OfferbenchError(
            f"{name}: {CAMPAIGN_FILE}: half_widths.{SEGMENT}.{'.'.join(cell)}: no half width of an interval, "
            f"and gate.tolerance.{SEGMENT} is null. Set it, or give --tolerance."
        )
    return results.half_widths[cell]

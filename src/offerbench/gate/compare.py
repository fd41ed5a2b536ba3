"""Compare two versions' wAUC, value by value, on the same users."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np

from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import RAW_DIRECTORY
from offerbench.evaluation.bootstrap import Samples, simultaneous_half_widths
from offerbench.evaluation.pairs import Measure
from offerbench.evaluation.results import DIGITS
from offerbench.gate.campaigns import (
    CAMPAIGN,
    CAMPAIGN_FILE,
    SEGMENT,
    campaign_tolerance,
    campaigns_not_paired,
)
from offerbench.gate.campaigns import MEASURED_BY as MEASURED_BY_CAMPAIGNS
from offerbench.gate.lock import check_same_measurement
from offerbench.gate.results import Cell, Results, half_widths_file, wauc_file

MIN_HALF_WIDTH = 1e-4
"""Another processor moves the last digits of the same model's wAUC; no fall is smaller than this."""


Key = TypeVar("Key")


class Verdict(StrEnum):
    """What became of a wAUC."""

    FELL = "fell"
    WITHIN = "within tolerance"
    ROSE = "rose"
    NEW = "new"


@dataclass(frozen=True)
class Comparison:
    """One wAUC in both versions."""

    measure: str
    """`published`, `clean`, or `campaign`."""
    segment: str
    task: str
    model: str
    baseline: float | None
    """None if only the version at hand has it."""
    now: float
    tolerance: float | None
    """How far `now` may be below; None without a baseline."""

    @property
    def difference(self) -> float | None:
        """How much `now` is above the baseline, to the digits that are written."""
        return None if self.baseline is None else round(self.now - self.baseline, DIGITS)

    @property
    def verdict(self) -> Verdict:
        """Whether it fell or rose by more than the tolerance."""
        if self.difference is None or self.tolerance is None:
            return Verdict.NEW
        if abs(self.difference) <= self.tolerance:
            return Verdict.WITHIN
        return Verdict.ROSE if self.difference > 0 else Verdict.FELL


def compare(baseline: Results, now: Results, tolerance: Mapping[str, float | None]) -> list[Comparison]:
    """Compare every wAUC of the baseline, and list those that are new.

    Parameters
    ----------
    baseline, now : Results
        The two versions.
    tolerance : mapping of str to float or None
        How far a wAUC of a segment may fall. None: half the width of the interval of the difference, on the
        users of both versions; or of the baseline's own interval, if they can't be paired (`not_paired`).

    Raises
    ------
    OfferbenchError
        If the versions can't be compared: made from other data or for other tasks, measured in another way, a
        value is missing, or a half width is missing where one is needed.
    """
    _check_same_origin(baseline, now)
    before, after = baseline.wauc, now.wauc
    for cell in before:
        if cell not in after:
            raise OfferbenchError(
                f"{now.name}: {wauc_file(cell[0])}: {_key(cell)}: no value, but {baseline.name} has one. "
                "Run `dvc repro`, or choose another baseline (--baseline)."
            )
    if not any(measure is Measure.PUBLISHED for measure, *_ in before):
        raise OfferbenchError(
            f"{baseline.name}: {wauc_file(Measure.PUBLISHED)}: no value to compare. "
            "Choose another baseline (--baseline)."
        )
    widths = baseline.half_widths
    if not not_paired(baseline, now):
        widths = half_widths_of_differences(baseline.samples, now.samples, list(before))
    found = [
        Comparison(
            *cell,
            before.get(cell),
            value,
            _tolerance(cell, baseline.name, widths, tolerance) if cell in before else None,
        )
        for cell, value in after.items()
    ]
    return [*found, *_compare_campaigns(baseline, now, tolerance.get(SEGMENT))]


def _compare_campaigns(baseline: Results, now: Results, fixed: float | None) -> Iterator[Comparison]:
    """Compare the backtests, if both have one, as other wAUC are compared."""
    before, after = baseline.campaigns, now.campaigns
    if before.wauc and after.wauc:
        check_same_measurement(
            (baseline.name, baseline.parameters), (now.name, now.parameters), MEASURED_BY_CAMPAIGNS
        )
    for task, row in before.wauc:
        if (task, row) not in after.wauc:
            raise OfferbenchError(
                f"{now.name}: {CAMPAIGN_FILE}: {task}.{row}: no value, but {baseline.name} has one. "
                "Run `dvc repro`, or choose another baseline (--baseline)."
            )
    is_paired = campaigns_not_paired((baseline.name, before), (now.name, after)) is None
    widths = before.half_widths
    if is_paired:
        widths = half_widths_of_differences(before.samples, after.samples, list(before.wauc))
    for cell, value in after.wauc.items():
        known = cell in before.wauc
        allowed = campaign_tolerance(cell, widths, baseline.name, fixed) if known else None
        yield Comparison(CAMPAIGN, SEGMENT, *cell, before.wauc.get(cell), value, allowed)


def not_paired(baseline: Results, now: Results) -> str | None:
    """Say why the versions can't be compared user by user; None if they can."""
    for version in (baseline, now):
        if not version.samples:
            return f"{version.name} has no bootstrap samples"
    if baseline.batches_md5 is None or baseline.batches_md5 != now.batches_md5:
        return "they were measured on other batches"
    lengths = {len(values) for version in (baseline, now) for values in version.samples.values()}
    if len(lengths) > 1:
        return "they have different numbers of bootstrap samples"
    if missing := [cell for cell in baseline.wauc if cell not in baseline.samples or cell not in now.samples]:
        return f"one has no bootstrap samples of {missing[0][0]}.{_key(missing[0])}"
    return None


def half_widths_of_differences(
    before: Mapping[Key, Samples], after: Mapping[Key, Samples], keys: Sequence[Key]
) -> dict[Key, float]:
    """Half the widths of the intervals of all differences, from samples of the users that both have.

    They hold for all differences at once; see `simultaneous_half_widths`.
    """
    if not keys:
        return {}
    widths = simultaneous_half_widths(np.array([after[key] - before[key] for key in keys]))
    return {
        key: max(round(float(width), DIGITS), MIN_HALF_WIDTH)
        for key, width in zip(keys, widths, strict=True)
        if np.isfinite(width)
    }


def _tolerance(
    cell: Cell, name: str, half_widths: Mapping[Cell, float], tolerance: Mapping[str, float | None]
) -> float:
    measure, segment, *_ = cell
    fixed = tolerance.get(segment)
    if fixed is not None:
        return fixed
    half_width = half_widths.get(cell)
    if half_width is None:
        raise OfferbenchError(
            f"{name}: {half_widths_file(measure)}: {_key(cell)}: no half width of an interval, and "
            f"gate.tolerance.{segment} is null. Set it, or give --tolerance."
        )
    return half_width


def _key(cell: Cell) -> str:
    """Where a cell is in the file of its measure."""
    return ".".join(cell[1:])


def _check_same_origin(baseline: Results, now: Results) -> None:
    """Refuse wAUC that were measured on something else."""
    advice = "Choose a baseline made like this one (--baseline)."
    for what, there, here in (
        ("data set", baseline.dataset, now.dataset),
        (f"data, md5 of {RAW_DIRECTORY / now.dataset}", baseline.data_md5, now.data_md5),
        ("tasks", ", ".join(sorted(baseline.tasks)), ", ".join(sorted(now.tasks))),
    ):
        if there != here:
            raise OfferbenchError(f"other {what}: {there} in {baseline.name}, {here} in {now.name}. {advice}")
    check_same_measurement((baseline.name, baseline.parameters), (now.name, now.parameters))

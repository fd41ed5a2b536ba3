"""From what the backtest measured to the content of its files."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.config import Backtest
from offerbench.campaigns.results import ALL, SEGMENTS, TaskCampaigns, rows_of
from offerbench.campaigns.rows import CampaignRow
from offerbench.campaigns.sizes import POINTS, SIZES, add_sizes
from offerbench.evaluation.bootstrap import Samples, half_width
from offerbench.evaluation.sample_files import SampleKey

DIGITS = 6
MEAN = "mean"
GAIN_POINTS = np.linspace(0, 1, 21)
"""Parts of the users at which gain curves are written."""


def wauc_content(results: Mapping[str, TaskCampaigns]) -> dict[str, Any]:
    """Give wAUC and half widths by segment, task and row, and the gaps of the campaign score to each row."""
    waucs, widths, gaps = ({segment: {} for segment in SEGMENTS} for _ in range(3))  # type: ignore[var-annotated]
    for segment in SEGMENTS:
        rows = [str(row) for row in rows_of(segment)]
        values = {task: {row: result.wauc(segment, row) for row in rows} for task, result in results.items()}
        sampled = {
            task: {row: result.sampled(segment, row) for row in rows} for task, result in results.items()
        }
        known = [task for task in results if np.isfinite(values[task][CampaignRow.CAMPAIGN])]
        if known:
            values[MEAN] = {row: float(np.mean([values[task][row] for task in known])) for row in rows}
            sampled[MEAN] = {row: np.mean([sampled[task][row] for task in known], axis=0) for row in rows}
        for task in values:
            waucs[segment][task] = {row: rounded(value) for row, value in values[task].items()}
            widths[segment][task] = {row: rounded(half_width(each)) for row, each in sampled[task].items()}
            best, of_best = values[task][CampaignRow.CAMPAIGN], sampled[task][CampaignRow.CAMPAIGN]
            gaps[segment][task] = {
                row: {
                    "gap": rounded(best - values[task][row]),
                    "half_width": rounded(half_width(of_best - sampled[task][row])),
                }
                for row in rows
                if row != CampaignRow.CAMPAIGN
            }
    return {"wauc": waucs, "half_widths": widths, "gaps": gaps}


def campaign_samples(results: Mapping[str, TaskCampaigns]) -> Iterator[tuple[SampleKey, Samples]]:
    """List the bootstrap samples of wAUC over all offers, of every task and row: what the gate compares."""
    for task, result in results.items():
        for row in rows_of(ALL):
            yield (ALL, task, str(row)), result.sampled(ALL, row)


def campaign_content(results: Mapping[str, TaskCampaigns], backtest: Backtest) -> dict[str, Any]:
    """Give all that metrics/campaign.json has: wAUC, gaps, reach, calibration, counts."""
    reach: dict[str, Any] = {}
    calibration: dict[str, Any] = {}
    counts: dict[str, Any] = {}
    for task, result in results.items():
        reach[task] = {
            str(row): {
                f"{share:g}": rounded(value)
                for share, value in zip(backtest.shares, result.reach(row, backtest.shares), strict=True)
            }
            for row in CampaignRow.of_all_offers()
        }
        calibration[task] = {
            str(row): _calibration(result, row, backtest) for row in CampaignRow.with_chances()
        }
        counts[task] = {
            "buyers": result.buyers,
            "bought_offers": {segment: result.offers(segment) for segment in SEGMENTS},
            "dates": {
                each.date: {
                    "users": each.users,
                    "offers": each.offers,
                    "bought_offers": int(each.masks[ALL].sum()),
                    "buyers": int(each.bought.sum()),
                }
                for each in result.dates
            },
        }
    if results:
        reach[MEAN] = {
            str(row): {
                share: rounded(float(np.mean([reach[task][row][share] for task in results])))
                for share in next(iter(reach.values()))[row]
            }
            for row in CampaignRow.of_all_offers()
        }
    return {**wauc_content(results), "reach": reach, "calibration": calibration, "counts": counts}


def _calibration(result: TaskCampaigns, row: str, backtest: Backtest) -> dict[str, Any]:
    whole = result.calibration(row, backtest.bins)
    dates = [each.date for each in result.dates]
    by_date = {date: result.calibration(row, backtest.bins, date).ratio for date in dates}
    widths = {date: half_width(result.sampled_calibration(row, date)) for date in dates}
    return {
        "expected_over_actual": rounded(whole.ratio),
        "half_width": rounded(half_width(result.sampled_calibration(row))),
        "error": rounded(whole.error),
        "by_date": {date: rounded(ratio) for date, ratio in by_date.items()},
        "half_widths_by_date": {date: rounded(width) for date, width in widths.items()},
    }


def curve_content(results: Mapping[str, TaskCampaigns], backtest: Backtest) -> dict[str, Any]:
    """Give the points of gain curves and calibration plots."""
    points = GAIN_POINTS[1:-1].tolist()
    gains = {
        task: {
            str(row): [0.0, *(rounded(value) for value in result.reach(row, points)), 1.0]
            for row in CampaignRow.of_all_offers()
        }
        for task, result in results.items()
    }
    bins: dict[str, Any] = {}
    for task, result in results.items():
        bins[task] = {}
        for row in CampaignRow.with_chances():
            found = result.calibration(row, backtest.bins)
            pairs = np.maximum(found.pairs, 1)
            bins[task][str(row)] = {
                "expected": _list(found.expected / pairs),
                "actual": _list(found.actual / pairs),
            }
    return {"users": [rounded(point) for point in GAIN_POINTS], "gains": gains, "calibration": bins}


def _list(values: npt.NDArray[np.float64]) -> list[float | None]:
    return [rounded(value) for value in values]


def rounded(value: Any) -> float | None:
    """Round for a file; None for what is no number."""
    return None if value is None or not np.isfinite(value) else round(float(value), DIGITS)


def size_content(
    results: Mapping[str, TaskCampaigns], horizon: int, heads: Mapping[str, str]
) -> dict[str, Any]:
    """Give what the campaign score reached by the size of the offer, all tasks and dates together.

    Parameters
    ----------
    results : mapping of TaskCampaigns
        Of each task.
    horizon : int
        Days in which a purchase counted.
    heads : mapping of str
        Digest of the head of each cut: who reads the file knows by them whether it is of the same run.
    """
    dates = [each for result in results.values() for each in result.dates]
    sizes = []
    for (low, high), parts in zip(SIZES, zip(*(each.sizes for each in dates), strict=True), strict=False):
        found = add_sizes(parts)
        if found.buyers:
            sizes.append(
                {
                    "bought_before_from": low,
                    "bought_before_below": high,
                    "offers": found.offers,
                    "buyers": found.buyers,
                    "expected_over_actual": rounded(found.expected / found.buyers),
                    "buyers_reached": [rounded(value) for value in found.reached / found.buyers],
                }
            )
    return {"horizon_days": horizon, "heads": dict(heads), "users": list(POINTS), "sizes": sizes}

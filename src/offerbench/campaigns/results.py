"""From scored campaigns of the past to the tables of the backtest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.campaigns.backtest import Scored
from offerbench.campaigns.config import Backtest
from offerbench.campaigns.measures import (
    Calibration,
    Mask,
    Matrix,
    SampledAuc,
    audience_sizes,
    buyers_reached,
    calibrate,
    offer_auc,
    sampled_auc,
)
from offerbench.campaigns.rows import CampaignRow
from offerbench.campaigns.timeline import Floats, Ints, Labels
from offerbench.evaluation.bootstrap import Samples, Weights, half_width, sampled_wauc
from offerbench.evaluation.wauc import wauc

DIGITS = 6
MEAN = "mean"
ALL, FEW_BUYERS, NEW, BEST_SELLERS = "all", "few_buyers", "new", "best_sellers"
SEGMENTS = (ALL, FEW_BUYERS, NEW, BEST_SELLERS)
GAIN_POINTS = np.linspace(0, 1, 21)
"""Parts of the users at which gain curves are written."""


def rows_of(segment: str) -> tuple[CampaignRow, ...]:
    """Give the rows that score every offer of a segment."""
    return tuple(CampaignRow) if segment == BEST_SELLERS else CampaignRow.of_all_offers()


@dataclass(frozen=True, eq=False)
class DateResult:
    """What was measured of a task as of one date, of the offers that somebody bought."""

    date: str
    users: int
    offers: int
    masks: Mapping[str, Mask]
    """Offers of each segment. Shape (bought offers,)."""
    auc: Mapping[str, Floats]
    """AUC of each offer for each row, NaN where there is none. Shape (bought offers,)."""
    positives: Ints
    """Buyers of each offer. Shape (bought offers,)."""
    sampled: SampledAuc
    """Of the bootstrap samples."""
    reached: Mapping[str, Ints]
    """For each row that scores all offers, buyers among the n best users. Shape (users + 1,)."""
    chances: Mapping[str, Matrix]
    """For each row that gives any, of all offers that the vocabulary has. Shape (users, offers)."""
    bought: Mask
    """Who bought what of these. Shape (users, offers)."""


def measure_date(
    scored: Scored, test_users: Labels, weights: Weights, backtest: Backtest, generator: np.random.Generator
) -> DateResult:
    """Measure a task as of one date.

    Parameters
    ----------
    scored : Scored
        Scores and buyers.
    test_users : int32, shape (all test users,)
        Ascending.
    weights : int32, shape (all test users, samples)
        How often each is drawn: the same for all dates and tasks.
    backtest : Backtest
        Parameters.
    generator : numpy.random.Generator
        Source of the order of equal scores.
    """
    some = np.flatnonzero(scored.bought.any(axis=0))
    bought, is_best = scored.bought[:, some], scored.is_best_seller[some]
    named = ~scored.is_unnamed
    masks = {
        ALL: named[some],
        FEW_BUYERS: named[some] & (scored.earlier_buyers[some] <= backtest.few_buyers),
        NEW: scored.age[some] <= backtest.new_days,
        BEST_SELLERS: is_best,
    }
    auc, of_all = {}, {}
    for row in CampaignRow:
        values = scored.scores[row][:, some]
        covered = np.ones(len(some), bool) if row in CampaignRow.of_all_offers() else is_best
        auc[str(row)] = np.full(len(some), np.nan)
        auc[str(row)][covered] = offer_auc(values[:, covered], bought[:, covered]).auc
        of_all[str(row)] = np.where(covered, values, 0)  # what it has no score for is looked at in no segment
    return DateResult(
        date=scored.date,
        users=len(scored.users),
        offers=int(named.sum()),
        masks=masks,
        auc=auc,
        positives=bought.sum(axis=0),
        sampled=sampled_auc(of_all, bought, weights[np.searchsorted(test_users, scored.users)]),
        reached={
            str(row): buyers_reached(scored.scores[row][:, named], scored.bought[:, named], generator)
            for row in CampaignRow.of_all_offers()
        },
        chances={str(row): each[:, named].astype(np.float32) for row, each in scored.chances.items()},
        bought=scored.bought[:, named],
    )


@dataclass(frozen=True, eq=False)
class TaskCampaigns:
    """What was measured of a task, all dates together."""

    dates: Sequence[DateResult]

    def wauc(self, segment: str, row: str) -> float:
        """AUC over users of each offer and date, weighted by buyers; NaN if there is no offer."""
        auc = np.concatenate([each.auc[row][each.masks[segment]] for each in self.dates])
        positives = np.concatenate([each.positives[each.masks[segment]] for each in self.dates])
        known = np.isfinite(auc)
        return wauc(auc[known], positives[known])

    def sampled(self, segment: str, row: str) -> Samples:
        """WAUC in every bootstrap sample of the users; float64, shape (samples,)."""
        positives, negatives, wins = (
            np.concatenate([part[each.masks[segment]] for part, each in zip(parts, self.dates, strict=True)])
            for parts in (
                [each.sampled.positives for each in self.dates],
                [each.sampled.negatives for each in self.dates],
                [each.sampled.wins[row] for each in self.dates],
            )
        )
        every = {segment: np.ones(len(positives), bool)}
        return sampled_wauc(positives, negatives, wins, every)[segment]

    def offers(self, segment: str) -> int:
        """Offers that somebody bought, counted for each date."""
        return int(sum(each.masks[segment].sum() for each in self.dates))

    def reach(self, row: str, shares: Sequence[float]) -> list[float]:
        """Share of the buyers among so many best users, all offers and dates together."""
        found = np.zeros(len(shares))
        for each in self.dates:
            found += each.reached[row][audience_sizes(each.users, shares)]
        return list(found / max(self.buyers, 1))

    @property
    def buyers(self) -> int:
        """Buyers of all offers and dates."""
        return int(sum(each.bought.sum() for each in self.dates))

    def calibration(self, row: str, bins: int, date: str | None = None) -> Calibration:
        """Compare expected and actual buyers, of all dates or one."""
        some = [each for each in self.dates if date in (None, each.date)]
        return calibrate([each.chances[row] for each in some], [each.bought for each in some], bins)


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
    by_date = {each.date: result.calibration(row, backtest.bins, each.date).ratio for each in result.dates}
    return {
        "expected_over_actual": rounded(whole.ratio),
        "error": rounded(whole.error),
        "by_date": {date: rounded(ratio) for date, ratio in by_date.items()},
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


def collect(
    scored: Iterable[Scored], test_users: Labels, weights: Weights, backtest: Backtest
) -> dict[str, TaskCampaigns]:
    """Measure scored campaigns as they come; the results of a task stand by its name, dates ascending."""
    found: dict[str, list[DateResult]] = {}
    generator = np.random.default_rng([backtest.seed, 1])
    for each in scored:
        found.setdefault(each.task, []).append(measure_date(each, test_users, weights, backtest, generator))
    return {task: TaskCampaigns(dates) for task, dates in found.items()}

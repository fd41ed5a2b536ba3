"""From scored campaigns of the past to what was measured of a task, date by date and in all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

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
from offerbench.campaigns.sizes import SizeResult, measure_sizes
from offerbench.campaigns.timeline import Floats, Ints, Labels
from offerbench.evaluation.bootstrap import Samples, Weights, sampled_wauc
from offerbench.evaluation.wauc import wauc

ALL, FEW_BUYERS, NEW, BEST_SELLERS = "all", "few_buyers", "new", "best_sellers"
SEGMENTS = (ALL, FEW_BUYERS, NEW, BEST_SELLERS)


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
    sampled_expected: Mapping[str, Samples]
    """For each row that gives chances, the buyers of these that it expects in every bootstrap sample of the
    users. Shape (samples,)."""
    sampled_actual: Samples
    """The buyers of these in every sample. Shape (samples,)."""
    sizes: Sequence[SizeResult]
    """What the campaign score reached, by the size of the offer, for each of `SIZES`."""


def measure_date(
    scored: Scored,
    test_users: Labels,
    weights: Weights,
    backtest: Backtest,
    generator: np.random.Generator,
    size_generator: np.random.Generator,
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
    generator, size_generator : numpy.random.Generator
        Sources of the order of equal scores, among all offers and among those of a size.
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
    drawn = weights[np.searchsorted(test_users, scored.users)]
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
        sampled=sampled_auc(of_all, bought, drawn),
        reached={
            str(row): buyers_reached(scored.scores[row][:, named], scored.bought[:, named], generator)
            for row in CampaignRow.of_all_offers()
        },
        chances={str(row): each[:, named].astype(np.float32) for row, each in scored.chances.items()},
        bought=scored.bought[:, named],
        sampled_expected={
            str(row): sampled_totals(each[:, named], drawn) for row, each in scored.chances.items()
        },
        sampled_actual=sampled_totals(scored.bought[:, named], drawn),
        sizes=measure_sizes(scored, size_generator),
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

    def sampled_calibration(self, row: str, date: str | None = None) -> Samples:
        """Divide expected by actual buyers in every bootstrap sample of the users, of all dates or one.

        Returns
        -------
        float64, shape (samples,)
            NaN in samples without a buyer.
        """
        some = [each for each in self.dates if date in (None, each.date)]
        expected = np.sum([each.sampled_expected[row] for each in some], axis=0)
        actual = np.sum([each.sampled_actual for each in some], axis=0)
        return np.divide(expected, actual, out=np.full(len(actual), np.nan), where=actual > 0)


def sampled_totals(values: Matrix | Mask, weights: Weights) -> Samples:
    """Sum over users and offers in every bootstrap sample of the users.

    Parameters
    ----------
    values : float or bool, shape (users, offers)
        Chances, or who bought what.
    weights : int32, shape (users, samples)
        How often each user is drawn.

    Returns
    -------
    float64, shape (samples,)
    """
    of_user = values.sum(axis=1, dtype=np.float64)
    return np.asarray((of_user[:, None] * weights).sum(axis=0), np.float64)


def collect(
    scored: Iterable[Scored], test_users: Labels, weights: Weights, backtest: Backtest
) -> dict[str, TaskCampaigns]:
    """Measure scored campaigns as they come; the results of a task stand by its name, dates ascending."""
    found: dict[str, list[DateResult]] = {}
    generators = [np.random.default_rng([backtest.seed, number]) for number in (1, 2)]
    for each in scored:
        measured = measure_date(each, test_users, weights, backtest, *generators)
        found.setdefault(each.task, []).append(measured)
    return {task: TaskCampaigns(dates) for task, dates in found.items()}

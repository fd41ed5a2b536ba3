"""The backtest: strict in time and in users, and its tables."""

import math
from collections.abc import Iterator
from contextlib import chdir
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offerbench.campaigns.backtest import Scored, run_backtest
from offerbench.campaigns.cuts import cut_of, past_cuts
from offerbench.campaigns.dated_task import draw_offers
from offerbench.campaigns.measures import offer_auc
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.result_content import MEAN, campaign_content, campaign_samples, curve_content
from offerbench.campaigns.results import SEGMENTS, TaskCampaigns, collect, rows_of
from offerbench.campaigns.rows import CampaignRow
from offerbench.campaigns.train_past import users_of
from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import PREPARED_DIRECTORY
from offerbench.evaluation.bootstrap import draw_weights, half_width
from offerbench.preparation.prepared import load_prepared

from ..parameters import backtest_parameters, head_parameters
from .conftest import CUT, TASKS, make_checkout

BACKTEST = backtest_parameters()


def run(**changes: Any) -> Iterator[Scored]:
    return run_backtest(
        past_cuts([CUT]),
        TASKS,
        backtest_parameters(**changes),
        lambda cut: Moment(cut, head_parameters()),
        load_prepared(PREPARED_DIRECTORY),
    )


@pytest.fixture(scope="module")
def scored(finished_checkout: Path) -> list[Scored]:
    with chdir(finished_checkout):
        return list(run())


def test_every_row_scores_every_task_and_date(scored: list[Scored]) -> None:
    assert [(each.task, each.date) for each in scored] == [
        (task, date) for task in TASKS for date in BACKTEST.dates
    ]
    for each in scored:
        assert set(each.scores) == set(CampaignRow)
        for row in CampaignRow.of_all_offers():
            assert np.isfinite(each.scores[row]).all()
        for row in CampaignRow.of_single_offers():
            assert (np.isfinite(each.scores[row]).all(axis=0) == each.is_best_seller).all()
        for chances in each.chances.values():
            assert ((chances > 0) & (chances < 1)).all()
        assert each.bought.any()


def test_rows_are_what_they_say(scored: list[Scored]) -> None:
    for each in scored:
        by_activity = each.scores[CampaignRow.ACTIVITY]
        assert (by_activity == by_activity[:, :1]).all()  # the same for every offer
        count, decayed = each.scores[CampaignRow.COUNT], each.scores[CampaignRow.DECAYED_COUNT]
        assert (count == np.round(count)).all() and count.max() > 1
        for offer in range(count.shape[1]):
            never, buyers = decayed[count[:, offer] == 0, offer], decayed[count[:, offer] > 0, offer]
            assert not len(never) or not len(buyers) or never.max() < buyers.min()
            # Among those who never bought it, activity decides.
            order = np.argsort(by_activity[count[:, offer] == 0, offer], kind="stable")
            assert (np.diff(never[order]) >= 0).all()


def with_another_future(lines: list[str]) -> list[str]:
    """The same users on the same days; from the cut on, each with the product of another event."""
    later = [place for place, line in enumerate(lines) if line[:10] >= CUT]
    fields = [line.split(",") for line in lines]
    changed = list(lines)
    for place, other in zip(later, [*later[5:], *later[:5]], strict=True):
        changed[place] = ",".join([*fields[place][:2], *fields[other][2:7], *fields[place][7:]])
    return changed


def test_nothing_from_the_date_on_reaches_a_score(
    scored: list[Scored], finished_checkout: Path, tmp_path: Path
) -> None:
    """What people buy later is changed: scores as of the cut keep every bit, and the buyers are others."""
    make_checkout(tmp_path, with_another_future)
    at_cut = past_cuts([CUT])[0]
    with chdir(tmp_path):
        again = list(run(dates=[CUT]))
        other = Moment(at_cut, head_parameters())
        kept = (other.data.offer_sizes, other.activity.content(), other.head.content())
    with chdir(finished_checkout):
        moment = Moment(at_cut, head_parameters())
        assert kept == (moment.data.offer_sizes, moment.activity.content(), moment.head.content())
    before = [each for each in scored if each.date == CUT]
    for one, changed in zip(before, again, strict=True):
        assert (one.bought != changed.bought).any()
        assert one.users.tolist() == changed.users.tolist()
        for row in CampaignRow:
            assert np.array_equal(one.scores[row], changed.scores[row], equal_nan=True)
        for row in CampaignRow.with_chances():
            assert (one.chances[row] == changed.chances[row]).all()


def test_a_date_before_all_cuts_is_refused() -> None:
    with pytest.raises(OfferbenchError, match="2019-10-01 is before every day"):
        cut_of("2019-10-01", past_cuts([CUT]))
    assert cut_of("2019-10-23", past_cuts(["2019-10-05", CUT, "2019-10-24"])).name == CUT


def test_a_date_whose_horizon_is_not_over_is_refused(checkout: Path) -> None:
    with pytest.raises(OfferbenchError, match="2019-10-24 plus train_activity"):
        next(run(dates=["2019-10-24"]))


def test_best_sellers_are_kept_where_offers_are_drawn() -> None:
    is_kept = np.zeros(50, bool)
    is_kept[[3, 40]] = True
    drawn = draw_offers(is_kept, 10, np.random.default_rng(0))
    assert len(drawn) == 10 and {3, 40} <= set(drawn.tolist())
    assert (np.diff(drawn) > 0).all()
    assert draw_offers(is_kept, 100, np.random.default_rng(0)).tolist() == list(range(50))


def collected(scored: list[Scored], directory: Path) -> dict[str, TaskCampaigns]:
    with chdir(directory):
        test = users_of(Moment(past_cuts([CUT])[0], head_parameters()).data, Split.TEST)
    weights = draw_weights(len(test), BACKTEST.bootstrap.samples, np.random.default_rng(1))
    return collect(scored, test, weights, BACKTEST)


def measured(scored: list[Scored], directory: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    results = collected(scored, directory)
    return campaign_content(results, BACKTEST), curve_content(results, BACKTEST)


def test_samples_are_those_of_the_intervals(scored: list[Scored], finished_checkout: Path) -> None:
    results = collected(scored, finished_checkout)
    widths = campaign_content(results, BACKTEST)["half_widths"]["all"]
    samples = dict(campaign_samples(results))
    assert set(samples) == {("all", task, str(row)) for task in TASKS for row in rows_of("all")}
    for (_, task, row), values in samples.items():
        assert len(values) == BACKTEST.bootstrap.samples
        assert half_width(values) == pytest.approx(widths[task][row], abs=1e-6)


def test_tables(scored: list[Scored], finished_checkout: Path) -> None:
    content, curves = measured(scored, finished_checkout)
    assert list(content["wauc"]) == list(SEGMENTS)
    for task in TASKS:
        of_task = [each for each in scored if each.task == task]
        aucs = [
            (
                offer_auc(
                    each.scores[CampaignRow.COUNT][:, ~each.is_unnamed], each.bought[:, ~each.is_unnamed]
                ),
                each.bought[:, ~each.is_unnamed].sum(axis=0),
            )
            for each in of_task
        ]
        won = sum(float((found.auc * bought)[np.isfinite(found.auc)].sum()) for found, bought in aucs)
        total = sum(int(bought[np.isfinite(found.auc)].sum()) for found, bought in aucs)
        assert content["wauc"]["all"][task]["count"] == pytest.approx(won / total, abs=1e-6)
        expected = sum(
            float(each.chances[CampaignRow.CAMPAIGN][:, ~each.is_unnamed].sum()) for each in of_task
        )
        actual = sum(int(each.bought[:, ~each.is_unnamed].sum()) for each in of_task)
        ratio = content["calibration"][task]["campaign"]["expected_over_actual"]
        assert ratio == pytest.approx(expected / actual, rel=1e-4)
        assert_ratio_has_its_interval(of_task, content["calibration"][task]["campaign"], finished_checkout)
        assert set(content["wauc"]["best_sellers"][task]) == {str(row) for row in rows_of("best_sellers")}
        gains = curves["gains"][task]["campaign"]
        assert gains[0] == 0 and gains[-1] == 1 and gains == sorted(gains)
        assert content["counts"][task]["buyers"] == actual
    for row in ("campaign", "count"):
        mean = np.mean([content["wauc"]["all"][task][row] for task in TASKS])
        assert content["wauc"]["all"][MEAN][row] == pytest.approx(mean, abs=1e-6)
    gap = content["gaps"]["all"][MEAN]["count"]["gap"]
    both = content["wauc"]["all"][MEAN]
    assert gap == pytest.approx(both["campaign"] - both["count"], abs=2e-6)
    assert content["gaps"]["all"][MEAN]["count"]["half_width"] > 0
    assert not any(isinstance(value, float) and math.isnan(value) for value in flat(content))


def assert_ratio_has_its_interval(of_task: list[Scored], content: Any, directory: Path) -> None:
    """The bootstrap of expected over actual buyers, a user and a sample at a time."""
    with chdir(directory):
        test = users_of(Moment(past_cuts([CUT])[0], head_parameters()).data, Split.TEST)
    weights = draw_weights(len(test), BACKTEST.bootstrap.samples, np.random.default_rng(1))
    ratios: dict[str, list[float]] = {date: [] for date in ["all", *(each.date for each in of_task)]}
    for sample in range(BACKTEST.bootstrap.samples):
        totals = {date: [0.0, 0] for date in ratios}
        for each, (place, user) in product(of_task, enumerate(test.tolist())):
            (row,) = np.flatnonzero(each.users == user).tolist() or (None,)
            if row is None:
                continue
            named = ~each.is_unnamed
            for date in ("all", each.date):
                expected = float(each.chances[CampaignRow.CAMPAIGN][row, named].sum())
                totals[date][0] += int(weights[place, sample]) * expected
                totals[date][1] += int(weights[place, sample]) * int(each.bought[row, named].sum())
        for date, (expected, actual) in totals.items():
            ratios[date].append(expected / actual if actual else math.nan)
    for date, values in ratios.items():
        found = content["half_width"] if date == "all" else content["half_widths_by_date"][date]
        expected_width = half_width(np.array(values))
        assert found == (None if expected_width is None else pytest.approx(expected_width, abs=1e-5))


def flat(content: Any) -> Iterator[Any]:
    if isinstance(content, dict):
        for value in content.values():
            yield from flat(value)
    elif isinstance(content, list):
        for value in content:
            yield from flat(value)
    else:
        yield content


def test_the_same_scores_each_time(scored: list[Scored], finished_checkout: Path) -> None:
    with chdir(finished_checkout):
        again = list(run())
    for one, other in zip(scored, again, strict=True):
        for row in CampaignRow:
            assert np.array_equal(one.scores[row], other.scores[row], equal_nan=True)
    assert measured(scored, finished_checkout) == measured(again, finished_checkout)


def test_no_dates_give_empty_tables() -> None:
    results = collect(iter([]), np.zeros(1, np.int32), np.ones((1, 2), np.int32), BACKTEST)
    content = campaign_content(results, BACKTEST)
    assert content["reach"] == {} and content["counts"] == {}
    assert curve_content(results, BACKTEST)["gains"] == {}
    assert list(campaign_samples(results)) == []

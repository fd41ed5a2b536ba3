"""Sampled pairs stand for all pairs; the head, its levels and its file."""

import json
from typing import Any

import numpy as np
import pytest

from offerbench.campaigns.as_of import day_number
from offerbench.campaigns.head import ALL_TASKS, Head, fit_head, fitted_levels, of_task
from offerbench.campaigns.inputs import PRIOR, Pairs
from offerbench.campaigns.level import draw_examples, levels_at
from offerbench.campaigns.moment import Moment
from offerbench.campaigns.pair_history import buyers
from offerbench.campaigns.sampling import sample_pairs
from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError

from .conftest import CUT, TASKS

LEARNING_DAY = day_number(CUT) - 3


def pairs_of(moment: Moment) -> Pairs:
    return moment.learning_pairs("brand", moment.users([Split.TRAIN], LEARNING_DAY))


def test_all_buyers_are_sampled_and_weights_stand_for_the_others(moment: Moment) -> None:
    pairs = pairs_of(moment)
    bought = buyers(pairs.users, pairs.offers, 3)
    totals = np.zeros(len(pairs.offers))
    draws = 400
    for seed in range(draws):
        found = sample_pairs(pairs, 3, 3.0, 10**6, np.random.default_rng(seed))
        mine = list(
            zip(found.user[found.is_buyer].tolist(), found.offer[found.is_buyer].tolist(), strict=True)
        )
        assert sorted(mine) == sorted(zip(*(each.tolist() for each in np.nonzero(bought)), strict=True))
        assert not bought[found.user[~found.is_buyer], found.offer[~found.is_buyer]].any()
        totals += np.bincount(found.offer, found.weights * ~found.is_buyer, len(totals))
    np.testing.assert_allclose(totals / draws, (~bought).sum(axis=0), rtol=0.1)


def test_no_more_pairs_than_wanted_and_the_same_each_time(moment: Moment) -> None:
    pairs = pairs_of(moment)
    one, other = (sample_pairs(pairs, 3, 3.0, 40, np.random.default_rng(5)) for _ in range(2))
    assert len(one.user) == 40
    assert one.user.tolist() == other.user.tolist() and one.offer.tolist() == other.offer.tolist()
    assert one.is_buyer.any() and not one.is_buyer.all()


def test_as_many_buyers_are_expected_as_there_were(moment: Moment) -> None:
    examples = draw_examples(moment, TASKS, moment.learning_days())
    head = fit_head(examples, list(moment.data.offer_sizes), 1e-3)
    assert set(head.levels) == set(head.factors) == {ALL_TASKS, *TASKS}
    for task in TASKS:
        some = [each for each in examples if each.task == task]
        actual = sum(int(each.sampled.is_buyer.sum()) for each in some)
        with_level = sum(
            float((head.chances(each.inputs, head.levels[task]) * each.sampled.weights).sum())
            for each in some
        )
        without_label = sum(
            float((head.chances_without_label(each.inputs, task) * each.sampled.weights).sum())
            for each in some
        )
        assert with_level == pytest.approx(actual, rel=1e-6)
        assert without_label == pytest.approx(actual, rel=1e-6)
    assert fitted_levels(head.model, examples) == head.levels
    assert 0.8 < head.levels[ALL_TASKS] < 1.2  # a logistic regression is right on average


def test_logits_add_the_offers_own_log_odds(moment: Moment) -> None:
    pairs = pairs_of(moment)
    user = np.arange(len(pairs.users))
    inputs = pairs.inputs(user, np.zeros(len(user), np.int64))
    place = moment.head.model.names.index(PRIOR)
    moved = inputs.copy()
    moved[:, place] += 1
    own = moment.head.model.weights[place] / moment.head.model.deviation[place]
    found = moment.head.logits(moved) - moment.head.logits(inputs)
    np.testing.assert_allclose(found, 1 + own, atol=1e-4)


def test_chances_and_purchases_agree_with_chances(moment: Moment) -> None:
    pairs = pairs_of(moment)
    user, offer = np.arange(len(pairs.users)), np.ones(len(pairs.users), np.int64)
    chances, purchases = moment.head.chances_and_purchases(pairs, user, offer, 1.3)
    np.testing.assert_allclose(chances, moment.head.chances(pairs.inputs(user, offer), 1.3), rtol=1e-9)
    assert (purchases >= chances).all()


def test_levels_at_the_cut_are_those_of_the_head_and_later_ones_are_measured(moment: Moment) -> None:
    assert levels_at(moment, TASKS, moment.until) == moment.head.levels
    later = moment.until + 2
    examples = draw_examples(moment, TASKS, [later - 3, later - 6])
    assert levels_at(moment, TASKS, later) == fitted_levels(moment.head.model, examples)
    assert of_task({"brand": 2.0, ALL_TASKS: 3.0}, "brand") == 2
    assert of_task({"brand": 2.0, ALL_TASKS: 3.0}, None) == of_task({ALL_TASKS: 3.0}, "color") == 3


def test_learning_days_end_a_horizon_before_the_cut(moment: Moment) -> None:
    assert moment.learning_days() == [moment.until - 3, moment.until - 6]
    with pytest.raises(OfferbenchError, match="train_head: the data begin on"):
        moment.learning_days(moment.timeline.first_day + 5)


def test_json_keeps_the_head(moment: Moment) -> None:
    content, features = moment.head.content(), list(moment.data.offer_sizes)
    assert Head.of_content(json.loads(json.dumps(content)), features, "file") == moment.head


@pytest.mark.parametrize(
    "change",
    [{"factors": {}}, {"levels": {"all": -1.0}}, {"levels": None}, {"model": {}}, {"factors": {"all": "x"}}],
)
def test_a_damaged_file_is_named(moment: Moment, change: dict[str, Any]) -> None:
    content = {**moment.head.content(), **change}
    with pytest.raises(OfferbenchError, match="models/head/present"):
        Head.of_content(content, list(moment.data.offer_sizes), "models/head/present.json")


def test_nobody_bought_anything(moment: Moment) -> None:
    examples = [
        each
        for each in draw_examples(moment, TASKS, moment.learning_days())
        if not each.sampled.is_buyer.any()
    ]
    with pytest.raises(OfferbenchError, match="train_head: no validation user bought"):
        fit_head(examples or draw_nobody(moment), list(moment.data.offer_sizes), 1e-3)


def draw_nobody(moment: Moment) -> Any:
    """Examples without their buyers."""
    from dataclasses import replace

    examples = draw_examples(moment, TASKS, moment.learning_days())
    return [
        replace(each, sampled=replace(each.sampled, is_buyer=np.zeros(len(each.sampled.user), bool)))
        for each in examples
    ]

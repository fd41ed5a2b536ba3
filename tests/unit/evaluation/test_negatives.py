"""Negatives groups: neighbours of a batch, or users drawn from all of a split."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offerbench.core.columns import DAY, USER, Split
from offerbench.core.errors import OfferbenchError
from offerbench.core.rows import HISTORY_AFFINITY
from offerbench.evaluation.evaluate import measure_task, score_tasks
from offerbench.evaluation.negatives import draw_groups, group_neighbours, group_other_users
from offerbench.evaluation.pairs import Measure, find_hits
from offerbench.features.offers import OfferTable, group_offers
from offerbench.scorers.history_affinity import HistoryAffinity
from offerbench.scorers.pairs import TaskPairs
from tests.oracle import evaluation as oracle

from ..conftest import TinyData
from ..event_log import BRANDS, EVENTS, data_of
from ..parameters import evaluate_parameters


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_neighbours_are_the_events_of_a_batch_in_their_order(tiny_data: TinyData) -> None:
    rows = tiny_data.data.user_rows[Split.TEST][0][0] + np.arange(6)
    groups = group_neighbours(tiny_data.data, Split.TEST, rows.reshape(1, 6), 3)
    assert groups.offers.tolist() == rows.reshape(2, 3).tolist()
    assert groups.contexts.users.tolist() == tiny_data.data.events[USER][groups.offers].tolist()
    assert groups.is_positive.tolist() == [[True, False, False], [False, True, False], [False, False, True]]


@given(EVENTS, st.integers(2, 5), st.integers(0, 9))
def test_hits_among_all_users_are_those_of_the_log(
    events: list[tuple[int, int, int]], size: int, seed: int
) -> None:
    data = data_of(events)
    users, days, brands = (data.events[name].tolist() for name in (USER, DAY, "brand"))
    batches = np.arange(len(users))[None]
    if len(set(users)) < 2:
        with pytest.raises(OfferbenchError, match=r"evaluate\.negatives: a single user"):
            group_other_users(data, Split.TEST, batches, size, generator(seed))
        return
    groups = group_other_users(data, Split.TEST, batches, size, generator(seed))
    assert groups.contexts.users.shape == (len(users), size)
    table = OfferTable(np.arange(BRANDS, dtype=np.int32), np.ones(BRANDS, np.float32), distributions={})
    pairs = TaskPairs("brand", table, groups.contexts, data.events["brand"][groups.offers])
    hits = find_hits(pairs, groups.is_positive)
    bought = set(zip(users, days, brands, strict=True))
    for row, of_group in enumerate(groups.contexts.users.tolist()):
        assert of_group[0] == users[row]
        assert users[row] not in of_group[1:] and set(of_group) <= set(users)
        assert groups.contexts.days[row].tolist() == [days[row]] * size
        assert groups.offers[row].tolist() == [row]
        expected = [False, *((user, days[row], brands[row]) in bought for user in of_group[1:])]
        assert hits.bought_that_day[row, :, 0].tolist() == expected
    assert not hits.own_offer.any() and not hits.own_event.any()
    assert groups.is_positive[:, 0].tolist() == [True] + [False] * (size - 1)


def test_every_other_user_is_drawn_as_often() -> None:
    data = data_of([(user, 0, 0) for user in range(4)])
    groups = group_other_users(data, Split.TEST, np.full((1, 1), 2), 9001, generator())
    drawn = np.bincount(groups.contexts.users[0, 1:], minlength=4)
    assert drawn[2] == 0
    assert drawn[[0, 1, 3]] == pytest.approx(3000, abs=150)  # three standard deviations are 134


def test_parameters_choose_who_is_compared(tiny_data: TinyData) -> None:
    rows = tiny_data.data.user_rows[Split.TEST][0][0] + np.arange(20).reshape(1, 20)
    kinds = {
        kind: draw_groups(evaluate_parameters(negatives=kind, seed=5), tiny_data.data, Split.TEST, rows)
        for kind in ("neighbours", "all_users")
    }
    assert kinds["neighbours"].contexts.users.shape == (4, 5)
    wanted = group_other_users(tiny_data.data, Split.TEST, rows, 5, generator(5)).contexts.users
    assert kinds["all_users"].contexts.users.tolist() == wanted.tolist()


def test_auc_of_all_users_is_that_of_the_loop(tiny_data: TinyData) -> None:
    data = tiny_data.data
    first, length = (part[data.user_rows[Split.TEST][1] > 0] for part in data.user_rows[Split.TEST])
    rows = np.concatenate([start + np.arange(size) for start, size in zip(first, length, strict=True)])[None]
    groups = group_other_users(data, Split.TEST, rows, 4, generator(3))
    table = group_offers(data.events, "brand", 1, np.unique(data.events["brand"][rows]))
    scorers = {HISTORY_AFFINITY: HistoryAffinity()}
    scored = dict(score_tasks(scorers, {"brand": table}, groups))["brand"]
    result = measure_task(scored, Measure.PUBLISHED, data.first_label, evaluate_parameters())
    scores = scored.scores[HISTORY_AFFINITY][:, :, 0]
    labels = data.events["brand"][rows[0]]
    log = oracle.Log(*(data.events[name].tolist() for name in (USER, DAY, "brand")))
    again = oracle.pair_facts(log, rows[0].tolist(), 1)["events_bought_before"]
    assert again > 0
    assert scored.facts == {
        "events": rows.size,
        "events_bought_before": again,
        "negatives": 3 * rows.size,
        "negatives_of_own_user": 0,
    }
    assert len(result.offers) > 1
    for offer in result.offers.itertuples(index=False):
        of_offer = scores[labels == offer.label]
        wanted = oracle.roc_auc(of_offer[:, 0].tolist(), of_offer[:, 1:].reshape(-1).tolist())
        assert offer.history_affinity == pytest.approx(wanted, abs=1e-12)
        assert (offer.positives, offer.negatives) == (len(of_offer), 3 * len(of_offer))

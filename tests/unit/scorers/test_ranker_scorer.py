"""Scores of every kind of ranker for the pairs of a task, against NumPy on one pair at a time."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from offerbench.core.columns import HISTORY, Split
from offerbench.features.offers import group_offers
from offerbench.model.ranker import Ranker
from offerbench.scorers import ranker as ranker_module
from offerbench.scorers.pairs import Contexts, TaskPairs
from offerbench.scorers.ranker import RankerScorer, user_vectors
from tests.oracle import match_counts as oracle
from tests.oracle import ranker as ranker_oracle
from tests.oracle.offers import group_offers as naive_offers

from ..bags import bags_of
from ..conftest import TinyData
from ..rankers import CASES, random_ranker, weights_by_feature
from .test_pairs import MOST_FREQUENT, NEIGHBOURS, contexts_of, pasts_of

pytestmark = pytest.mark.usefixtures("configured_tensorflow")
GROUPS = 6  # that are scored pair by pair
LONG_SUMS: dict[str, Any] = {
    "ranker.units": [50],
    "ranker.match_score": {"hidden_units": 50},
}


def asked(contexts: Contexts, task: str) -> TaskPairs:
    """The pairs of a task with offers made of the contexts' events."""
    data = contexts.data
    events = {feature: data.events[feature][contexts.rows.reshape(-1)] for feature in data.offer_sizes}
    table = group_offers(events, task, MOST_FREQUENT)
    offer_of_event = np.searchsorted(table.keys, data.events[task][contexts.rows])
    return TaskPairs(task, table, contexts, offer_of_event.astype(np.int32))


def naive_scores(tiny: TinyData, model: Ranker, pairs: TaskPairs) -> np.ndarray:
    """Both sides of the first groups run for every pair; (GROUPS, m, m)."""
    data, rows, task = tiny.data, pairs.contexts.rows, pairs.task
    events = rows.reshape(-1).tolist()
    weights, shape = weights_by_feature(model), model.specification.ranker
    labels = {name: data.events[name][events].tolist() for name in data.offer_sizes}
    offers = naive_offers(labels, task, MOST_FREQUENT)
    windows = model.specification.training.windows
    pasts = {newest: pasts_of(tiny, events[: GROUPS * NEIGHBOURS], newest) for newest in windows}
    of_task = data.events[task].tolist()
    scores = np.zeros((GROUPS, NEIGHBOURS, NEIGHBOURS))
    for b, i, j in np.ndindex(*scores.shape):
        user, key = b * NEIGHBOURS + i, of_task[rows[b, j]]
        seen = {name: offers[key][name] for name in model.specification.offer_features}
        scores[b, i, j] = ranker_oracle.pair_score(
            weights,
            shape,
            bags_of(data, data.events[HISTORY][rows[b, i]]),
            seen,
            [oracle.count(of_task, pasts[newest][user], {key}) for newest in windows],
            [len(pasts[newest][user]) for newest in windows],
            labels[task].count(key) / len(events),
        )
    return scores


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("tiny", ["tiny_data", "weighted_tiny_data"])
def test_scores_are_those_of_each_pair_by_itself(
    request: pytest.FixtureRequest, tiny: str, case: str
) -> None:
    tiny_data: TinyData = request.getfixturevalue(tiny)
    contexts = contexts_of(tiny_data)
    model = random_ranker(tiny_data.data, case, seed=1)
    scorer = RankerScorer(model)
    for task in ("brand", "category2", "price_cluster") if case in ("full", "mono") else ("brand",):
        pairs = asked(contexts, task)
        scores, expected = scorer.score(pairs), naive_scores(tiny_data, model, pairs)
        assert scores.dtype == np.float32
        assert scores.shape == pairs.shape
        assert np.std(expected) > 0.01  # the scores differ, so that agreement says something
        assert scores[:GROUPS] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_equal_pairs_have_equal_scores_wherever_they_stand(tiny_data: TinyData, case: str) -> None:
    # Ties count half. Few events, in many groups at random: each pair comes many times. Sums are long,
    # so that one in another order would have other last bits.
    few = np.random.default_rng(0).choice(contexts_of(tiny_data).rows.reshape(-1)[:12], (300, NEIGHBOURS))
    pairs = asked(Contexts(tiny_data.data, Split.TEST, few), "brand")
    changes = LONG_SUMS if CASES[case].ranker.get("match_score") else {"ranker.units": [50]}
    scores = RankerScorer(random_ranker(tiny_data.data, case, 1, **changes)).score(pairs)
    of_pair = defaultdict(set)
    for b, i, j in np.ndindex(*scores.shape):
        pair = pairs.contexts.history_of_context[b, i], pairs.offer_of_event[b, j]
        of_pair[pair].add(scores[b, i, j].tobytes())
    assert len(of_pair) > 20
    assert sum(len(bits) > 1 for bits in of_pair.values()) == 0


def test_users_are_embedded_once_for_all_tasks(tiny_data: TinyData, monkeypatch: pytest.MonkeyPatch) -> None:
    model, contexts = random_ranker(tiny_data.data, "full"), contexts_of(tiny_data)
    scorer, calls = RankerScorer(model), []

    def counted(*arguments: Any) -> np.ndarray:
        calls.append(arguments)
        return user_vectors(*arguments)

    monkeypatch.setattr(ranker_module, "user_vectors", counted)
    first = [scorer.score(asked(contexts, task)).tobytes() for task in ("brand", "category2", "brand")]
    assert len(calls) == 1
    assert first[0] == first[2] != first[1]
    other = Contexts(tiny_data.data, Split.TEST, contexts.rows[:, ::-1])
    assert scorer.score(asked(other, "brand")).tobytes() != first[0]
    assert len(calls) == 2


def test_vectors_of_more_histories_than_fit_at_a_time(
    tiny_data: TinyData, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = random_ranker(tiny_data.data, "full")
    histories = np.arange(0, 50, 2, dtype=np.int64)
    whole = user_vectors(model, tiny_data.data, histories)
    assert len(whole) == 25
    monkeypatch.setattr(ranker_module, "HISTORIES_AT_A_TIME", 7)
    assert user_vectors(model, tiny_data.data, histories) == pytest.approx(whole, abs=1e-6)

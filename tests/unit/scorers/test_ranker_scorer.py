"""Scores of every kind of ranker for the pairs of a task, against NumPy on one pair at a time."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pytest

from offerbench.core.columns import HISTORY, Split
from offerbench.model.ranker import Ranker
from offerbench.scorers import ranker as ranker_module
from offerbench.scorers.contexts import Contexts
from offerbench.scorers.pairs import TaskPairs
from offerbench.scorers.ranker import RankerScorer, user_vectors
from tests.oracle import match_counts as oracle
from tests.oracle import ranker as ranker_oracle
from tests.oracle.offers import group_offers as naive_offers

from ..bags import bags_of
from ..conftest import TinyData
from ..rankers import CASES, random_ranker, weights_by_feature
from .test_pairs import MOST_FREQUENT, NEIGHBOURS, contexts_of, pairs_of, pasts_of, train_rows

pytestmark = pytest.mark.usefixtures("configured_tensorflow")
GROUPS = 6  # that are scored pair by pair
LONG_SUMS: dict[str, Any] = {
    "ranker.units": [50],
    "ranker.match_score": {"hidden_units": 50},
}


Matches = tuple[list[float], list[float], list[float]]
"""Counts, lengths and all users' shares for each kind of match."""


@dataclass(frozen=True)
class Naive:
    """What a model is asked of a task, by loops over the log."""

    tiny: TinyData
    model: Ranker
    pairs: TaskPairs

    def labels(self, name: str) -> list[int]:
        """Of all events."""
        return self.tiny.data.events[name].tolist()

    @cached_property
    def of_train(self) -> list[int]:
        return train_rows(self.tiny.data)

    def offers(self, most_frequent: int) -> dict[int, dict[str, dict[int, float]]]:
        """The offers, described by the train users' events."""
        names = self.tiny.data.offer_sizes
        events = {name: [self.labels(name)[row] for row in self.of_train] for name in names}
        return naive_offers(events, self.pairs.task, most_frequent, self.pairs.offers.keys.tolist())

    def matches(self, row: int, key: int, attributes: Mapping[str, Mapping[int, float]]) -> Matches:
        """Of the past of an event's user with an offer."""
        matching, of_task = self.model.specification.training.matching, self.labels(self.pairs.task)
        found: Matches = ([], [], [])
        for newest in matching.windows:
            (past,) = pasts_of(self.tiny, [row], newest)
            share = oracle.count(of_task, self.of_train, {key}) / len(self.of_train)
            for part, value in zip(
                found, (oracle.count(of_task, past, {key}), len(past), share), strict=True
            ):
                part.append(value)
        (past,) = pasts_of(self.tiny, [row], None)
        for name in self.model.specification.offer_features if matching.attribute_values else ():
            labels, offer = self.labels(name), attributes[name]
            share = oracle.expected_share(labels, self.of_train, offer)
            count = oracle.expected_count(labels, past, offer)
            for part, value in zip(found, (count, len(past), share), strict=True):
                part.append(value)
        return found

    def scores(self) -> np.ndarray:
        """Both sides of the first groups run for every pair; (GROUPS, m, m)."""
        data, rows = self.tiny.data, self.pairs.contexts.rows
        weights, specification = weights_by_feature(self.model), self.model.specification
        offers = self.offers(MOST_FREQUENT)
        attributes = self.offers(specification.training.matching.attribute_values or MOST_FREQUENT)
        scores = np.zeros((GROUPS, NEIGHBOURS, NEIGHBOURS))
        for b, i, j in np.ndindex(*scores.shape):
            row, key = int(rows[b, i]), int(data.events[self.pairs.task][rows[b, j]])
            scores[b, i, j] = ranker_oracle.pair_score(
                weights,
                specification.ranker,
                bags_of(data, data.events[HISTORY][row]),
                {name: offers[key][name] for name in specification.offer_features},
                *self.matches(row, key, attributes[key]),
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
        pairs = pairs_of(contexts, task)
        scores, expected = scorer.score(pairs), Naive(tiny_data, model, pairs).scores()
        assert scores.dtype == np.float32
        assert scores.shape == pairs.shape
        assert np.std(expected) > 0.01  # the scores differ, so that agreement says something
        assert scores[:GROUPS] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("case", ["full", "variance_matches", "attributes", "bilinear_attributes"])
def test_an_offer_that_no_train_user_bought(tiny_data: TinyData, case: str) -> None:
    # Of the train users those are left that never bought one of the brands that are asked for.
    data, contexts = tiny_data.data, contexts_of(tiny_data)
    brands, (first, length) = data.events["brand"], data.user_rows[Split.TRAIN]
    asked = np.unique(brands[contexts.rows[:GROUPS]])
    rare = min(asked, key=lambda brand: (brands == brand).sum())
    without = [
        not (brands[start : start + count] == rare).any() for start, count in zip(first, length, strict=True)
    ]
    rows = {**data.user_rows, Split.TRAIN: (first[without], length[without])}
    some = replace(tiny_data, data=replace(data, user_rows=rows))
    model, pairs = random_ranker(data, case, seed=1), pairs_of(contexts_of(some), "brand")
    assert (pairs.offers.base[pairs.offer_of_event[:GROUPS]] == 0).any()
    scores = RankerScorer(model).score(pairs)
    assert np.isfinite(scores).all()
    assert scores[:GROUPS] == pytest.approx(Naive(some, model, pairs).scores(), abs=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_equal_pairs_have_equal_scores_wherever_they_stand(tiny_data: TinyData, case: str) -> None:
    # Ties count half. Few events, in many groups at random: each pair comes many times. Sums are long,
    # so that one in another order would have other last bits.
    few = np.random.default_rng(0).choice(contexts_of(tiny_data).rows.reshape(-1)[:12], (300, NEIGHBOURS))
    pairs = pairs_of(Contexts.of_events(tiny_data.data, Split.TEST, few), "brand")
    changes = LONG_SUMS if CASES[case].ranker.get("match_score") else {"ranker.units": [50]}
    scores = RankerScorer(random_ranker(tiny_data.data, case, 1, **changes)).score(pairs)
    of_pair = defaultdict(set)
    for b, i, j in np.ndindex(*scores.shape):
        pair = pairs.contexts.histories.of_context[b, i], pairs.offer_of_event[b, j]
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
    first = [scorer.score(pairs_of(contexts, task)).tobytes() for task in ("brand", "category2", "brand")]
    assert len(calls) == 1
    assert first[0] == first[2] != first[1]
    other = Contexts.of_events(tiny_data.data, Split.TEST, contexts.rows[:, ::-1])
    assert scorer.score(pairs_of(other, "brand")).tobytes() != first[0]
    assert len(calls) == 2


def test_vectors_of_more_histories_than_fit_at_a_time(
    tiny_data: TinyData, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = random_ranker(tiny_data.data, "full")
    histories = contexts_of(tiny_data).histories
    whole = user_vectors(model, histories)
    assert len(whole) == len(histories) > 20
    monkeypatch.setattr(ranker_module, "HISTORIES_AT_A_TIME", 7)
    assert user_vectors(model, histories) == pytest.approx(whole, abs=1e-6)

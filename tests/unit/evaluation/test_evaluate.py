"""Scores by factors and the whole evaluation, against both towers run for every pair."""

from dataclasses import dataclass

import numpy as np
import pytest
from offerbench.model.two_tower import TwoTower

from offerbench.batching.batches import draw_pass
from offerbench.core.columns import Split
from offerbench.core.rows import HISTORY_AFFINITY
from offerbench.evaluation.evaluate import TaskResult, measure_task, score_tasks
from offerbench.evaluation.pairs import task_pairs
from offerbench.features.offers import OfferTable, group_offers
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.ranker import offer_vectors, pair_scores, user_vectors
from tests.oracle import evaluation as oracle
from tests.oracle import histories
from tests.oracle import model as model_oracle
from tests.oracle.offers import group_offers as naive_offers

from ..bags import bags_of
from ..conftest import TinyData
from ..model_builder import random_model, weights_of
from ..parameters import rebatch_parameters

pytestmark = pytest.mark.usefixtures("configured_tensorflow")
TASKS = ["category2", "brand", "price_cluster"]
MINIBATCH, MOST_FREQUENT = 5, 4


@dataclass(frozen=True)
class Evaluated:
    """What the fast path was given and what it made."""

    tiny: TinyData
    rows: list[int]
    models: dict[str, TwoTower]
    tables: dict[str, OfferTable]
    results: dict[str, TaskResult]

    def events(self) -> dict[str, list[int]]:
        """Labels of the test events."""
        data = self.tiny.data
        return {feature: data.events[feature][self.rows].tolist() for feature in data.offer_sizes}

    def history(self, row: int, feature: str) -> list[int]:
        """Labels of the past of a target event, by the loop over the log."""
        tiny, target = self.tiny, self.tiny.targets[row]
        parameters = tiny.prepare.history
        past = histories.past_events(
            tiny.targets, target.user, target.day, "purchase", parameters.length, parameters.keep
        )
        places = {event.row: place for place, event in enumerate(tiny.targets)}
        return [int(tiny.data.events[feature][places[event.row]]) for event in past]


def evaluate(
    models: dict[str, TwoTower], tables: dict[str, OfferTable], data: PreparedData, batches: np.ndarray
) -> dict[str, TaskResult]:
    tasks = score_tasks(models, tables, data, Split.TEST, batches, MINIBATCH, lambda _: None)
    return {task: measure_task(scored, data.first_label) for task, scored in tasks}


@pytest.fixture(scope="module", params=["tiny_data", "weighted_tiny_data"])
def evaluated(request: pytest.FixtureRequest, configured_tensorflow: None) -> Evaluated:
    tiny_data: TinyData = request.getfixturevalue(request.param)
    data = tiny_data.data
    batches = np.stack(list(draw_pass(data, Split.TEST, rebatch_parameters())))
    rows = batches.reshape(-1)
    events = {feature: data.events[feature][rows] for feature in data.offer_sizes}
    tables = {task: group_offers(events, task, MOST_FREQUENT) for task in TASKS}
    models = {
        "full": random_model(data.user_sizes, data.offer_sizes, seed=1),
        "mono_brand": random_model(data.user_sizes, {"brand": data.offer_sizes["brand"]}, seed=2),
    }
    results = evaluate(models, tables, data, batches)
    return Evaluated(tiny_data, rows.tolist(), models, tables, results)


def fast_scores(evaluated: Evaluated, model: TwoTower, task: str) -> np.ndarray:
    """The factors put together for each pair; pairs in the order of the loops."""
    data, table = evaluated.tiny.data, evaluated.tables[task]
    rows = np.array(evaluated.rows).reshape(-1, MINIBATCH)
    users = user_vectors(model, data, data.events["view"][rows].reshape(-1).astype(np.int64))
    offers = np.searchsorted(table.keys, data.events[task][rows]).astype(np.int32)
    scores = pair_scores(users.reshape(*rows.shape, -1), offer_vectors(model, table)[offers])
    return scores[task_pairs(offers).kept]


def naive_scores(evaluated: Evaluated, model: TwoTower, task: str) -> list[float]:
    """Both towers for every pair of the task."""
    weights = weights_of(model)
    data = evaluated.tiny.data
    events = evaluated.events()
    offers = naive_offers(events, task, MOST_FREQUENT)
    pairs, _ = oracle.task_pairs(events[task], MINIBATCH)
    scores = []
    for pair in pairs:
        view = data.events["view"][evaluated.rows[pair.user_event]]
        offer = offers[events[task][pair.offer_event]]
        seen = {feature: offer[feature] for feature in model.specification.offer_features}
        user_vector = model_oracle.user_vector(weights, bags_of(data, view))
        scores.append(float(user_vector @ model_oracle.offer_vector(weights, seen)))
    return scores


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["full", "mono_brand"])
def test_scores_are_those_of_both_towers_for_every_pair(evaluated: Evaluated, name: str, task: str) -> None:
    model = evaluated.models[name]
    scores = fast_scores(evaluated, model, task)
    expected = naive_scores(evaluated, model, task)
    assert np.std(expected) > 0.01  # the scores differ, so that agreement says something
    assert scores == pytest.approx(np.array(expected), abs=1e-5)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["full", "mono_brand", HISTORY_AFFINITY])
def test_results_are_those_of_the_loops_on_the_same_scores(
    evaluated: Evaluated, name: str, task: str
) -> None:
    labels = evaluated.events()[task]
    pairs, dropped = oracle.task_pairs(labels, MINIBATCH)
    if name == HISTORY_AFFINITY:
        scores = [
            oracle.history_affinity(
                evaluated.history(evaluated.rows[pair.user_event], task), labels[pair.offer_event]
            )
            for pair in pairs
        ]
        assert len(set(scores)) > 5
    else:
        scores = fast_scores(evaluated, evaluated.models[name], task).tolist()
    expected = []
    without_negative = 0
    first_label = evaluated.tiny.data.first_label
    for key in sorted(set(labels)):
        of_offer = [
            (pair.is_positive, score)
            for pair, score in zip(pairs, scores, strict=True)
            if labels[pair.offer_event] == key
        ]
        positives = [score for is_positive, score in of_offer if is_positive]
        negatives = [score for is_positive, score in of_offer if not is_positive]
        auc = oracle.roc_auc(positives, negatives)
        if key >= first_label and auc is not None:
            expected.append((key, len(positives), len(negatives), auc))
        elif key >= first_label:
            without_negative += 1
    result = evaluated.results[task]
    found = zip(
        *(result.columns[column] for column in ("label", "positives", "negatives", name)), strict=True
    )
    assert list(found) == [pytest.approx(row, abs=1e-9) for row in expected]
    assert result.counts == {
        "offers": len(set(labels)),
        "offers_evaluated": len(expected),
        "offers_out_of_vocabulary": sum(key < first_label for key in set(labels)),
        "offers_without_negative": without_negative,
        "pairs": len(pairs),
        "negatives_dropped_as_collisions": dropped,
    }


def test_out_of_vocabulary_offers_are_there_to_be_left_out(evaluated: Evaluated) -> None:
    counts = [result.counts for result in evaluated.results.values()]
    assert any(count["offers_out_of_vocabulary"] for count in counts)
    assert all(count["negatives_dropped_as_collisions"] for count in counts)


def test_an_offer_without_negative_is_counted_and_left_out(tiny_data: TinyData) -> None:
    # One minibatch of one purchase five times over: every negative has its positive's offer.
    data = tiny_data.data
    row = next(row for row in data.user_rows[Split.TEST][0] if data.events["brand"][row] >= data.first_label)
    batches = np.full((1, MINIBATCH), row)
    tables = {"brand": group_offers({"brand": data.events["brand"][batches[0]]}, "brand", 1)}
    result = evaluate({}, tables, data, batches)["brand"]
    assert result.counts["offers_evaluated"] == 0
    assert result.counts["offers_without_negative"] == 1
    assert result.counts["pairs"] == MINIBATCH
    assert len(result.columns[HISTORY_AFFINITY]) == 0


@pytest.mark.parametrize("units", [1, 3, 50])
def test_pair_scores_are_dot_products(units: int) -> None:
    generator = np.random.default_rng(0)
    users, offers = generator.normal(size=(2, 6, MINIBATCH, units)).astype(np.float32)
    scores = pair_scores(users, offers)
    assert scores.dtype == np.float32
    for b, i, j in np.ndindex(6, MINIBATCH, MINIBATCH):
        expected = sum(float(x) * float(y) for x, y in zip(users[b, i], offers[b, j], strict=True))
        assert scores[b, i, j] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("units", [3, 50, 100])
def test_equal_pairs_have_equal_scores_wherever_they_stand(units: int) -> None:
    # Ties count half: a score may not depend on the pair's place in its minibatch, to the last bit.
    generator = np.random.default_rng(0)
    user, offer = generator.normal(size=(2, units)).astype(np.float32)
    users, offers = generator.normal(size=(2, 40, MINIBATCH, units)).astype(np.float32)
    user_places, offer_places = generator.integers(0, MINIBATCH, (2, 40))
    users[np.arange(40), user_places] = user
    offers[np.arange(40), offer_places] = offer
    scores = pair_scores(users, offers)[np.arange(40), user_places, offer_places]
    assert len(set(scores.tolist())) == 1


def test_user_vectors_of_more_views_than_fit_at_a_time(
    tiny_data: TinyData, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tiny_data.data
    model = random_model(data.user_sizes, data.offer_sizes)
    views = np.arange(0, 50, 2, dtype=np.int64)
    whole = user_vectors(model, data, views)
    monkeypatch.setattr("offerbench.scorers.ranker.VIEWS_AT_A_TIME", 7)
    assert user_vectors(model, data, views) == pytest.approx(whole, abs=1e-6)

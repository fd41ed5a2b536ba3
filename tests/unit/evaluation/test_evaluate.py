"""The whole evaluation, against loops over the pairs with the same scores."""

from dataclasses import dataclass

import numpy as np
import pytest

from offerbench.batching.batches import draw_pass
from offerbench.core.columns import USER, Split
from offerbench.core.rows import HISTORY_AFFINITY
from offerbench.evaluation.bootstrap import draw_weights
from offerbench.evaluation.evaluate import ScoredTask, TaskResult, measure_task, score_tasks
from offerbench.features.offers import OfferTable, group_offers
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.history_affinity import HistoryAffinity
from offerbench.scorers.pairs import Contexts, TaskPairs
from offerbench.scorers.ranker import RankerScorer
from offerbench.scorers.scorer import Scorer
from tests.oracle import bootstrap as bootstrap_oracle
from tests.oracle import evaluation as oracle

from ..conftest import TinyData
from ..parameters import evaluate_parameters, rebatch_parameters
from ..rankers import random_ranker
from ..scorers.test_history_affinity import history_of

pytestmark = pytest.mark.usefixtures("configured_tensorflow")
TASKS = ["category2", "brand", "price_cluster"]
NEIGHBOURS, MOST_FREQUENT = 5, 4
POPULAR, COLD_START = 8, 3
EVALUATE = evaluate_parameters(popular_min_positives=POPULAR, cold_start_min_positives=COLD_START)
MODELS = {"full": ("full", 1), "mono_brand": ("mono", 2), "augmented": ("variance_matches", 3)}
ROWS = [*MODELS, HISTORY_AFFINITY]


@dataclass(frozen=True)
class Evaluated:
    """What the evaluation was given and what it made."""

    tiny: TinyData
    batches: np.ndarray
    scorers: dict[str, Scorer]
    tables: dict[str, OfferTable]
    scored: dict[str, ScoredTask]
    results: dict[str, TaskResult]

    @property
    def rows(self) -> list[int]:
        """Of the test events."""
        return self.batches.reshape(-1).tolist()

    def labels(self, task: str) -> list[int]:
        """Of the test events."""
        return self.tiny.data.events[task][self.rows].tolist()

    def scores(self, name: str, task: str) -> list[float]:
        """Scores of a row, pairs in the order of the loops."""
        pairs, _ = oracle.measured_pairs(self.labels(task), NEIGHBOURS)
        if name == HISTORY_AFFINITY:
            labels = self.labels(task)
            return [
                oracle.history_affinity(
                    history_of(self.tiny, self.rows[pair.user_event], task), labels[pair.offer_event]
                )
                for pair in pairs
            ]
        data, table = self.tiny.data, self.tables[task]
        contexts = Contexts(data, Split.TEST, self.batches.reshape(-1, NEIGHBOURS))
        offers = np.searchsorted(table.keys, data.events[task][contexts.rows]).astype(np.int32)
        of_pairs = self.scorers[name].score(TaskPairs(task, table, contexts, offers))
        groups = (divmod(pair.user_event, NEIGHBOURS) for pair in pairs)
        return [
            float(of_pairs[group, i, pair.offer_event % NEIGHBOURS])
            for (group, i), pair in zip(groups, pairs, strict=True)
        ]


def evaluate(
    scorers: dict[str, Scorer], tables: dict[str, OfferTable], data: PreparedData, batches: np.ndarray
) -> tuple[dict[str, ScoredTask], dict[str, TaskResult]]:
    scored = dict(score_tasks(scorers, tables, data, Split.TEST, batches, NEIGHBOURS))
    return scored, {task: measure_task(each, data.first_label, EVALUATE) for task, each in scored.items()}


@pytest.fixture(scope="module", params=["tiny_data", "weighted_tiny_data"])
def evaluated(request: pytest.FixtureRequest, configured_tensorflow: None) -> Evaluated:
    tiny: TinyData = request.getfixturevalue(request.param)
    data = tiny.data
    batches = np.stack(list(draw_pass(data, Split.TEST, rebatch_parameters())))
    events = {feature: data.events[feature][batches.reshape(-1)] for feature in data.offer_sizes}
    tables = {task: group_offers(events, task, MOST_FREQUENT) for task in TASKS}
    scorers: dict[str, Scorer] = {
        name: RankerScorer(random_ranker(data, case, seed)) for name, (case, seed) in MODELS.items()
    }
    scorers[HISTORY_AFFINITY] = HistoryAffinity()
    return Evaluated(tiny, batches, scorers, tables, *evaluate(scorers, tables, data, batches))


@pytest.mark.parametrize("task", TASKS)
def test_pairs_users_and_scores_are_those_of_the_loops(evaluated: Evaluated, task: str) -> None:
    scored, labels = evaluated.scored[task], evaluated.labels(task)
    pairs, hits = oracle.measured_pairs(labels, NEIGHBOURS)
    assert scored.offers.keys[scored.pairs.offers].tolist() == [labels[pair.offer_event] for pair in pairs]
    assert scored.pairs.is_positive.tolist() == [pair.is_positive for pair in pairs]
    assert scored.pairs.accidental_hits == hits
    users = evaluated.tiny.data.events[USER][evaluated.rows].tolist()
    known = sorted(set(users))
    assert scored.users.tolist() == [known.index(users[pair.user_event]) for pair in pairs]
    assert list(scored.scores) == ROWS
    for name in ROWS:
        assert scored.scores[name].tolist() == evaluated.scores(name, task)
    assert len(set(scored.scores[HISTORY_AFFINITY].tolist())) > 5


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ROWS)
def test_results_are_those_of_the_loops_on_the_same_scores(
    evaluated: Evaluated, name: str, task: str
) -> None:
    labels = evaluated.labels(task)
    pairs, hits = oracle.measured_pairs(labels, NEIGHBOURS)
    scores = evaluated.scores(name, task)
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
    assert list(result.offers.columns) == ["label", "positives", "negatives", *ROWS]
    found = result.offers[["label", "positives", "negatives", name]].itertuples(index=False, name=None)
    assert list(found) == [pytest.approx(row, abs=1e-9) for row in expected]
    assert result.offers.index.tolist() == list(range(len(expected)))
    assert result.counts == {
        "offers": len(set(labels)),
        "offers_evaluated": len(expected),
        "offers_out_of_vocabulary": sum(key < first_label for key in set(labels)),
        "offers_without_negative": without_negative,
        "pairs": len(pairs),
        "accidental_hits_left_out": hits,
    }


@pytest.mark.parametrize("task", TASKS)
def test_samples_are_those_of_each_row_by_itself(evaluated: Evaluated, task: str) -> None:
    # The same draws of users for every row and task, as wide as the users of all its pairs.
    scored, result = evaluated.scored[task], evaluated.results[task]
    generator = np.random.default_rng(EVALUATE.bootstrap.seed)
    users = int(scored.users.max()) + 1
    weights = draw_weights(users, EVALUATE.bootstrap.samples, generator)
    positives = dict(zip(result.offers["label"], result.offers["positives"], strict=True))
    assert list(result.samples) == ["all", "popular", "cold_start"]
    for segment, by_row in result.samples.items():
        assert list(by_row) == ROWS
        inside = {
            place
            for place, key in enumerate(scored.offers.keys.tolist())
            if key in positives and segment in oracle.segments(positives[key], POPULAR, COLD_START)
        }
        for name in ("full", HISTORY_AFFINITY):
            for sample in (0, EVALUATE.bootstrap.samples - 1):
                expected = bootstrap_oracle.sampled_wauc(
                    scored.pairs.offers.tolist(),
                    scored.pairs.is_positive.tolist(),
                    scored.users.tolist(),
                    scored.scores[name].tolist(),
                    weights[:, sample].tolist(),
                    inside,
                )
                wanted = np.nan if expected is None else expected
                assert by_row[name][sample] == pytest.approx(wanted, abs=1e-12, nan_ok=True)


def test_out_of_vocabulary_offers_are_there_to_be_left_out(evaluated: Evaluated) -> None:
    counts = [result.counts for result in evaluated.results.values()]
    assert any(count["offers_out_of_vocabulary"] for count in counts)
    assert all(count["accidental_hits_left_out"] for count in counts)


def test_an_offer_without_negative_is_counted_and_left_out(tiny_data: TinyData) -> None:
    # One group of one purchase five times over: every negative has its positive's offer.
    data = tiny_data.data
    row = next(row for row in data.user_rows[Split.TEST][0] if data.events["brand"][row] >= data.first_label)
    batches = np.full((1, NEIGHBOURS), row)
    tables = {"brand": group_offers({"brand": data.events["brand"][batches[0]]}, "brand", 1)}
    _, results = evaluate({HISTORY_AFFINITY: HistoryAffinity()}, tables, data, batches)
    result = results["brand"]
    assert result.counts["offers_evaluated"] == 0
    assert result.counts["offers_without_negative"] == 1
    assert result.counts["pairs"] == NEIGHBOURS
    assert len(result.offers[HISTORY_AFFINITY]) == 0

"""The whole evaluation, against loops over the pairs with the same scores."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest

from offerbench.batching.batches import draw_pass
from offerbench.core.columns import DAY, USER, Split
from offerbench.core.rows import HISTORY_AFFINITY, RECENCY
from offerbench.evaluation.bootstrap import draw_weights
from offerbench.evaluation.evaluate import ScoredTask, TaskResult, measure_task, score_tasks
from offerbench.evaluation.negatives import group_neighbours
from offerbench.evaluation.pairs import Measure, MeasuredPairs, measured_pairs
from offerbench.features.offers import OfferTable, group_offers
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.contexts import Contexts
from offerbench.scorers.history_affinity import HistoryAffinity
from offerbench.scorers.pairs import TaskPairs
from offerbench.scorers.ranker import RankerScorer
from offerbench.scorers.registry import UNTRAINED
from offerbench.scorers.scorer import Scorer
from tests.oracle import bootstrap as bootstrap_oracle
from tests.oracle import evaluation as oracle

from ..conftest import TinyData
from ..parameters import evaluate_parameters, rebatch_parameters, yardsticks_parameters
from ..rankers import random_ranker
from ..scorers.test_history_affinity import history_of
from ..scorers.test_pairs import train_rows

pytestmark = pytest.mark.usefixtures("configured_tensorflow")
TASKS = ["category2", "brand", "price_cluster"]
NEIGHBOURS, MOST_FREQUENT = 5, 4
POPULAR, COLD_START = 8, 3
EVALUATE = evaluate_parameters(popular_min_positives=POPULAR, cold_start_min_positives=COLD_START)
MODELS = {"full": ("full", 1), "mono_brand": ("mono", 2), "augmented": ("variance_matches", 3)}
ROWS = [*MODELS, *UNTRAINED]
Results = dict[Measure, dict[str, TaskResult]]


@dataclass(frozen=True)
class Evaluated:
    """What the evaluation was given and what it made."""

    tiny: TinyData
    batches: np.ndarray
    scorers: dict[str, Scorer]
    tables: dict[str, OfferTable]
    scored: dict[str, ScoredTask]
    results: Results
    loops: dict[tuple[str, ...], Any] = field(default_factory=dict)
    """What the loops found: most tests ask for the same."""

    def once(self, key: tuple[str, ...], loop: Callable[[], Any]) -> Any:
        """Run a loop the first time that it is asked for."""
        if key not in self.loops:
            self.loops[key] = loop()
        return self.loops[key]

    @property
    def rows(self) -> list[int]:
        """Of the test events."""
        return self.batches.reshape(-1).tolist()

    def labels(self, task: str) -> list[int]:
        """Of the test events."""
        return self.tiny.data.events[task][self.rows].tolist()

    def labels_of_train(self, task: str) -> list[int]:
        """Of the train users' events."""
        return self.tiny.data.events[task][train_rows(self.tiny.data)].tolist()

    def log(self, task: str) -> oracle.Log:
        """All target events."""
        return oracle.Log(*(self.tiny.data.events[name].tolist() for name in (USER, DAY, task)))

    def hits(self, task: str) -> dict[tuple[int, int], str]:
        """Negatives that are positives in truth, by the loop over the log."""
        return self.once(("hits", task), lambda: oracle.hits(self.log(task), self.rows, NEIGHBOURS))

    def pairs(self, measure: Measure, task: str) -> list[oracle.Pair]:
        """Pairs that are measured, in the order of the loops."""
        left_out = {pair for pair, kind in self.hits(task).items() if kind in oracle.LEFT_OUT[measure]}
        loop = partial(oracle.measured_pairs, len(self.rows), NEIGHBOURS, left_out)
        return self.once(("pairs", measure, task), loop)

    def measured(self, measure: Measure, task: str) -> MeasuredPairs:
        """The same of the fast path."""
        scored = self.scored[task]
        return measured_pairs(scored.offer_of_event, scored.hits.left_out(measure), scored.is_positive)

    def scores(self, name: str, measure: Measure, task: str) -> list[float]:
        """Scores of a row, pairs in the order of the loops."""
        return self.once(("scores", name, measure, task), lambda: self._scores(name, measure, task))

    def _scores(self, name: str, measure: Measure, task: str) -> list[float]:
        pairs = self.pairs(measure, task)
        if name == HISTORY_AFFINITY:
            labels = self.labels(task)
            return [
                oracle.history_affinity(
                    history_of(self.tiny, self.rows[pair.user_event], task), labels[pair.offer_event]
                )
                for pair in pairs
            ]
        data, table = self.tiny.data, self.tables[task]
        contexts = Contexts.of_events(data, Split.TEST, self.batches.reshape(-1, NEIGHBOURS))
        offers = np.searchsorted(table.keys, data.events[task][contexts.rows]).astype(np.int32)
        of_pairs = self.scorers[name].score(TaskPairs(task, table, contexts, offers))
        groups = (divmod(pair.user_event, NEIGHBOURS) for pair in pairs)
        return [
            float(of_pairs[group, i, pair.offer_event % NEIGHBOURS])
            for (group, i), pair in zip(groups, pairs, strict=True)
        ]


def evaluate(
    scorers: dict[str, Scorer], tables: dict[str, OfferTable], data: PreparedData, batches: np.ndarray
) -> tuple[dict[str, ScoredTask], Results]:
    scored = dict(score_tasks(scorers, tables, group_neighbours(data, Split.TEST, batches, NEIGHBOURS)))
    return scored, {
        measure: {
            task: measure_task(each, measure, data.first_label, EVALUATE) for task, each in scored.items()
        }
        for measure in Measure
    }


@pytest.fixture(scope="module", params=["tiny_data", "weighted_tiny_data"])
def evaluated(request: pytest.FixtureRequest, configured_tensorflow: None) -> Evaluated:
    tiny: TinyData = request.getfixturevalue(request.param)
    data = tiny.data
    batches = np.stack(list(draw_pass(data, Split.TEST, rebatch_parameters())))
    events = {feature: data.events[feature][train_rows(data)] for feature in data.offer_sizes}
    tables = {
        task: group_offers(events, task, MOST_FREQUENT, np.unique(data.events[task][batches]))
        for task in TASKS
    }
    scorers: dict[str, Scorer] = {
        name: RankerScorer(random_ranker(data, case, seed)) for name, (case, seed) in MODELS.items()
    }
    scorers |= {name: make(yardsticks_parameters()) for name, make in UNTRAINED.items()}
    return Evaluated(tiny, batches, scorers, tables, *evaluate(scorers, tables, data, batches))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("measure", Measure, ids=str)
def test_pairs_users_and_scores_are_those_of_the_loops(
    evaluated: Evaluated, measure: Measure, task: str
) -> None:
    scored, labels = evaluated.scored[task], evaluated.labels(task)
    pairs, found = evaluated.pairs(measure, task), evaluated.measured(measure, task)
    assert scored.offers.keys[scored.offer_of_event].reshape(-1).tolist() == labels
    assert scored.offers.keys[found.offers].tolist() == [labels[pair.offer_event] for pair in pairs]
    assert found.is_positive.tolist() == [pair.is_positive for pair in pairs]
    users = evaluated.tiny.data.events[USER][evaluated.rows].tolist()
    known = sorted(set(users))
    of_pairs = [known.index(users[pair.user_event]) for pair in pairs]
    assert found.of_users(scored.users).tolist() == of_pairs
    assert list(scored.scores) == ROWS
    for name in ROWS:
        assert scored.scores[name].shape == (len(labels) // NEIGHBOURS, NEIGHBOURS, NEIGHBOURS)
        assert scored.scores[name][found.kept].tolist() == evaluated.scores(name, measure, task)
    assert len(set(scored.scores[HISTORY_AFFINITY][found.kept].tolist())) > 5


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("measure", Measure, ids=str)
def test_results_are_those_of_the_loops_on_the_same_scores(
    evaluated: Evaluated, measure: Measure, name: str, task: str
) -> None:
    labels = evaluated.labels(task)
    pairs, hits = evaluated.pairs(measure, task), list(evaluated.hits(task).values())
    scores = evaluated.scores(name, measure, task)
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
    result = evaluated.results[measure][task]
    assert list(result.offers.columns) == ["label", "positives", "negatives", *ROWS]
    found = result.offers[["label", "positives", "negatives", name]].itertuples(index=False, name=None)
    assert list(found) == [pytest.approx(row, abs=1e-9) for row in expected]
    assert result.offers.index.tolist() == list(range(len(expected)))
    assert result.counts == {
        "offers": len(set(labels)),
        "offers_evaluated": len(expected),
        "offers_out_of_vocabulary": sum(key < first_label for key in set(labels)),
        "offers_without_negative": without_negative,
        "offers_not_seen_in_training": len(set(labels) - set(evaluated.labels_of_train(task))),
        "pairs": len(pairs),
        "negatives_with_own_offer": hits.count(oracle.OWN_OFFER),
        "negatives_bought_that_day": hits.count(oracle.BOUGHT_THAT_DAY),
        "negatives_of_own_events": hits.count(oracle.OWN_EVENT),
        **oracle.pair_facts(evaluated.log(task), evaluated.rows, NEIGHBOURS),
    }


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("measure", Measure, ids=str)
def test_samples_are_those_of_each_row_by_itself(evaluated: Evaluated, measure: Measure, task: str) -> None:
    # The same draws of users for every row, task and measure, as wide as the users of all its pairs.
    scored, result = evaluated.scored[task], evaluated.results[measure][task]
    pairs = evaluated.measured(measure, task)
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
        for name in ("full", HISTORY_AFFINITY, RECENCY):
            for sample in (0, EVALUATE.bootstrap.samples - 1):
                expected = bootstrap_oracle.sampled_wauc(
                    pairs.offers.tolist(),
                    pairs.is_positive.tolist(),
                    pairs.of_users(scored.users).tolist(),
                    scored.scores[name][pairs.kept].tolist(),
                    weights[:, sample].tolist(),
                    inside,
                )
                wanted = np.nan if expected is None else expected
                assert by_row[name][sample] == pytest.approx(wanted, abs=1e-12, nan_ok=True)


def test_out_of_vocabulary_offers_are_there_to_be_left_out(evaluated: Evaluated) -> None:
    for results in evaluated.results.values():
        counts = [result.counts for result in results.values()]
        assert any(count["offers_out_of_vocabulary"] for count in counts)
        assert all(count["negatives_with_own_offer"] for count in counts)
        assert all(count["negatives_bought_that_day"] for count in counts)
        assert any(count["negatives_of_own_events"] for count in counts)


@pytest.mark.parametrize("task", TASKS)
def test_clean_pairs_are_the_published_ones_without_more_negatives(evaluated: Evaluated, task: str) -> None:
    published, clean = (evaluated.results[measure][task].counts for measure in Measure)
    more = clean["negatives_bought_that_day"] + clean["negatives_of_own_events"]
    assert published["pairs"] - clean["pairs"] == more > 0
    offers = [evaluated.results[measure][task].offers.set_index("label") for measure in Measure]
    both = offers[0].join(offers[1], how="inner", rsuffix="_clean")
    assert (both["positives"] == both["positives_clean"]).all()
    assert (both["negatives"] >= both["negatives_clean"]).all()
    assert (both["full"] != both["full_clean"]).any()


def test_an_offer_that_no_train_user_bought_is_counted(tiny_data: TinyData) -> None:
    # The offers are described by events of brands above a test user's: that one is not among them.
    data, batches = (
        tiny_data.data,
        np.stack(list(draw_pass(tiny_data.data, Split.TEST, rebatch_parameters()))),
    )
    keys = np.unique(data.events["brand"][batches])
    described = data.events["brand"][train_rows(data)]
    described = described[described > keys[0]]
    tables = {"brand": group_offers({"brand": described}, "brand", 1, keys)}
    unseen = set(keys.tolist()) - set(described.tolist())
    scorers = {name: make(yardsticks_parameters()) for name, make in UNTRAINED.items()}
    _, results = evaluate(scorers, tables, data, batches)
    for by_task in results.values():
        assert by_task["brand"].counts["offers_not_seen_in_training"] == len(unseen) > 0


def test_an_offer_without_negative_is_counted_and_left_out(tiny_data: TinyData) -> None:
    # One group of one purchase five times over: every negative has its positive's offer.
    data = tiny_data.data
    row = next(row for row in data.user_rows[Split.TEST][0] if data.events["brand"][row] >= data.first_label)
    batches = np.full((1, NEIGHBOURS), row)
    tables = {"brand": group_offers({"brand": data.events["brand"][batches[0]]}, "brand", 1)}
    _, results = evaluate({HISTORY_AFFINITY: HistoryAffinity()}, tables, data, batches)
    for by_task in results.values():
        result = by_task["brand"]
        assert result.counts["offers_evaluated"] == 0
        assert result.counts["offers_without_negative"] == 1
        assert result.counts["pairs"] == NEIGHBOURS
        assert len(result.offers[HISTORY_AFFINITY]) == 0

"""Trees and factors: what they are fitted on, that they learn, and their files."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from offerbench.batching.batches import draw_pass
from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError
from offerbench.core.rows import ALL_TASKS
from offerbench.features.past_counts import PastCounts
from offerbench.scorers.boosted_peer import BoostedPeer, fit_peers
from offerbench.scorers.boosted_ranker import BoostedRanker, fit_on_ranker, ranker_features
from offerbench.scorers.contexts import Contexts
from offerbench.scorers.event_pairs import event_pairs, fitted_pairs
from offerbench.scorers.least_squares import (
    LeastSquaresScorer,
    fit_factors,
    fold_in,
    load_factors,
    save_factors,
)
from offerbench.scorers.pairs import TaskPairs
from offerbench.scorers.ranker import RankerScorer
from offerbench.scorers.trees import LabelledPairs, fit_trees, load_trees

from ..conftest import TinyData
from ..parameters import boosted_parameters, peer_parameters, rebatch_parameters
from ..rankers import random_ranker
from .test_pairs import NEIGHBOURS, contexts_of, pairs_of

pytestmark = pytest.mark.usefixtures("configured_tensorflow")
TASKS = ["price_cluster", "brand"]


def tasks_of(tiny: TinyData, split: Split) -> list[TaskPairs]:
    batches = np.stack(list(draw_pass(tiny.data, split, rebatch_parameters())))
    return list(event_pairs(tiny.data, split, batches.reshape(-1, NEIGHBOURS), TASKS, 5))


def labelled(seed: int, pairs: int = 2_000) -> LabelledPairs:
    """Pairs that are positive where a product of two features is, with a tenth of the labels turned."""
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(pairs, 3)).astype(np.float32)
    is_positive = (features[:, 0] * features[:, 1] > 0) ^ (generator.random(pairs) < 0.1)
    return LabelledPairs(features, is_positive)


def accuracy(scores: np.ndarray, pairs: LabelledPairs) -> float:
    return float(((scores > 0) == pairs.is_positive).mean())


def test_trees_learn_what_no_line_can_and_stop_where_others_lose_least(tmp_path: Path) -> None:
    boosting = peer_parameters(boosting={"max_rounds": 300, "patience": 10}).boosting
    trees = fit_trees(labelled(0), ["a", "b", "c"], boosting, labelled(1))
    assert 5 < trees.rounds < 300
    assert accuracy(trees.scores(labelled(2).features), labelled(2)) > 0.8
    again = fit_trees(labelled(0), ["a", "b", "c"], boosting, labelled(1))
    features = labelled(2).features.reshape(40, 5, 10, 3)
    assert trees.scores(features).tobytes() == again.scores(features).tobytes()
    trees.save(tmp_path, "brand")
    loaded = load_trees(tmp_path, "brand")
    assert loaded.names == ["a", "b", "c"]
    assert loaded.scores(features).tobytes() == trees.scores(features).tobytes()
    one = fit_trees(labelled(0), ["a", "b", "c"], boosting.model_copy(update={"threads": 1}), labelled(1))
    assert one.scores(features).tobytes() == trees.scores(features).tobytes()


def test_damaged_trees_are_named(tmp_path: Path) -> None:
    with pytest.raises(OfferbenchError, match=r"brand.txt: no such file. Run `dvc repro`"):
        load_trees(tmp_path, "brand")
    fit_trees(labelled(0), ["a", "b", "c"], peer_parameters().boosting).save(tmp_path, "brand")
    (tmp_path / "brand.json").write_text('{"features": ["a"]}')
    with pytest.raises(OfferbenchError, match=r"brand.txt: has 3 features, .*brand.json 1"):
        load_trees(tmp_path, "brand")
    (tmp_path / "brand.txt").write_text("tree\nnothing else\n")
    with pytest.raises(OfferbenchError, match=r"brand.txt: no intact model of LightGBM"):
        load_trees(tmp_path, "brand")


def test_what_is_fitted_on(tiny_data: TinyData) -> None:
    pairs = tasks_of(tiny_data, Split.VALIDATION)[1]
    kept, is_positive = fitted_pairs(pairs)
    keys, found = pairs.offers.keys, []
    for b, i, j in np.ndindex(*pairs.shape):
        offer, own = pairs.offer_of_event[b, j], pairs.offer_of_event[b, i]
        expected = keys[offer] >= tiny_data.data.first_label and (i == j or offer != own)
        assert kept[b, i, j] == expected
        if expected:
            found.append(i == j)
    assert is_positive.tolist() == found
    assert not kept.all()


@pytest.mark.parametrize("by_task", [True, False])
def test_peers_of_tasks_and_of_all(tiny_data: TinyData, by_task: bool) -> None:
    parameters = peer_parameters()
    both = [tasks_of(tiny_data, split) for split in (Split.TRAIN, Split.VALIDATION)]
    forests = fit_peers(*both, parameters)
    assert list(forests) == [*TASKS, ALL_TASKS]
    trees = {name: forest for name, forest in forests.items() if (name == ALL_TASKS) != by_task}
    scorer, contexts = BoostedPeer(trees, parameters.features), contexts_of(tiny_data)
    for task in TASKS:
        pairs = pairs_of(contexts, task)
        scores = scorer.score(pairs)
        assert scores.shape == pairs.shape
        # It ranks those who bought the offer first, as a test of whether it was fitted the right way round.
        own = np.eye(NEIGHBOURS, dtype=bool)[None]
        assert (
            scores[np.broadcast_to(own, scores.shape)].mean()
            > scores[~np.broadcast_to(own, scores.shape)].mean()
        )


def test_the_boosted_ranker_sees_the_rankers_score(tiny_data: TinyData) -> None:
    ranker = RankerScorer(random_ranker(tiny_data.data, "variance_matches"))
    parameters = boosted_parameters()
    tasks = tasks_of(tiny_data, Split.VALIDATION)
    features, names = ranker_features(ranker, tasks[0], parameters.features)
    assert names[:2] == ["ranker", "ranker_without_matches"]
    score = ranker.score(tasks[0])
    assert (features[..., 0] == score).all()
    assert not (features[..., 1] == score).all()
    trees = fit_on_ranker(ranker, tasks, parameters.features, parameters.boosting)
    assert trees.names == names
    pairs = pairs_of(contexts_of(tiny_data), "brand")
    scores = BoostedRanker(ranker, trees, parameters.features).score(pairs)
    assert scores.shape == pairs.shape
    again = fit_on_ranker(
        ranker, tasks_of(tiny_data, Split.VALIDATION), parameters.features, parameters.boosting
    )
    assert BoostedRanker(ranker, again, parameters.features).score(pairs).tobytes() == scores.tobytes()


def test_equal_pairs_have_equal_scores(tiny_data: TinyData) -> None:
    parameters = peer_parameters()
    both = [tasks_of(tiny_data, split) for split in (Split.TRAIN, Split.VALIDATION)]
    factors = {task: fit_factors(tiny_data.data, task, parameters.least_squares) for task in TASKS}
    scorers = [
        BoostedPeer(fit_peers(*both, parameters), parameters.features),
        LeastSquaresScorer(factors, parameters.least_squares),
    ]
    few = np.random.default_rng(0).choice(contexts_of(tiny_data).rows.reshape(-1)[:12], (60, NEIGHBOURS))
    pairs = pairs_of(Contexts.of_events(tiny_data.data, Split.TEST, few), "brand")
    for scorer in scorers:
        scores, of_pair = scorer.score(pairs), defaultdict(set)
        for b, i, j in np.ndindex(*scores.shape):
            of_pair[pairs.contexts.numbers[b, i], pairs.offer_of_event[b, j]].add(scores[b, i, j].tobytes())
        assert len(of_pair) > 20
        assert all(len(bits) == 1 for bits in of_pair.values())


def test_folding_in_solves_the_regularised_least_squares(tiny_data: TinyData, tmp_path: Path) -> None:
    # A user's vector x minimises sum c (p - x y)^2 + l2 |x|^2, with p = 1 and c = 1 + count where something
    # was bought, p = 0 and c = 1 elsewhere (Hu, Koren, Volinsky 2008).
    parameters = peer_parameters(least_squares={"iterations": 8}).least_squares
    factors = fit_factors(tiny_data.data, "brand", parameters)
    save_factors(tmp_path, "brand", factors)
    assert load_factors(tmp_path, "brand").tobytes() == factors.tobytes()
    assert fit_factors(tiny_data.data, "brand", parameters).tobytes() == factors.tobytes()
    values, counts = np.array([3, 5, 4], np.int32), np.array([2, 1, 4], np.float32)
    pasts = PastCounts(values, counts, np.array([0, 2, 3]), np.array([2, 1, 0]), len(factors))
    found = fold_in(factors, pasts, parameters)
    y = factors.astype(np.float64)
    for past, (start, length) in enumerate(zip(pasts.start, pasts.length, strict=True)):
        some = slice(start, start + length)
        confidence = np.ones(len(y))
        confidence[values[some]] += counts[some]
        bought = np.zeros(len(y))
        bought[values[some]] = 1
        left = (y.T * confidence) @ y + parameters.l2 * np.eye(y.shape[1])
        expected = np.linalg.solve(left, y.T @ (confidence * bought))
        assert found[past] == pytest.approx(expected, abs=2e-2)


def test_damaged_factors_are_named(tmp_path: Path) -> None:
    with pytest.raises(OfferbenchError, match=r"brand.safetensors: no such file. Run `dvc repro`"):
        load_factors(tmp_path, "brand")
    (tmp_path / "brand.safetensors").write_bytes(b"x" * 30)
    with pytest.raises(OfferbenchError, match=r"brand.safetensors: damaged"):
        load_factors(tmp_path, "brand")

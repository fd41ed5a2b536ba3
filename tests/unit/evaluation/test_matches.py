"""Matches of test events, and scores of the augmented model, against loops over the log."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from offerbench.batching.batches import draw_pass
from offerbench.evaluation.matches import Matches
from offerbench.evaluation.offers import group_offers
from offerbench.evaluation.scoring import model_scores, offer_vectors, user_vectors
from offerbench.model.augmented import AugmentedModel
from offerbench.schema import DAY, USER, VIEW, Split
from tests.oracle import augmented as model_oracle
from tests.oracle import matching as oracle
from tests.oracle.offers import group_offers as naive_offers

from ..augmented_models import CASES, WINDOWS, random_augmented_model
from ..bags import bags_of
from ..conftest import TinyData
from ..model_builder import weights_of
from ..parameters import rebatch_parameters

pytestmark = pytest.mark.usefixtures("configured_tensorflow")
MINIBATCH, MOST_FREQUENT = 5, 4


@pytest.fixture(scope="module")
def rows(tiny_data: TinyData) -> np.ndarray:
    """Test events in minibatches; (minibatches, m)."""
    batches = list(draw_pass(tiny_data.data, Split.TEST, rebatch_parameters()))
    return np.stack(batches).reshape(-1, MINIBATCH)


def pasts_of(tiny: TinyData, rows: list[int], newest: int | None) -> list[list[int]]:
    users, days = tiny.data.events[USER].tolist(), tiny.data.events[DAY].tolist()
    return [oracle.past_rows(users, days, row, newest) for row in rows]


@pytest.mark.parametrize("task", ["brand", "product_id"])
@pytest.mark.parametrize("windows", [[None], [3, 1, None]], ids=str)
def test_counts_and_lengths(
    tiny_data: TinyData, rows: np.ndarray, task: str, windows: list[int | None]
) -> None:
    matches = Matches(tiny_data.data, Split.TEST, rows, task)
    counts, lengths = matches.counts(windows), matches.lengths(windows)
    assert counts.shape == (*rows.shape, MINIBATCH, len(windows))
    assert lengths.shape == (*rows.shape, len(windows))
    assert counts.dtype == lengths.dtype == np.int32
    labels, events = tiny_data.data.events[task].tolist(), rows.reshape(-1).tolist()
    for place, newest in enumerate(windows):
        pasts = pasts_of(tiny_data, events, newest)
        assert lengths[..., place].reshape(-1).tolist() == [len(past) for past in pasts]
        # An offer of a task is its key: each event's group is its label.
        own = [labels[row] for row in events]
        expected = oracle.pair_counts(pasts, labels, events, own, MINIBATCH)
        assert counts[..., place].reshape(-1).tolist() == expected
    assert len(set(counts[..., -1].reshape(-1).tolist())) > 4


@dataclass(frozen=True)
class Scored:
    """A model's scores of a task's pairs, and what they are made of."""

    model: AugmentedModel
    view_of_event: np.ndarray
    offer_of_event: np.ndarray
    scores: np.ndarray


def score(tiny: TinyData, rows: np.ndarray, task: str, case: str, **changes: Any) -> Scored:
    data = tiny.data
    model = random_augmented_model(data.user_sizes, data.offer_sizes, case, seed=1, **changes)
    events = {feature: data.events[feature][rows.reshape(-1)] for feature in data.offer_sizes}
    table = group_offers(events, task, MOST_FREQUENT)
    views, view_of_event = np.unique(data.events[VIEW][rows], return_inverse=True)
    view_of_event = view_of_event.reshape(rows.shape)
    users = user_vectors(model, data, views.astype(np.int64))
    offer_of_event = np.searchsorted(table.keys, data.events[task][rows]).astype(np.int32)
    matches = Matches(data, Split.TEST, rows, task)
    offers = offer_vectors(model, table)
    scores = model_scores(model, users, view_of_event, offers, offer_of_event, matches)
    return Scored(model, view_of_event, offer_of_event, scores)


@pytest.mark.parametrize("case", CASES)
def test_scores_are_those_of_each_pair_by_itself(tiny_data: TinyData, rows: np.ndarray, case: str) -> None:
    data, events = tiny_data.data, rows.reshape(-1).tolist()
    scored = score(tiny_data, rows, "brand", case)
    weights, parts = weights_of(scored.model), scored.model.specification.parts
    labels = {name: data.events[name][events].tolist() for name in data.offer_sizes}
    offers = naive_offers(labels, "brand", MOST_FREQUENT)
    pasts = {newest: pasts_of(tiny_data, events, newest) for newest in WINDOWS}
    brands = data.events["brand"].tolist()
    shares = {key: labels["brand"].count(key) / len(events) for key in offers}
    some = range(min(6, len(rows)))
    expected = np.zeros((len(some), MINIBATCH, MINIBATCH))
    for b, i, j in np.ndindex(*expected.shape):
        user, key = b * MINIBATCH + i, brands[rows[b, j]]
        view = data.events[VIEW][rows[b, i]]
        counts = [oracle.count(brands, pasts[newest][user], {key}) for newest in WINDOWS]
        lengths = [len(pasts[newest][user]) for newest in WINDOWS]
        expected[b, i, j] = model_oracle.pair_score(
            weights, parts, bags_of(data, view), offers[key], counts, lengths, shares[key]
        )
    assert scored.scores.dtype == np.float32
    assert scored.scores.shape == (*rows.shape, MINIBATCH)
    assert np.std(expected) > 0.01
    assert scored.scores[: len(some)] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_equal_pairs_have_equal_scores_wherever_they_stand(
    tiny_data: TinyData, rows: np.ndarray, case: str
) -> None:
    # Ties count half. Few events, in many minibatches at random: each pair comes many times. Sums are
    # long, so that one in another order would have other last bits.
    few = np.random.default_rng(0).choice(rows.reshape(-1)[:12], (300, MINIBATCH))
    scored = score(tiny_data, few, "brand", case, hidden_units=50, tower_units=[50])
    of_pair = defaultdict(set)
    for b, i, j in np.ndindex(*scored.scores.shape):
        pair = scored.view_of_event[b, i], scored.offer_of_event[b, j]
        of_pair[pair].add(scored.scores[b, i, j].tobytes())
    assert len(of_pair) > 20
    assert sum(len(scores) > 1 for scores in of_pair.values()) == 0


def test_scores_of_more_minibatches_than_fit_at_a_time(
    tiny_data: TinyData, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = score(tiny_data, rows, "brand", "bilinear_everything").scores
    monkeypatch.setattr("offerbench.evaluation.scoring.MINIBATCHES_AT_A_TIME", 3)
    assert len(rows) % 3
    parts = score(tiny_data, rows, "brand", "bilinear_everything").scores
    assert parts == pytest.approx(whole, abs=2e-5)

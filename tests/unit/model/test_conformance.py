"""What every model must do: learn tastes, survive its file, give every pair a score."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offerbench.batching.augmented import Augmentation, Key
from offerbench.batching.batches import draw_pass, make_batch
from offerbench.batching.prepared import PreparedData
from offerbench.evaluation.auc import auc_by_offer
from offerbench.evaluation.evaluate import ScoredTask, measure_task, score_tasks
from offerbench.evaluation.offers import OfferTable, group_offers
from offerbench.evaluation.wauc import weighted_auc
from offerbench.model.checkpoint import load_model, make_model, save_model
from offerbench.model.feed import AugmentedFeed, EventFeed, Feed
from offerbench.model.ranking_model import RankingModel
from offerbench.model.specification import AugmentedSpecification, ModelSpecification
from offerbench.model.tensors import augmented_tensors, batch_tensors
from offerbench.model.training import train_model
from offerbench.params.train_augmented import TrainAugmented
from offerbench.schema import HISTORY_AFFINITY, Split

from ..augmented_models import CASES
from ..parameters import COMPLETE, model_parameters, rebatch_parameters, train_parameters
from .planted_tastes import (
    CLASSES,
    DAYS,
    FEATURES,
    FIRST_TEST_USER,
    LIKED_CLASSES,
    NEVER_BOUGHT,
    TEST_USERS,
    TRAIN_USERS,
    USERS,
    VALUES_OF_CLASS,
    PlantedTastes,
    checkerboard,
    prepared,
)

NAME = "model"
MINIBATCH = 5
MODEL = model_parameters(embedding_dim=32, tower_units=[32, 16], dropout=0.0)
REBATCH = rebatch_parameters(users_per_group=TRAIN_USERS, batch_size=240)
TRAIN = train_parameters(epochs=20, learning_rate=0.02, number_of_negatives=MINIBATCH - 1)
# Keys are of both features mostly, of one else; a history has few values, so none is left out of it.
GROUPING = {"number": 2, "mean_features": 1.8, "coarser_and_finer_share": 0.4}
AUGMENTED = COMPLETE["train_augmented"] | {"grouping": GROUPING, "history_dropout": 0.0}


@dataclass(frozen=True)
class Case:
    """A kind of model: the offer features it sees, and its parts if it is an augmented one."""

    offer_features: list[str]
    parts: dict[str, Any] | None = None


BILINEAR = {"user_meta_features": 4, "offer_meta_features": 4, "network_units": [16, 8]}
KINDS = {
    "full": Case(FEATURES),
    **{f"mono_{feature}": Case([feature]) for feature in FEATURES},
    "augmented_dot": Case(FEATURES, CASES["dot_variance_matching"]),
    "augmented_bilinear": Case(FEATURES, CASES["bilinear_everything"] | BILINEAR),
}


def specification_and_feed(data: PreparedData, case: Case) -> tuple[ModelSpecification, Feed]:
    validation = np.stack(list(draw_pass(data, Split.VALIDATION, REBATCH)))
    shape: dict[str, Any] = {
        "user_features": data.user_sizes,
        "offer_features": {name: data.offer_sizes[name] for name in case.offer_features},
        "model": MODEL,
    }
    if case.parts is None:
        return ModelSpecification(**shape), EventFeed(data, validation, REBATCH, case.offer_features)
    augmented = TrainAugmented.model_validate({**AUGMENTED, "parts": {**AUGMENTED["parts"], **case.parts}})
    feed = AugmentedFeed(data, validation, REBATCH, augmented, MINIBATCH, TRAIN.seed)
    return AugmentedSpecification(**shape, parts=augmented.parts), feed


@pytest.fixture(scope="module", name="tastes")
def planted_tastes() -> PlantedTastes:
    return checkerboard(seed=0)


@pytest.fixture(scope="module", name="data")
def data_of_tastes(tastes: PlantedTastes) -> PreparedData:
    return tastes.data


@pytest.fixture(scope="module", params=list(KINDS))
def model(request: pytest.FixtureRequest, data: PreparedData, configured_tensorflow: None) -> RankingModel:
    """A trained model of each kind."""
    specification, feed = specification_and_feed(data, KINDS[request.param])
    made = make_model(specification, np.random.default_rng(TRAIN.seed))
    train_model(made, feed, TRAIN, lambda _: None)
    return made


def tasks_of(model: RankingModel) -> list[str]:
    """Those that the model is meant for: the features that it sees."""
    return list(model.specification.offer_features)


def minibatches(data: PreparedData, days: list[int]) -> np.ndarray:
    """All events of the test users on some days, as one batch in random order."""
    rows = np.flatnonzero((data.events["user"] >= FIRST_TEST_USER) & np.isin(data.events["day"], days))
    return np.random.default_rng(0).permutation(rows)[None, :]


def offers_of(data: PreparedData, batches: np.ndarray, task: str) -> OfferTable:
    events = {name: data.events[name][batches.reshape(-1)] for name in data.offer_sizes}
    return group_offers(events, task, most_frequent=CLASSES * VALUES_OF_CLASS)


def score(
    model: RankingModel, data: PreparedData, days: list[int], task: str, table: OfferTable | None = None
) -> ScoredTask:
    batches = minibatches(data, days)
    tables = {task: table or offers_of(data, batches, task)}
    tasks = score_tasks({NAME: model}, tables, data, Split.TEST, batches, MINIBATCH, lambda _: None)
    return dict(tasks)[task]


def wauc(model: RankingModel, data: PreparedData, task: str) -> dict[str, float | None]:
    columns = measure_task(score(model, data, WITH_PAST, task), data.first_label).columns
    return {name: weighted_auc(columns[name], columns["positives"]) for name in (NAME, HISTORY_AFFINITY)}


def pair_scores(model: RankingModel, data: PreparedData, rows: np.ndarray) -> np.ndarray:
    """Scores of the users of some events with each one's own brand and category; shape (rows, rows)."""
    specification, size = model.specification, len(rows)
    if not isinstance(specification, AugmentedSpecification):
        batch = make_batch(data, rows, list(specification.offer_features))
        return model.infer_pairs(batch_tensors(batch), size).logits.numpy()[0]
    matching = specification.parts.matching
    augmentation = Augmentation(data, size, matching.windows if matching else [])
    unused = np.random.default_rng(0)  # keys with no chance of a change
    augmented = augmentation.make(rows, [Key(list(range(len(FEATURES))), 0.0)], unused)
    return model.infer_pairs(augmented_tensors(augmented), size).logits.numpy()[0, 0]


def auc_of_colour(model: RankingModel, tastes: PlantedTastes) -> float:
    """AUC of the cells that a test user likes over the others of the brands and categories it likes."""
    users = np.arange(FIRST_TEST_USER, USERS)
    rows = users * DAYS + DAYS - 1
    category, brand = (tastes.steps(name, users, rows) for name in FEATURES)
    kept = (category < LIKED_CLASSES) & (brand < LIKED_CLASSES) & ~np.eye(TEST_USERS, dtype=bool)
    scores = pair_scores(model, tastes.data, rows)[kept]
    one_offer = np.zeros(len(scores), np.int32)
    return float(auc_by_offer(one_offer, (category == brand)[kept], scores, 1).auc[0])


WITH_PAST = list(range(1, DAYS))


def test_each_features_taste_is_learned_that_no_past_value_tells(
    model: RankingModel, data: PreparedData
) -> None:
    # Half of the negatives are of the user's two classes: these alone give 1 - 1/2 / 2 = .75. A bit more is
    # there for a model that sees that nothing is bought twice: a match says the opposite of affinity.
    # The full model is trained on cells; the mean of an offer's other feature is new to it: it gets about .7.
    for task in tasks_of(model):
        result = wauc(model, data, task)
        assert result[HISTORY_AFFINITY] < 0.5
        assert result[NAME] > 0.64


def test_the_colour_of_the_checkerboard_is_learned_from_both_features(
    model: RankingModel, tastes: PlantedTastes
) -> None:
    # What a user likes of each feature alone says nothing here, so a model that sees one is at chance.
    auc = auc_of_colour(model, tastes)
    if tasks_of(model) == FEATURES:
        assert auc > 0.9
    else:
        assert abs(auc - 0.5) < 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_is_not_trained_knows_no_taste(kind: str, tastes: PlantedTastes) -> None:
    specification, _ = specification_and_feed(tastes.data, KINDS[kind])
    made = make_model(specification, np.random.default_rng(TRAIN.seed))
    assert abs(auc_of_colour(made, tastes) - 0.5) < 0.1
    for task in tasks_of(made):  # an augmented model begins with the odds of a match, as affinity does
        assert 0.4 < wauc(made, tastes.data, task)[NAME] < 0.55


def test_a_loaded_model_gives_the_same_scores(
    model: RankingModel, data: PreparedData, tmp_path: Path
) -> None:
    save_model(model, tmp_path)
    for task in tasks_of(model):
        loaded = score(load_model(tmp_path), data, WITH_PAST, task).scores[NAME]
        assert np.std(loaded) > 0.1  # the scores differ, so that agreement says something
        assert loaded.tobytes() == score(model, data, WITH_PAST, task).scores[NAME].tobytes()


def test_the_order_of_an_offers_features_does_not_matter(model: RankingModel, data: PreparedData) -> None:
    for task in tasks_of(model):
        table = offers_of(data, minibatches(data, WITH_PAST), task)
        turned = replace(table, distributions=dict(reversed(table.distributions.items())))
        assert list(turned.distributions) != list(table.distributions)
        scores = [score(model, data, WITH_PAST, task, each).scores[NAME] for each in (table, turned)]
        assert scores[0].tobytes() == scores[1].tobytes()


def test_users_without_a_past_are_alike(model: RankingModel, data: PreparedData) -> None:
    for task in tasks_of(model):
        scored = score(model, data, [0], task)
        scores = scored.scores[NAME]
        assert np.isfinite(scores).all()
        for offer in range(len(scored.table.keys)):
            assert np.ptp(scores[scored.pairs.offers == offer]) < 1e-4
        assert np.ptp(scores) > 1e-3


@pytest.mark.parametrize("label", [0, NEVER_BOUGHT], ids=["bucket", "never_bought"])
def test_an_unseen_value_gets_a_score(model: RankingModel, data: PreparedData, label: int) -> None:
    # The third purchase of each test user is of it, so that it is an offer and stands in histories too.
    for task in tasks_of(model):
        labels = {name: data.events[name].copy() for name in data.offer_sizes}
        assert label not in labels[task]
        labels[task][FIRST_TEST_USER * DAYS + 2 :: DAYS] = label
        scored = score(model, prepared(labels), list(range(DAYS)), task)
        assert label in scored.table.keys
        assert np.isfinite(scored.scores[NAME]).all()

"""What every kind of ranker must do: learn tastes, survive its file, give every pair a score."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offerbench.batching.batches import draw_pass
from offerbench.batching.grouped import BatchMaker
from offerbench.batching.grouping_keys import Key
from offerbench.core.columns import POSITIVES, Split
from offerbench.core.rows import HISTORY_AFFINITY
from offerbench.evaluation.auc import auc_by_offer
from offerbench.evaluation.evaluate import ScoredTask, measure_task, score_tasks
from offerbench.evaluation.negatives import group_neighbours
from offerbench.evaluation.pairs import Measure
from offerbench.evaluation.wauc import wauc
from offerbench.features.offers import OfferTable, group_offers
from offerbench.model.feed import Feed
from offerbench.model.ranker import Ranker
from offerbench.model.saved_model import load_model, save_model
from offerbench.model.specification import specify
from offerbench.model.tensors import batch_tensors
from offerbench.model.training import train_model
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.history_affinity import HistoryAffinity
from offerbench.scorers.ranker import RankerScorer

from ..parameters import evaluate_parameters, rebatch_parameters
from ..rankers import CASES, Case
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
NEIGHBOURS = 5
REBATCH = rebatch_parameters(users_per_group=TRAIN_USERS, batch_size=240)
EVALUATE = evaluate_parameters(number_of_negatives=NEIGHBOURS - 1)
TRAINING: dict[str, Any] = {
    "ranker": {"embedding_dim": 32, "units": [32, 16], "dropout": 0.0},
    "optimizer.learning_rate": 0.02,
    "number_of_negatives": NEIGHBOURS - 1,
    "epochs": 12,
}
# Keys are of both features mostly, of one else; a history has few values, so none is left out of it.
GROUPINGS = {"groupings": {"number": 2, "mean_features": 1.8}}
COMPRESSION = {"ranker.compression": {"user_meta_features": 4, "offer_meta_features": 4}}
BILINEAR = {"ranker.units": [16, 8], "optimizer.learning_rate": 0.03, "epochs": 14}
KINDS: dict[str, tuple[Case, dict[str, Any]]] = {
    "full": (CASES["full"], {}),
    **{f"mono_{feature}": (Case(offer_features=[feature]), {"epochs": 6}) for feature in FEATURES},
    "shared": (CASES["shared"], {}),
    "matches_without_groupings": (CASES["matches_without_groupings"], {}),
    "augmented_dot": (CASES["variance_matches"], GROUPINGS | {"epochs": 15}),
    "attributes": (CASES["attributes"], GROUPINGS | {"epochs": 20}),
    "bilinear_matches": (CASES["bilinear_matches"], GROUPINGS | BILINEAR),
    "bilinear_everything": (CASES["bilinear_everything"], GROUPINGS | BILINEAR | COMPRESSION),
}


def untrained(data: PreparedData, kind: str) -> Ranker:
    case, changes = KINDS[kind]
    training = case.training(**TRAINING | changes)
    return Ranker(specify(data, case.offer_features or FEATURES, training), np.random.default_rng(1))


@pytest.fixture(scope="module", name="tastes")
def planted_tastes() -> PlantedTastes:
    return checkerboard(seed=0)


@pytest.fixture(scope="module", name="data")
def data_of_tastes(tastes: PlantedTastes) -> PreparedData:
    return tastes.data


SLOW = {
    kind: [pytest.mark.slow, pytest.mark.xdist_group("conformance")]
    for kind in ("bilinear_everything", "attributes", "matches_without_groupings")
}  # their parts are those of the others too


@pytest.fixture(scope="module", params=[pytest.param(kind, marks=SLOW.get(kind, [])) for kind in KINDS])
def model(request: pytest.FixtureRequest, data: PreparedData, configured_tensorflow: None) -> Ranker:
    """A trained ranker of each kind."""
    made = untrained(data, request.param)
    validation = np.stack(list(draw_pass(data, Split.VALIDATION, REBATCH)))
    train_model(made, Feed(data, validation, REBATCH, made.specification.training, tasks_of(made)))
    return made


def tasks_of(model: Ranker) -> list[str]:
    """Those that the model is meant for: the features that it sees."""
    return list(model.specification.offer_features)


def batches_of_days(data: PreparedData, days: list[int]) -> np.ndarray:
    """All events of the test users on some days, as one batch in random order."""
    rows = np.flatnonzero((data.events["user"] >= FIRST_TEST_USER) & np.isin(data.events["day"], days))
    return np.random.default_rng(0).permutation(rows)[None, :]


def offers_of(data: PreparedData, batches: np.ndarray, task: str) -> OfferTable:
    """The batches' offers, described by the train users' events."""
    events = {name: data.events[name][: TRAIN_USERS * DAYS] for name in data.offer_sizes}
    keys = np.unique(data.events[task][batches])
    return group_offers(events, task, CLASSES * VALUES_OF_CLASS, keys)


def score(
    model: Ranker, data: PreparedData, days: list[int], task: str, table: OfferTable | None = None
) -> ScoredTask:
    batches = batches_of_days(data, days)
    tables = {task: table or offers_of(data, batches, task)}
    scorers = {NAME: RankerScorer(model), HISTORY_AFFINITY: HistoryAffinity()}
    return dict(score_tasks(scorers, tables, group_neighbours(data, Split.TEST, batches, NEIGHBOURS)))[task]


def wauc_of(model: Ranker, data: PreparedData, task: str) -> dict[str, float]:
    offers = measure_task(
        score(model, data, WITH_PAST, task), Measure.PUBLISHED, data.first_label, EVALUATE
    ).offers
    positives = offers[POSITIVES].to_numpy()
    return {name: wauc(offers[name].to_numpy(), positives) for name in (NAME, HISTORY_AFFINITY)}


def pair_scores(model: Ranker, data: PreparedData, rows: np.ndarray) -> np.ndarray:
    """Scores of the users of some events with each one's own brand and category; shape (rows, rows)."""
    training, features, size = model.specification.training, tasks_of(model), len(rows)
    keys = [] if training.sees_events_only else [Key(list(range(len(features))))]
    matching = replace(training.matching, neighbours=size, remove_accidental_hits="none")
    maker = BatchMaker(data, features, matching)
    grouped = maker.make(rows, keys, np.random.default_rng(0))
    return model.pairs(batch_tensors(grouped), size).logits.numpy()[0, 0]


def auc_of_colour(model: Ranker, tastes: PlantedTastes) -> float:
    """AUC of the cells that a test user likes over the others of the brands and categories it likes."""
    users = np.arange(FIRST_TEST_USER, USERS)
    rows = users * DAYS + DAYS - 1
    category, brand = (tastes.steps(name, users, rows) for name in FEATURES)
    kept = (category < LIKED_CLASSES) & (brand < LIKED_CLASSES) & ~np.eye(TEST_USERS, dtype=bool)
    scores = pair_scores(model, tastes.data, rows)[kept]
    one_offer = np.zeros(len(scores), np.int32)
    return float(auc_by_offer(one_offer, (category == brand)[kept], scores, 1).auc[0])


WITH_PAST = list(range(1, DAYS))


def test_each_features_taste_is_learned_that_no_past_value_tells(model: Ranker, data: PreparedData) -> None:
    # Half of the negatives are of the user's two classes: these alone give 1 - 1/2 / 2 = .75. A bit more is
    # there for a model that sees that nothing is bought twice: a match says the opposite of affinity.
    # The full model is trained on cells; the mean of an offer's other feature is new to it: it gets about .7.
    for task in tasks_of(model):
        result = wauc_of(model, data, task)
        assert result[HISTORY_AFFINITY] < 0.5
        assert result[NAME] > 0.64


def test_the_colour_of_the_checkerboard_is_learned_from_both_features(
    model: Ranker, tastes: PlantedTastes
) -> None:
    # What a user likes of each feature alone says nothing here, so a model that sees one is at chance.
    auc = auc_of_colour(model, tastes)
    # Nothing is bought twice, so a match of an attribute tells negatives from positives: a model that counts
    # these has less left to learn of the colour; it gets about .85.
    matches_attributes = model.specification.training.matching.attribute_values is not None
    if tasks_of(model) == FEATURES:
        assert auc > (0.75 if matches_attributes else 0.9)
    else:
        assert abs(auc - 0.5) < 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_is_not_trained_knows_no_taste(kind: str, tastes: PlantedTastes) -> None:
    made = untrained(tastes.data, kind)
    assert abs(auc_of_colour(made, tastes) - 0.5) < 0.1
    for task in tasks_of(
        made
    ):  # a model that counts matches begins with the odds of a match, as affinity does
        assert 0.4 < wauc_of(made, tastes.data, task)[NAME] < 0.55


def test_a_loaded_model_gives_the_same_scores(model: Ranker, data: PreparedData, tmp_path: Path) -> None:
    save_model(model, tmp_path)
    for task in tasks_of(model):
        loaded = score(load_model(tmp_path), data, WITH_PAST, task).scores[NAME]
        assert np.std(loaded) > 0.1  # the scores differ, so that agreement says something
        assert loaded.tobytes() == score(model, data, WITH_PAST, task).scores[NAME].tobytes()


def test_the_order_of_an_offers_features_does_not_matter(model: Ranker, data: PreparedData) -> None:
    for task in tasks_of(model):
        table = offers_of(data, batches_of_days(data, WITH_PAST), task)
        turned = replace(table, distributions=dict(reversed(table.distributions.items())))
        assert list(turned.distributions) != list(table.distributions)
        scores = [score(model, data, WITH_PAST, task, each).scores[NAME] for each in (table, turned)]
        assert scores[0].tobytes() == scores[1].tobytes()


def test_users_without_a_past_are_alike(model: Ranker, data: PreparedData) -> None:
    for task in tasks_of(model):
        scored = score(model, data, [0], task)
        scores = scored.scores[NAME]
        assert np.isfinite(scores).all()
        of_pair = np.broadcast_to(scored.offer_of_event[:, None, :], scores.shape)
        for offer in range(len(scored.offers.keys)):
            assert np.ptp(scores[of_pair == offer]) < 1e-4
        assert np.ptp(scores) > 1e-3


@pytest.mark.parametrize("label", [0, NEVER_BOUGHT], ids=["bucket", "never_bought"])
def test_an_unseen_value_gets_a_score(model: Ranker, data: PreparedData, label: int) -> None:
    # The third purchase of each test user is of it, so that it is an offer and stands in histories too.
    for task in tasks_of(model):
        labels = {name: data.events[name].copy() for name in data.offer_sizes}
        assert label not in labels[task]
        labels[task][FIRST_TEST_USER * DAYS + 2 :: DAYS] = label
        scored = score(model, prepared(labels), list(range(DAYS)), task)
        assert scored.offers.base[scored.offers.keys == label].tolist() == [0]  # no train user bought it
        assert np.isfinite(scored.scores[NAME]).all()

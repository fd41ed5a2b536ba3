"""What every model must do: learn a taste, survive its file, give every pair a score."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offerbench.batching.batches import draw_pass
from offerbench.batching.prepared import BagStore, PreparedData
from offerbench.evaluation.evaluate import ScoredTask, measure_task, score_tasks
from offerbench.evaluation.offers import OfferTable, group_offers
from offerbench.evaluation.wauc import weighted_auc
from offerbench.model.checkpoint import load_model, make_model, save_model
from offerbench.model.feed import AugmentedFeed, EventFeed, Feed
from offerbench.model.ranking_model import RankingModel
from offerbench.model.specification import AugmentedSpecification, ModelSpecification
from offerbench.model.training import train_model
from offerbench.params.train_augmented import TrainAugmented
from offerbench.schema import HISTORY_AFFINITY, Split

from ..augmented_models import CASES
from ..parameters import COMPLETE, model_parameters, rebatch_parameters, train_parameters

TASK, NAME = "brand", "model"
TRAIN_USERS, VALIDATION_USERS, TEST_USERS, DAYS = 400, 40, 100, 6
USERS = TRAIN_USERS + VALIDATION_USERS + TEST_USERS
TASTES, BRANDS_OF_TASTE, CATEGORIES, BUCKETS = 4, 8, 8, 2
BRANDS = BUCKETS + TASTES * BRANDS_OF_TASTE
NEVER_BOUGHT = BRANDS  # one more label, of no event
MINIBATCH = 5
MODEL = model_parameters(embedding_dim=8, tower_units=[16, 8], dropout=0.0)
REBATCH = rebatch_parameters(users_per_group=TRAIN_USERS, batch_size=240)
TRAIN = train_parameters(epochs=15, learning_rate=0.02, number_of_negatives=MINIBATCH - 1)


@dataclass(frozen=True)
class Case:
    """A kind of model: the offer features it sees, and its parts if it is an augmented one."""

    offer_features: list[str]
    parts: dict[str, Any] | None = None


FEATURES = ["category1", TASK]  # not in alphabetical order: a file that sorts its keys is found out
KINDS = {
    "full": Case(FEATURES),
    "mono": Case([TASK]),
    "augmented_dot": Case(FEATURES, CASES["dot_variance_matching"]),
    "augmented_bilinear": Case(FEATURES, CASES["bilinear_everything"] | {"network_units": [16, 8]}),
}


def prepared(labels: Mapping[str, np.ndarray]) -> PreparedData:
    """Put one event a day of each user together; view u * DAYS + d is user u's past on day d.

    A user's labels of a feature are distinct, as bags have them.
    """
    user = np.repeat(np.arange(USERS, dtype=np.int32), DAYS)
    day = np.tile(np.arange(DAYS, dtype=np.int32), USERS)
    start, length = user.astype(np.int64) * DAYS, day.astype(np.int64)
    sizes = {"category1": BUCKETS + CATEGORIES, TASK: BRANDS + 1}
    splits = np.split(np.arange(USERS) * DAYS, [TRAIN_USERS, TRAIN_USERS + VALIDATION_USERS])
    return PreparedData(
        events={"user": user, "day": day, "view": np.arange(USERS * DAYS, dtype=np.int32), **labels},
        bags={f"history_purchase_{name}": BagStore(labels[name], start, length) for name in sizes},
        history_start=start,
        history_length=length,
        user_sizes={f"history_purchase_{name}": size for name, size in sizes.items()},
        offer_sizes=sizes,
        first_label=BUCKETS,
        user_rows={
            split: (first, np.full(len(first), DAYS)) for split, first in zip(Split, splits, strict=True)
        },
    )


def users_of_a_taste() -> PreparedData:
    """Each user likes every fourth brand and buys none of them twice; categories are noise."""
    generator = np.random.default_rng(0)
    taste = generator.integers(0, TASTES, USERS)
    brands = [generator.permutation(BRANDS_OF_TASTE)[:DAYS] * TASTES + liked for liked in taste]
    categories = [generator.permutation(CATEGORIES)[:DAYS] for _ in range(USERS)]
    return prepared(
        {
            "category1": (BUCKETS + np.concatenate(categories)).astype(np.int32),
            TASK: (BUCKETS + np.concatenate(brands)).astype(np.int32),
        }
    )


def specification_and_feed(data: PreparedData, case: Case) -> tuple[ModelSpecification, Feed]:
    validation = np.stack(list(draw_pass(data, Split.VALIDATION, REBATCH)))
    shape: dict[str, Any] = {
        "user_features": data.user_sizes,
        "offer_features": {name: data.offer_sizes[name] for name in case.offer_features},
        "model": MODEL,
    }
    if case.parts is None:
        return ModelSpecification(**shape), EventFeed(data, validation, REBATCH, case.offer_features)
    content = COMPLETE["train_augmented"]
    augmented = TrainAugmented.model_validate({**content, "parts": {**content["parts"], **case.parts}})
    feed = AugmentedFeed(data, validation, REBATCH, augmented, MINIBATCH, TRAIN.seed)
    return AugmentedSpecification(**shape, parts=augmented.parts), feed


@pytest.fixture(scope="module", name="data")
def made_data() -> PreparedData:
    return users_of_a_taste()


@pytest.fixture(scope="module", params=list(KINDS))
def model(request: pytest.FixtureRequest, data: PreparedData, configured_tensorflow: None) -> RankingModel:
    """A trained model of each kind."""
    specification, feed = specification_and_feed(data, KINDS[request.param])
    made = make_model(specification, np.random.default_rng(TRAIN.seed))
    train_model(made, feed, TRAIN, lambda _: None)
    return made


def minibatches(data: PreparedData, days: list[int]) -> np.ndarray:
    """All events of the test users on some days, as one batch in random order."""
    rows = np.flatnonzero(
        (data.events["user"] >= TRAIN_USERS + VALIDATION_USERS) & np.isin(data.events["day"], days)
    )
    return np.random.default_rng(0).permutation(rows)[None, :]


def offers_of(data: PreparedData, batches: np.ndarray) -> OfferTable:
    events = {name: data.events[name][batches.reshape(-1)] for name in data.offer_sizes}
    return group_offers(events, TASK, most_frequent=CATEGORIES)


def score(
    model: RankingModel, data: PreparedData, days: list[int], table: OfferTable | None = None
) -> ScoredTask:
    batches = minibatches(data, days)
    tables = {TASK: table or offers_of(data, batches)}
    tasks = score_tasks({NAME: model}, tables, data, Split.TEST, batches, MINIBATCH, lambda _: None)
    return dict(tasks)[TASK]


WITH_PAST = list(range(1, DAYS))


def test_a_taste_is_learned_that_no_past_value_tells(model: RankingModel, data: PreparedData) -> None:
    # A quarter of the negatives are of the user's taste: the taste alone gives 1 - 1/4 / 2 = .875. A bit more
    # is there for a model that sees that nothing is bought twice. A match says the opposite of affinity.
    result = measure_task(score(model, data, WITH_PAST), data.first_label)
    wauc = {
        name: weighted_auc(result.columns[name], result.columns["positives"])
        for name in (NAME, HISTORY_AFFINITY)
    }
    assert wauc[HISTORY_AFFINITY] < 0.55
    assert wauc[NAME] > 0.75


def test_a_loaded_model_gives_the_same_scores(
    model: RankingModel, data: PreparedData, tmp_path: Path
) -> None:
    save_model(model, tmp_path)
    loaded = score(load_model(tmp_path), data, WITH_PAST).scores[NAME]
    assert np.std(loaded) > 0.1  # the scores differ, so that agreement says something
    assert loaded.tobytes() == score(model, data, WITH_PAST).scores[NAME].tobytes()


def test_the_order_of_an_offers_features_does_not_matter(model: RankingModel, data: PreparedData) -> None:
    table = offers_of(data, minibatches(data, WITH_PAST))
    turned = replace(table, distributions=dict(reversed(table.distributions.items())))
    assert list(turned.distributions) != list(table.distributions)
    scores = [score(model, data, WITH_PAST, each).scores[NAME].tobytes() for each in (table, turned)]
    assert scores[0] == scores[1]


def test_users_without_a_past_are_alike(model: RankingModel, data: PreparedData) -> None:
    scored = score(model, data, [0])
    scores = scored.scores[NAME]
    assert np.isfinite(scores).all()
    for offer in range(len(scored.table.keys)):
        assert np.ptp(scores[scored.pairs.offers == offer]) < 1e-4
    assert np.ptp(scores) > 1e-3


@pytest.mark.parametrize("label", [0, NEVER_BOUGHT], ids=["bucket", "never_bought"])
def test_an_unseen_value_gets_a_score(model: RankingModel, data: PreparedData, label: int) -> None:
    # The third purchase of each test user is of it, so that it is an offer and stands in histories too.
    labels = {name: data.events[name].copy() for name in data.offer_sizes}
    assert label not in labels[TASK]
    first = (TRAIN_USERS + VALIDATION_USERS) * DAYS
    labels[TASK][first + 2 :: DAYS] = label
    scored = score(model, prepared(labels), list(range(DAYS)))
    assert label in scored.table.keys
    assert np.isfinite(scored.scores[NAME]).all()

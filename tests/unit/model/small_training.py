"""A training of some seconds on users who are loyal to a brand."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from offerbench.batching.batches import draw_pass
from offerbench.core.columns import Split
from offerbench.model.checkpoints import Checkpoints
from offerbench.model.config import TrainParameters
from offerbench.model.feed import Feed
from offerbench.model.progress import Epoch
from offerbench.model.ranker import Ranker
from offerbench.model.specification import specify
from offerbench.model.training import Curve, train_model
from offerbench.preparation.prepared import BagStore, PreparedData
from tests.unit.event_log import latest

from ..parameters import rebatch_parameters, train_parameters
from ..rankers import weights_of

Trained = tuple[dict[str, np.ndarray], list[Epoch]]
USERS, DAYS, BRANDS = 240, 6, 8
REBATCH = rebatch_parameters(users_per_group=USERS, batch_size=120)
SHAPE = {"ranker.embedding_dim": 8, "ranker.units": [16, 8]}


def loyal_users() -> PreparedData:
    """Each user buys one brand once a day: from the second day on, its history tells which.

    History 2 u is user u's empty one, history 2 u + 1 its brand; a category has four brands.
    """
    user = np.repeat(np.arange(USERS, dtype=np.int32), DAYS)
    day = np.tile(np.arange(DAYS, dtype=np.int32), USERS)
    brand_of_user = np.random.default_rng(0).integers(0, BRANDS, USERS).astype(np.int32)
    labels = {"brand": brand_of_user[user], "category1": brand_of_user[user] // 4}
    histories = np.arange(2 * USERS)
    bags = {
        f"history_purchase_{name}": BagStore(values[::DAYS], start=histories // 2, length=histories % 2)
        for name, values in labels.items()
    }
    return PreparedData(
        events={"user": user, "day": day, "history": 2 * user + (day > 0), **labels},
        bags=bags,
        history_start=histories // 2 * DAYS,
        history_length=histories % 2,
        user_sizes={"history_purchase_brand": BRANDS, "history_purchase_category1": 2},
        offer_sizes={"brand": BRANDS, "category1": 2},
        first_label=0,
        user_rows={
            Split.TRAIN: (np.arange(160) * DAYS, np.full(160, DAYS)),
            Split.VALIDATION: (np.arange(160, USERS) * DAYS, np.full(USERS - 160, DAYS)),
        },
        target_event="purchase",
        history=latest(DAYS),
    )


def fresh_ranker(
    data: PreparedData, training: TrainParameters, offer_features: list[str] | None = None
) -> Ranker:
    """A ranker with its first weights; it sees all offer features or some."""
    specification = specify(data, offer_features or list(data.offer_sizes), training)
    return Ranker(specification, np.random.default_rng(training.seed))


def fresh_feed(data: PreparedData, model: Ranker) -> Feed:
    """The batches that a ranker is trained on."""
    validation = np.stack(list(draw_pass(data, Split.VALIDATION, REBATCH)))
    specification = model.specification
    return Feed(data, validation, REBATCH, specification.training, list(specification.offer_features))


def trained(data: PreparedData, checkpoints: Checkpoints | None = None, **changes: Any) -> Trained:
    """Weights and curves of a fresh model whose training has some keys changed."""
    model = fresh_ranker(data, train_parameters(**{**SHAPE, **changes}))
    curves = train_model(model, fresh_feed(data, model), checkpoints)
    return weights_of(model), curves


def as_bytes(weights: dict[str, np.ndarray]) -> dict[str, bytes]:
    return {name: values.tobytes() for name, values in weights.items()}


def scripted(aucs: list[float]) -> type[Curve]:
    """Curves whose validation AUC is a given one, epoch by epoch."""

    def results() -> Iterator[tuple[float, float]]:
        for auc in aucs:
            yield 0.1, 0.5  # of training
            yield 0.1, auc

    remaining = results()

    class ScriptedCurve(Curve):
        def result(self) -> tuple[float, float]:
            return next(remaining)

    return ScriptedCurve

"""A training of some seconds on users who are loyal to a brand."""

from collections.abc import Callable, Iterator

import numpy as np

from offerbench.batching.batches import draw_pass
from offerbench.batching.prepared import BagStore, PreparedData
from offerbench.model.feed import EventFeed
from offerbench.model.progress import Epoch
from offerbench.model.resume import Checkpoints
from offerbench.model.specification import ModelSpecification
from offerbench.model.training import Curve, train_model
from offerbench.model.two_tower import TwoTower
from offerbench.schema import Split

from ..model_builder import weights_of
from ..parameters import model_parameters, rebatch_parameters, train_parameters

Trained = tuple[dict[str, np.ndarray], list[Epoch]]
USERS, DAYS, BRANDS = 240, 6, 8
MODEL = model_parameters(embedding_dim=8, tower_units=[16, 8])
REBATCH = rebatch_parameters(users_per_group=USERS, batch_size=120)


def loyal_users() -> PreparedData:
    """Each user buys one brand once a day: from the second day on, its history tells which.

    View 2 u is user u's empty history, view 2 u + 1 its brand; a category has four brands.
    """
    user = np.repeat(np.arange(USERS, dtype=np.int32), DAYS)
    day = np.tile(np.arange(DAYS, dtype=np.int32), USERS)
    brand_of_user = np.random.default_rng(0).integers(0, BRANDS, USERS).astype(np.int32)
    labels = {"brand": brand_of_user[user], "category1": brand_of_user[user] // 4}
    views = np.arange(2 * USERS)
    bags = {
        f"history_purchase_{name}": BagStore(values[::DAYS], start=views // 2, length=views % 2)
        for name, values in labels.items()
    }
    return PreparedData(
        events={"user": user, "day": day, "view": 2 * user + (day > 0), **labels},
        bags=bags,
        history_start=views // 2 * DAYS,
        history_length=views % 2,
        user_sizes={"history_purchase_brand": BRANDS, "history_purchase_category1": 2},
        offer_sizes={"brand": BRANDS, "category1": 2},
        first_label=0,
        user_rows={
            Split.TRAIN: (np.arange(160) * DAYS, np.full(160, DAYS)),
            Split.VALIDATION: (np.arange(160, USERS) * DAYS, np.full(USERS - 160, DAYS)),
        },
    )


def trained(
    data: PreparedData,
    checkpoints: Checkpoints | None = None,
    report: Callable[[str], object] = lambda _: None,
    **changes: object,
) -> Trained:
    """Weights and curves of a fresh model."""
    train = train_parameters(**changes)
    specification = ModelSpecification(
        user_features=data.user_sizes, offer_features=data.offer_sizes, model=MODEL
    )
    model = TwoTower(specification, np.random.default_rng(train.seed))
    validation = np.stack(list(draw_pass(data, Split.VALIDATION, REBATCH)))
    feed = EventFeed(data, validation, REBATCH, list(data.offer_sizes))
    curves = train_model(model, feed, train, report, checkpoints)
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

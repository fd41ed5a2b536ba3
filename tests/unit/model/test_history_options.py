"""Rankers trained on weighted histories and with shared tables."""

from dataclasses import replace

import numpy as np
import pytest

from offerbench.model.progress import Epoch
from offerbench.model.ranker import Ranker
from offerbench.model.training import train_model
from offerbench.preparation.prepared import PreparedData

from ..parameters import train_parameters
from .small_training import SHAPE, fresh_feed, fresh_ranker, loyal_users

pytestmark = pytest.mark.usefixtures("configured_tensorflow")
KINDS = ["full", "mono", "augmented"]
EPOCHS = {"full": 10, "mono": 10, "augmented": 8}


@pytest.fixture(scope="module")
def data() -> PreparedData:
    return loyal_users()


def trained(
    data: PreparedData, kind: str, epochs: int, *, shared: bool = False
) -> tuple[Ranker, list[Epoch]]:
    changes = {**SHAPE, "epochs": epochs, "optimizer.learning_rate": 0.02, "ranker.shared_embeddings": shared}
    training = train_parameters("train_augmented" if kind == "augmented" else "train_full", **changes)
    model = fresh_ranker(data, training, ["brand"] if kind == "mono" else None)
    return model, train_model(model, fresh_feed(data, model))


@pytest.fixture(scope="module")
def own_tables(data: PreparedData) -> dict[str, list[Epoch]]:
    """Curves of each kind without weights and without shared tables."""
    return {kind: trained(data, kind, EPOCHS[kind])[1] for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_equal_weights_train_the_model_of_no_weights(
    data: PreparedData, own_tables: dict[str, list[Epoch]], kind: str
) -> None:
    bags = {
        name: replace(store, weights=np.full(len(store.values), 3.0, np.float32))
        for name, store in data.bags.items()
    }
    expected = own_tables[kind][1]  # an epoch does not depend on those that follow
    _, found = trained(replace(data, bags=bags), kind, 2)
    for name in ("train_loss", "validation_loss"):
        assert getattr(found[-1], name) == pytest.approx(getattr(expected, name), abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_models_learn_with_shared_tables(
    data: PreparedData, own_tables: dict[str, list[Epoch]], kind: str
) -> None:
    model, curves = trained(data, kind, EPOCHS[kind], shared=True)
    assert curves[-1].validation_auc > max(own_tables[kind][-1].validation_auc - 0.05, 0.8)
    tables = {variable.name for variable in model.trainable_variables if "_embedding/" in variable.name}
    of_users = {name for name in tables if name.startswith("user_")}
    assert of_users == ({"user_embedding/history_purchase_category1:0"} if kind == "mono" else set())

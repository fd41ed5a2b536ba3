"""Models trained as the stages train them, on weighted histories and with shared tables."""

from dataclasses import replace

import numpy as np
import pytest

from offerbench.batching.batches import draw_pass
from offerbench.batching.prepared import PreparedData
from offerbench.model.checkpoint import make_model
from offerbench.model.progress import Epoch
from offerbench.model.ranking_model import RankingModel
from offerbench.model.stage import augmented_set_up, two_tower_set_up
from offerbench.model.training import train_model
from offerbench.params.train_augmented import TrainAugmented
from offerbench.schema import Split

from ..parameters import COMPLETE, train_parameters
from .small_training import MODEL, REBATCH, loyal_users

pytestmark = pytest.mark.usefixtures("configured_tensorflow")
KINDS = ["full", "mono", "augmented"]


@pytest.fixture(scope="module")
def data() -> PreparedData:
    return loyal_users()


def trained(
    data: PreparedData, kind: str, epochs: int, *, shared: bool = False
) -> tuple[RankingModel, list[Epoch]]:
    train = train_parameters(epochs=epochs, learning_rate=0.02)
    model_parameters = MODEL.model_copy(update={"shared_embeddings": shared})
    validation = np.stack(list(draw_pass(data, Split.VALIDATION, REBATCH)))
    if kind == "augmented":
        augmented = TrainAugmented.model_validate(COMPLETE["train_augmented"])
        specification, feed, train = augmented_set_up(
            data, validation, REBATCH, model_parameters, train, augmented
        )
    else:
        features = ["brand"] if kind == "mono" else list(data.offer_sizes)
        specification, feed = two_tower_set_up(data, validation, features, REBATCH, model_parameters)
    model = make_model(specification, np.random.default_rng(train.seed))
    return model, train_model(model, feed, train, lambda _: None)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_weights_train_the_model_of_no_weights(data: PreparedData, kind: str) -> None:
    bags = {
        name: replace(store, weights=np.full(len(store.values), 3.0, np.float32))
        for name, store in data.bags.items()
    }
    _, expected = trained(data, kind, 2)
    _, found = trained(replace(data, bags=bags), kind, 2)
    for name in ("train_loss", "validation_loss"):
        assert getattr(found[-1], name) == pytest.approx(getattr(expected[-1], name), abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_models_learn_with_shared_tables(data: PreparedData, kind: str) -> None:
    model, curves = trained(data, kind, 20, shared=True)
    _, own = trained(data, kind, 20)
    assert curves[-1].validation_auc > max(own[-1].validation_auc - 0.05, 0.8)
    tables = {variable.name for variable in model.trainable_variables if "_embedding/" in variable.name}
    of_users = {name for name in tables if name.startswith("user_")}
    assert of_users == ({"user_embedding/history_purchase_category1:0"} if kind == "mono" else set())

"""Models survive their files; anything else in their place is refused by name."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf

from offerbench.errors import OfferbenchError
from offerbench.evaluation.models import load_models
from offerbench.model.checkpoint import SPECIFICATION_FILE, WEIGHTS_FILE, load_model, save_model
from offerbench.model.specification import ModelSpecification
from offerbench.model.two_tower import TwoTower

from ..model_builder import random_model, weights_of
from ..parameters import model_parameters

USER_SIZES, OFFER_SIZES = {"history_purchase_brand": 5, "history_cart_brand": 5}, {"brand": 5, "category1": 3}


def scores(model: TwoTower) -> np.ndarray:
    values, segments = tf.constant([0, 3, 4], tf.int32), tf.constant([0, 0, 2], tf.int32)
    users = model.infer_users(
        dict.fromkeys(USER_SIZES, values), dict.fromkeys(USER_SIZES, segments), {}, tf.constant(3)
    )
    labels = tf.constant([0, 1, 2], tf.int32)
    offers = model.infer_offers(
        *(dict.fromkeys(OFFER_SIZES, column) for column in (labels, tf.range(3), tf.ones(3))), tf.constant(3)
    )
    return tf.matmul(users, offers, transpose_b=True).numpy()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_model(random_model(USER_SIZES, OFFER_SIZES), tmp_path / "model")
    return tmp_path / "model"


def test_a_loaded_model_gives_the_same_scores(saved: Path) -> None:
    model = random_model(USER_SIZES, OFFER_SIZES)
    loaded = load_model(saved)
    assert scores(loaded).tobytes() == scores(model).tobytes()
    assert loaded.specification == model.specification
    assert {name: values.tolist() for name, values in weights_of(loaded).items()} == {
        name: values.tolist() for name, values in weights_of(model).items()
    }
    assert scores(loaded).tobytes() != scores(random_model(USER_SIZES, OFFER_SIZES, seed=1)).tobytes()


def test_a_shared_table_is_saved_once(tmp_path: Path) -> None:
    shared = {"history_purchase_brand": "brand"}
    model = random_model(USER_SIZES, OFFER_SIZES, shared_tables=shared)
    save_model(model, tmp_path)
    names = set(safetensors.numpy.load_file(tmp_path / WEIGHTS_FILE))
    assert {name for name in names if "_embedding/" in name} == {
        "offer_embedding/brand",
        "offer_embedding/category1",
        "user_embedding/history_cart_brand",
    }
    loaded = load_model(tmp_path)
    assert loaded.specification == model.specification
    assert loaded.user_tables["history_purchase_brand"] is loaded.offer_tables["brand"]
    assert scores(loaded).tobytes() == scores(model).tobytes()


def test_features_of_different_sizes_can_not_share_a_table() -> None:
    shared = {"history_purchase_brand": "category1"}
    message = "history_purchase_brand has 5 labels and category1 has 3, so they can't share a table"
    with pytest.raises(OfferbenchError, match=message):
        random_model(USER_SIZES, OFFER_SIZES, shared_tables=shared)


@pytest.mark.parametrize(("named", "asked"), [({"history_cart_brand": "brand"}, False), ({}, True)])
def test_shared_tables_are_named_if_and_only_if_asked_for(named: dict[str, str], asked: bool) -> None:
    with pytest.raises(ValueError, match="shared_tables: are there if and only if"):
        ModelSpecification(
            user_features=USER_SIZES,
            offer_features=OFFER_SIZES,
            model=model_parameters(shared_embeddings=asked),
            shared_tables=named,
        )


def test_the_same_model_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    save_model(random_model(USER_SIZES, OFFER_SIZES), tmp_path / "again")
    save_model(load_model(saved), tmp_path / "loaded")
    for name in (WEIGHTS_FILE, SPECIFICATION_FILE):
        contents = {(tmp_path / where / name).read_bytes() for where in ("model", "again", "loaded")}
        assert len(contents) == 1
    assert {path.name for path in saved.iterdir()} == {WEIGHTS_FILE, SPECIFICATION_FILE}


@pytest.mark.parametrize("name", [WEIGHTS_FILE, SPECIFICATION_FILE])
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(OfferbenchError, match=rf"{name}: no such file.*dvc repro"):
        load_model(saved)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def garbage(content: bytes) -> bytes:
    return b"\x80\x04garbage" + content[10:20]


@pytest.mark.parametrize("damage", [cut, garbage, lambda _: b""], ids=["cut", "garbage", "empty"])
@pytest.mark.parametrize("name", [WEIGHTS_FILE, SPECIFICATION_FILE])
def test_a_damaged_file_is_named(saved: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    (saved / name).write_bytes(damage((saved / name).read_bytes()))
    with pytest.raises(OfferbenchError, match=rf"{name}: (damaged|not valid JSON)"):
        load_model(saved)


@pytest.mark.parametrize("change", [{"layers": 3}, {"user_features": {}}, {"model": None}])
def test_a_specification_of_something_else_is_named(saved: Path, change: dict) -> None:
    content = json.loads((saved / SPECIFICATION_FILE).read_text())
    (saved / SPECIFICATION_FILE).write_text(json.dumps(content | change))
    with pytest.raises(OfferbenchError, match=r"model\.json: not a model's specification"):
        load_model(saved)


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: weights.popitem(),
        lambda weights: weights.update(extra=np.zeros(2, np.float32)),
        lambda weights: weights.update({"user_tower/bias_0": np.zeros(99, np.float32)}),
    ],
    ids=["missing", "extra", "shape"],
)
def test_weights_of_another_model_are_named(
    saved: Path, change: Callable[[dict[str, np.ndarray]], object]
) -> None:
    weights = safetensors.numpy.load_file(saved / WEIGHTS_FILE)
    change(weights)
    safetensors.numpy.save_file(weights, saved / WEIGHTS_FILE)
    with pytest.raises(
        OfferbenchError, match=r"weights\.safetensors: its tensors are not those of model\.json"
    ):
        load_model(saved)


def test_models_of_the_tasks_are_loaded_in_order(tmp_path: Path) -> None:
    for directory in ("full", "augmented", "mono/brand", "mono/category1"):
        save_model(random_model(USER_SIZES, OFFER_SIZES), tmp_path / directory)
    assert list(load_models(tmp_path, ["category1", "brand"])) == [
        "full",
        "augmented",
        "mono_category1",
        "mono_brand",
    ]


def test_a_model_of_a_task_taken_out_is_refused(tmp_path: Path) -> None:
    for directory in ("full", "augmented", "mono/brand", "mono/category1"):
        save_model(random_model(USER_SIZES, OFFER_SIZES), tmp_path / directory)
    with pytest.raises(OfferbenchError, match=r"mono: holds models of \['category1'\].*make prune"):
        load_models(tmp_path, ["brand"])

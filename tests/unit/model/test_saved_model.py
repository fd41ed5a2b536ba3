"""Models survive their files, with what they were trained with; anything else is refused by name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from offerbench.batching.batches import draw_pass
from offerbench.core.columns import Split
from offerbench.core.errors import OfferbenchError
from offerbench.model.ranker import Ranker
from offerbench.model.saved_model import SPECIFICATION_FILE, WEIGHTS_FILE, load_model, save_model
from offerbench.model.specification import Specification
from offerbench.model.tensors import batch_tensors
from offerbench.preparation.prepared import PreparedData

from ..conftest import TinyData
from ..parameters import rebatch_parameters, train_parameters
from ..rankers import CASES, drawn_ranker, grouped_batch, random_ranker, weights_of
from . import saved_models

USER_SIZES, OFFER_SIZES = {"history_purchase_brand": 5, "history_cart_brand": 5}, {"brand": 5, "category1": 3}


def specification(shared: dict[str, str] | None = None, **changes: Any) -> Specification:
    training = train_parameters(**{"ranker.shared_embeddings": bool(shared), **changes})
    return Specification(
        user_features=USER_SIZES, offer_features=OFFER_SIZES, shared_tables=shared or {}, training=training
    )


def scores(model: Ranker, data: PreparedData, case: str) -> bytes:
    rows = next(draw_pass(data, Split.TRAIN, rebatch_parameters()))
    return model.pairs(batch_tensors(grouped_batch(data, case, rows)), 5).logits.numpy().tobytes()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_model(drawn_ranker(specification()), tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("case", CASES)
def test_a_loaded_model_is_the_same(tiny_data: TinyData, case: str, tmp_path: Path) -> None:
    data = tiny_data.data
    model = random_ranker(data, case)
    save_model(model, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    save_model(loaded, tmp_path / "again")
    for name in (WEIGHTS_FILE, SPECIFICATION_FILE):
        assert (tmp_path / "model" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert loaded.specification == model.specification
    assert {name: values.tolist() for name, values in weights_of(loaded).items()} == {
        name: values.tolist() for name, values in weights_of(model).items()
    }
    assert scores(loaded, data, case) == scores(model, data, case)
    assert scores(loaded, data, case) != scores(random_ranker(data, case, seed=1), data, case)


@pytest.mark.parametrize("case", ["shared", "variance_matches_shared"])
def test_shared_tables_are_shared_again(tiny_data: TinyData, case: str, tmp_path: Path) -> None:
    save_model(random_ranker(tiny_data.data, case), tmp_path)
    loaded = load_model(tmp_path)
    assert loaded.user_tables["history_cart_brand"] is loaded.offer_tables["brand"]


def test_a_shared_table_is_saved_once(tmp_path: Path) -> None:
    save_model(drawn_ranker(specification({"history_purchase_brand": "brand"})), tmp_path)
    names = set(safetensors.numpy.load_file(tmp_path / WEIGHTS_FILE))
    assert {name for name in names if "_embedding/" in name} == {
        "offer_embedding/brand",
        "offer_embedding/category1",
        "user_embedding/history_cart_brand",
    }
    loaded = load_model(tmp_path)
    assert loaded.user_tables["history_purchase_brand"] is loaded.offer_tables["brand"]


@pytest.mark.parametrize("section", ["train_full", "train_augmented"])
def test_what_a_model_was_trained_with_is_written_beside_it(section: str, tmp_path: Path) -> None:
    training = train_parameters(section, **{"optimizer.learning_rate": 0.0123, "seed": 77})
    of_features = {"user_features": USER_SIZES, "offer_features": OFFER_SIZES, "shared_tables": {}}
    save_model(drawn_ranker(Specification(**of_features, training=training)), tmp_path)
    content = json.loads((tmp_path / SPECIFICATION_FILE).read_text())
    assert content == {**of_features, "training": training.model_dump()}
    assert content["training"]["optimizer"]["learning_rate"] == 0.0123
    assert (content["training"]["seed"], content["training"]["epochs"]) == (77, 2)


def test_features_of_different_sizes_can_not_share_a_table() -> None:
    shared = {"history_purchase_brand": "category1"}
    message = "history_purchase_brand has 5 labels and category1 has 3, so they can't share a table"
    with pytest.raises(OfferbenchError, match=message):
        drawn_ranker(specification(shared))


@pytest.mark.parametrize(("named", "asked"), [({"history_cart_brand": "brand"}, False), ({}, True)])
def test_shared_tables_are_named_if_and_only_if_asked_for(named: dict[str, str], asked: bool) -> None:
    with pytest.raises(ValueError, match="shared_tables: are there if and only if"):
        specification(named, **{"ranker.shared_embeddings": asked})


def test_the_same_model_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    save_model(drawn_ranker(specification()), tmp_path / "again")
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


@pytest.mark.parametrize("change", [{"layers": 3}, {"user_features": {}}, {"training": None}])
def test_a_specification_of_something_else_is_named(saved: Path, change: dict) -> None:
    content = json.loads((saved / SPECIFICATION_FILE).read_text())
    (saved / SPECIFICATION_FILE).write_text(json.dumps(content | change))
    with pytest.raises(OfferbenchError, match=r"model\.json: not a model's specification"):
        load_model(saved)


@pytest.mark.parametrize(
    "content",
    ["5", "null", "[]", '"x"', "1" * 5000, "[" * 100_000, "{}", "NaN"],
    ids=lambda content: content[:5],
)
def test_a_specification_that_is_none_is_named(saved: Path, content: str) -> None:
    (saved / SPECIFICATION_FILE).write_text(content)
    with pytest.raises(
        OfferbenchError, match=r"model\.json: (not a model's specification|not valid JSON)"
    ) as stop:
        load_model(saved)
    assert "\n" not in str(stop.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("user_features", {"history_purchase_brand": -5}),
        ("offer_features", {"brand": 0}),
        ("offer_features", {"brand": 2**40}),
        ("offer_features", {"no name": 5}),
        ("offer_features", {"": 5}),
        ("shared_tables", {"history_purchase_brand": "colour"}),
        ("shared_tables", {"history_purchase_colour": "brand"}),
    ],
)
def test_a_size_or_feature_that_can_not_be_is_named(saved: Path, key: str, value: dict[str, Any]) -> None:
    content = json.loads((saved / SPECIFICATION_FILE).read_text())
    content[key] = value
    content["training"]["ranker"]["shared_embeddings"] = bool(content["shared_tables"])
    (saved / SPECIFICATION_FILE).write_text(json.dumps(content))
    with pytest.raises(OfferbenchError, match=r"model\.json: not a model's specification"):
        load_model(saved)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_neither_saved_nor_loaded(saved: Path, value: float) -> None:
    weights = safetensors.numpy.load_file(saved / WEIGHTS_FILE)
    weights["offer_embedding/brand"][1, 0] = value
    safetensors.numpy.save_file(weights, saved / WEIGHTS_FILE)
    with pytest.raises(OfferbenchError, match="offer_embedding/brand has values that are not finite"):
        load_model(saved)
    model = drawn_ranker(specification())
    model.offer_tables["brand"].assign(weights["offer_embedding/brand"])
    with pytest.raises(OfferbenchError, match=r"offer_embedding/brand.*diverged.*learning_rate"):
        save_model(model, saved.parent / "other")
    assert not (saved.parent / "other").exists()


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


@pytest.mark.parametrize("stack", ["pinned", "current"])
def test_a_model_of_either_stack_scores_as_it_did_there(stack: str) -> None:
    # Another version of TensorFlow sums in another order: the last bits differ, no more.
    directory = saved_models.DIRECTORY / stack
    expected = safetensors.numpy.load_file(directory / saved_models.SCORES_FILE)["scores"]
    assert expected.shape == (1, saved_models.HISTORIES, saved_models.OFFERS)
    assert expected.std() > 0.3
    found = saved_models.scores(load_model(directory))
    assert found == pytest.approx(expected, abs=1e-5)

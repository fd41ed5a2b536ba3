"""The augmented model on a batch of the tiny data set, against NumPy on one pair at a time."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from offerbench.batching.augmented import Augmentation, AugmentedBatch, Key
from offerbench.batching.batches import draw_pass
from offerbench.model.augmented import AugmentedModel
from offerbench.model.checkpoint import (
    SPECIFICATION_FILE,
    WEIGHTS_FILE,
    load_model,
    named_variables,
    save_model,
)
from offerbench.model.negatives import Pairs, pair_loss
from offerbench.model.tensors import AugmentedTensors, augmented_tensors
from offerbench.schema import Split
from tests.oracle import augmented as oracle
from tests.oracle.offers import distribution

from ..augmented_models import CASES, WINDOWS, random_augmented_model
from ..bags import bags_of
from ..conftest import TinyData
from ..model_builder import weights_by_feature, weights_of
from ..parameters import rebatch_parameters

MINIBATCH = 5
# The towers' normalisation takes a constant out again: no gradient reaches it.
TAKEN_OUT = {"dot": ["user_compression/output/offset"], "bilinear": []}


@dataclass(frozen=True)
class Seen:
    """A batch seen through a single key, a key of two features, and offers that are split and merged."""

    rows: np.ndarray
    batch: AugmentedBatch
    tensors: AugmentedTensors


def make_seen(tiny_data: TinyData) -> Seen:
    rows = next(draw_pass(tiny_data.data, Split.TRAIN, rebatch_parameters()))
    # The last minibatch once more, its events the other way round: histories and offers come twice.
    rows = np.concatenate([rows[:10], rows[: -MINIBATCH - 1 : -1]])
    augmentation = Augmentation(tiny_data.data, MINIBATCH, WINDOWS)
    batch = augmentation.make(
        rows, [Key([2], 0.0), Key([1, 3], 0.0), Key([2], 1.0)], np.random.default_rng(1)
    )
    return Seen(rows, batch, augmented_tensors(batch))


@pytest.fixture(scope="module")
def seen(tiny_data: TinyData, configured_tensorflow: None) -> Seen:
    return make_seen(tiny_data)


def make_model(tiny_data: TinyData, case: str, seed: int = 0, **changes: object) -> AugmentedModel:
    return random_augmented_model(
        tiny_data.data.user_sizes, tiny_data.data.offer_sizes, case, seed, **changes
    )


def distributions_of(tiny_data: TinyData, rows: np.ndarray) -> dict[str, dict[int, float]]:
    """Share of each value of each feature among some events."""
    events = tiny_data.data.events
    return {name: distribution(events[name][rows].tolist(), len(rows)) for name in tiny_data.data.offer_sizes}


def naive_scores(tiny_data: TinyData, model: AugmentedModel, seen: Seen) -> np.ndarray:
    """Score of every pair of every view; (views, minibatches, m, m)."""
    weights, parts = weights_by_feature(model), model.specification.parts
    scores = np.zeros((len(seen.batch.views), len(seen.rows) // MINIBATCH, MINIBATCH, MINIBATCH))
    for view, b, i, j in np.ndindex(*scores.shape):
        own = seen.batch.views[view]
        user, offer = b * MINIBATCH + i, b * MINIBATCH + j
        of_offer = seen.rows[own.group_of_event == own.group_of_event[offer]]
        scores[view, b, i, j] = oracle.pair_score(
            weights,
            parts,
            bags_of(tiny_data.data, tiny_data.data.events["view"][seen.rows[user]]),
            distributions_of(tiny_data, of_offer),
            own.counts[b, i, j].tolist(),
            seen.batch.lengths[user].tolist(),
            float(own.base[offer]),
        )
    return scores


def train_pairs(model: AugmentedModel, seen: Seen, step: int = 0, views: slice = slice(None)) -> Pairs:
    tensors = seen.tensors._replace(views=seen.tensors.views[views])
    return model.train_pairs(tensors, 1, tf.constant(step), MINIBATCH)


@pytest.mark.parametrize("case", CASES)
def test_scores_are_those_of_each_pair_by_itself(tiny_data: TinyData, seen: Seen, case: str) -> None:
    model = make_model(tiny_data, case)
    pairs = model.infer_pairs(seen.tensors, MINIBATCH)
    expected = naive_scores(tiny_data, model, seen)
    assert any(np.unique(view.group_of_event, return_counts=True)[1].max() > 2 for view in seen.batch.views)
    assert np.std(expected, axis=(1, 2, 3)).min() > 0.01  # the scores differ, so agreement says something
    assert pairs.logits.numpy() == pytest.approx(expected, abs=1e-4)
    assert pairs.weights.numpy().tolist() == [view.weights.tolist() for view in seen.batch.views]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("view", [0, 2])
def test_a_training_step_without_dropout(tiny_data: TinyData, seen: Seen, case: str, view: int) -> None:
    # Without momentum the moving moments become those of the step: inference then gives the same.
    model = make_model(tiny_data, case, dropout=0.0, batch_normalization_momentum=0.0)
    tensors = seen.tensors._replace(views=[seen.tensors.views[view]])
    before = model.infer_pairs(tensors, MINIBATCH).logits.numpy()
    trained = train_pairs(model, seen, views=slice(view, view + 1))
    after = model.infer_pairs(tensors, MINIBATCH)
    assert trained.logits.numpy() == pytest.approx(after.logits.numpy(), abs=1e-4)
    assert before != pytest.approx(trained.logits.numpy(), abs=1e-2)
    assert trained.weights.numpy().tolist() == after.weights.numpy().tolist()


@pytest.mark.parametrize("case", ["dot_variance_matching", "bilinear_everything"])
def test_histories_of_weighted_values(weighted_tiny_data: TinyData, case: str) -> None:
    weighted = make_seen(weighted_tiny_data)
    model = make_model(weighted_tiny_data, case, dropout=0.0, batch_normalization_momentum=0.0)
    found = model.infer_pairs(weighted.tensors, MINIBATCH).logits.numpy()
    assert found == pytest.approx(naive_scores(weighted_tiny_data, model, weighted), abs=1e-4)
    unweighted = weighted.tensors.batch._replace(weights={})
    other = model.infer_pairs(weighted.tensors._replace(batch=unweighted), MINIBATCH).logits.numpy()
    assert np.abs(found - other).max() > 0.01
    one_view = slice(0, 1)
    trained = train_pairs(model, weighted, views=one_view).logits.numpy()
    tensors = weighted.tensors._replace(views=weighted.tensors.views[one_view])
    assert trained == pytest.approx(model.infer_pairs(tensors, MINIBATCH).logits.numpy(), abs=1e-4)


@pytest.mark.parametrize("case", ["dot_variance_matching", "bilinear_everything"])
def test_tables_shared_by_both_sides(tiny_data: TinyData, seen: Seen, case: str, tmp_path: Path) -> None:
    shared = tiny_data.data.shared_tables(["brand", "product_id"])
    assert len(shared) == 4
    model = make_model(tiny_data, case, dropout=0.0, shared_tables=shared)
    found = model.infer_pairs(seen.tensors, MINIBATCH).logits.numpy()
    assert found == pytest.approx(naive_scores(tiny_data, model, seen), abs=1e-4)
    features = len(model.user_tables) + len(model.offer_tables)
    for variables in (model.regularised(), model.trainable_variables):
        assert sum("_embedding/" in variable.name for variable in variables) == features - len(shared)
    with tf.GradientTape(persistent=True) as tape:
        users = model.infer_users(
            *seen.tensors.batch[:3], tf.reduce_max(seen.tensors.batch.view_of_event) + 1
        )
        offers = model._events(seen.tensors.batch)
    for side in (users, offers):
        gradient = tf.convert_to_tensor(tape.gradient(side, model.user_tables["history_cart_brand"]))
        assert np.abs(gradient.numpy()).max() > 1e-4
    save_model(model, tmp_path)
    again = load_model(tmp_path)
    assert again.user_tables["history_cart_brand"] is again.offer_tables["brand"]
    assert again.infer_pairs(seen.tensors, MINIBATCH).logits.numpy().tobytes() == found.tobytes()


@pytest.mark.parametrize("case", CASES)
def test_gradient_reaches_every_variable(tiny_data: TinyData, seen: Seen, case: str) -> None:
    model = make_model(tiny_data, case, dropout=0.0)
    with tf.GradientTape() as tape:
        loss = pair_loss(train_pairs(model, seen))
    variables = {variable.name.removesuffix(":0"): variable for variable in model.trainable_variables}
    gradients = tape.gradient(loss, variables)
    taken_out = TAKEN_OUT[model.specification.parts.interaction]
    for name, gradient in gradients.items():
        assert gradient is not None, name
        largest = np.abs(tf.convert_to_tensor(gradient).numpy()).max()
        assert (largest > 1e-5) == (name not in taken_out), f"{name}: {largest}"


@pytest.mark.parametrize("case", CASES)
def test_a_step_drops_out_and_repeats_itself(tiny_data: TinyData, seen: Seen, case: str) -> None:
    model = make_model(tiny_data, case, dropout=0.4)
    model_again, other = make_model(tiny_data, case, dropout=0.4), make_model(tiny_data, case, dropout=0.4)
    first, again = (train_pairs(one, seen).logits.numpy() for one in (model, model_again))
    assert first.tobytes() == again.tobytes()
    assert first != pytest.approx(train_pairs(other, seen, step=1).logits.numpy(), abs=1e-2)


def bag_tensors(
    distributions: list[dict[str, dict[int, float]]], name: str
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Labels, the offer of each, and weights of one feature."""
    listed = [
        (offer, label, weight)
        for offer, parts in enumerate(distributions)
        for label, weight in parts[name].items()
    ]
    offers, labels, weights = zip(*listed, strict=True)
    return tf.constant(labels, tf.int32), tf.constant(offers, tf.int32), tf.constant(weights, tf.float32)


@pytest.mark.parametrize("case", ["dot_variance_matching", "dot_everything"])
def test_moments_of_groups_are_those_of_their_distributions(
    tiny_data: TinyData, seen: Seen, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model(tiny_data, case)
    monkeypatch.setattr(model, "_infer_offers", lambda *moments: moments)
    names, weights, varied = list(tiny_data.data.offer_sizes), weights_of(model), []
    for view in seen.tensors.views:
        events = model._events(seen.tensors.batch)
        means, variances = (moment.numpy() for moment in model._grouped(events, view))
        offers = [
            distributions_of(tiny_data, seen.rows[view.group_of_event == group])
            for group in range(view.group_of_event.max() + 1)
        ]
        naive = [[oracle.offer_moments(weights, name, offer[name]) for name in names] for offer in offers]
        expected_means = np.array([np.concatenate([mean for mean, _ in offer]) for offer in naive])
        expected_variances = np.array([np.concatenate([moment for _, moment in offer]) for offer in naive])
        assert means == pytest.approx(expected_means, abs=1e-5)
        assert variances == pytest.approx(expected_variances, abs=1e-5)

        bags = {name: bag_tensors(offers, name) for name in names}
        columns = ({name: bag[part] for name, bag in bags.items()} for part in range(3))
        found = model.infer_offers(*columns, tf.constant(len(offers)))
        assert found[0].numpy() == pytest.approx(expected_means, abs=1e-5)
        assert found[1].numpy() == pytest.approx(expected_variances, abs=1e-5)
        varied.append(expected_variances.max() > 0.01)
    assert sum(varied) >= 2  # the groups of some views have events that differ


@pytest.mark.parametrize("case", CASES)
def test_names_of_variables_are_unique(tiny_data: TinyData, case: str) -> None:
    model = make_model(tiny_data, case)
    assert len(named_variables(model)) == len(model.variables)
    assert {id(variable) for variable in model.trainable_variables} < {id(one) for one in model.variables}


@pytest.mark.parametrize("case", CASES)
def test_embeddings_kernels_and_biases_are_under_l1(tiny_data: TinyData, case: str) -> None:
    model = make_model(tiny_data, case)
    names = {variable.name.removesuffix(":0") for variable in model.regularised()}
    expected = {
        name
        for name in named_variables(model)
        if "_embedding/" in name or name.rsplit("/", 1)[-1].startswith(("kernel", "bias"))
    }
    assert names == expected


@pytest.mark.parametrize("case", CASES)
def test_a_loaded_model_is_the_same(tiny_data: TinyData, seen: Seen, case: str, tmp_path: Path) -> None:
    model = make_model(tiny_data, case)
    save_model(model, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    save_model(loaded, tmp_path / "again")
    for name in (WEIGHTS_FILE, SPECIFICATION_FILE):
        assert (tmp_path / "model" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert isinstance(loaded, AugmentedModel)
    assert loaded.specification == model.specification
    scores, again, other = (
        one.infer_pairs(seen.tensors, MINIBATCH).logits.numpy()
        for one in (model, loaded, make_model(tiny_data, case, seed=1))
    )
    assert scores.tobytes() == again.tobytes()
    assert scores.tobytes() != other.tobytes()

"""Layers, against NumPy and Keras's own."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.model.layers import (
    EPSILON,
    SEEDS_OF_A_STEP,
    BatchNormalization,
    Dense,
    Dropout,
    LayerNormalization,
    dropped,
    glorot,
    k_winners,
)
from tests.oracle import layers as oracle

from ..rankers import draw_weights, weights_of

UNITS, MOMENTUM = 4, 0.8
SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(lambda sizes: (*sizes, UNITS))


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(1, 2, shape).astype(np.float32)


@settings(max_examples=20)
@given(SHAPES, st.integers(0, 99))
def test_inference_by_moving_moments(shape: tuple[int, ...], seed: int) -> None:
    layer = BatchNormalization("layer", UNITS, MOMENTUM)
    draw_weights(layer, np.random.default_rng(seed))
    values = normal(seed, *shape)
    before = weights_of(layer)
    found = layer(tf.constant(values), training=False).numpy()
    for place in np.ndindex(*shape[:-1]):
        expected = oracle.batch_normalised(before, "layer", values[place].astype(np.float64))
        assert found[place] == pytest.approx(expected, abs=1e-4)
    assert all(np.array_equal(value, before[name]) for name, value in weights_of(layer).items())


@settings(max_examples=20)
@given(SHAPES, st.integers(0, 99))
def test_a_training_step_of_batch_normalisation(shape: tuple[int, ...], seed: int) -> None:
    layer = BatchNormalization("layer", UNITS, MOMENTUM)
    draw_weights(layer, np.random.default_rng(seed))
    keras = tf.keras.layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)
    keras.build((None, UNITS))
    parts = ("scale", "offset", "moving_mean", "moving_variance")
    keras.set_weights([weights_of(layer)[f"layer/{part}"] for part in parts])
    values = normal(seed, *shape)

    found = layer(tf.constant(values), training=True).numpy()
    expected = keras(tf.constant(values.reshape(-1, UNITS)), training=True).numpy()
    assert found.reshape(-1, UNITS) == pytest.approx(expected, abs=1e-4)
    for part, value in zip(parts, keras.get_weights(), strict=True):
        assert weights_of(layer)[f"layer/{part}"] == pytest.approx(value, abs=1e-5), part


@settings(max_examples=20)
@given(SHAPES, st.integers(0, 99))
def test_layer_normalisation(shape: tuple[int, ...], seed: int) -> None:
    layer = LayerNormalization("layer", UNITS)
    draw_weights(layer, np.random.default_rng(seed))
    keras = tf.keras.layers.LayerNormalization(epsilon=EPSILON)
    keras.build(shape)
    keras.set_weights([layer.scale.numpy(), layer.offset.numpy()])
    values = normal(seed, *shape)
    found = layer(tf.constant(values)).numpy()
    assert found == pytest.approx(keras(tf.constant(values)).numpy(), abs=1e-4)
    for place in np.ndindex(*shape[:-1]):
        expected = oracle.layer_normalised(weights_of(layer), "layer", values[place].astype(np.float64))
        assert found[place] == pytest.approx(expected, abs=1e-4)


def test_first_normalisations_leave_normalised_values_as_they_are() -> None:
    values = tf.constant([[-1.0, 1.0, -1.0, 1.0]])
    for found in (
        LayerNormalization("layer", UNITS)(values),
        BatchNormalization("layer", UNITS, MOMENTUM)(values, training=False),
    ):
        assert found.numpy() == pytest.approx(values.numpy(), abs=1e-3)


def test_dense_layer() -> None:
    layer = Dense("some/layer", 3, 2, np.random.default_rng(0))
    assert not layer.bias.numpy().any()
    draw_weights(layer, np.random.default_rng(1))
    values = normal(2, 5, 3)
    found = layer(tf.constant(values)).numpy()
    for row, value in zip(found, values, strict=True):
        expected = oracle.dense(weights_of(layer), "some/layer", value.astype(np.float64))
        assert row == pytest.approx(expected, abs=1e-5)


def test_first_kernels_are_glorot_uniform() -> None:
    # Limits sqrt(6 / (100 + 100)) = .1732 and sqrt(6 / (4 * 25 + 50)) = .2.
    for shape, limit in (((100, 100), 0.173206), ((4, 25, 50), 0.2)):
        kernel = glorot(np.random.default_rng(0), *shape)
        assert kernel.shape == shape
        assert kernel.dtype == np.float32
        assert limit * 0.99 < np.abs(kernel).max() <= limit


@given(
    st.lists(st.lists(st.integers(-40, 40), min_size=6, max_size=6), min_size=1, max_size=5),
    st.integers(1, 6),
)
def test_k_winners(rows: list[list[int]], k: int) -> None:
    # Whole numbers, so that there are ties: entries as large as the k-th stay.
    found = k_winners(tf.constant(rows, tf.float32), k).numpy()
    for row, own in zip(found.tolist(), rows, strict=True):
        assert row == oracle.keep_winners(np.array(own, np.float64), k).tolist()
        assert sum(value != 0 for value in row) >= min(k, sum(value != 0 for value in own))


def test_k_winners_by_hand() -> None:
    rows = tf.constant([[0.5, -3.0, 2.0, 1.0], [1.0, 1.0, -1.0, 0.0]])
    assert k_winners(rows, 2).numpy().tolist() == [[0, -3, 2, 0], [1, 1, -1, 0]]


def test_gradient_reaches_winners_only() -> None:
    values = tf.Variable([[0.5, -3.0, 2.0, 1.0]])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(k_winners(values, 2))
    assert tape.gradient(total, values).numpy().tolist() == [[0, 1, 1, 0]]


def test_dropout_zeroes_its_share_and_scales_the_others() -> None:
    # Of 20,000 ones a quarter is dropped, +- 5 * 61; the others become 4 / 3.
    values = Dropout(0.25, 7, tf.constant(3))(tf.ones((200, 100))).numpy()
    assert abs((values == 0).sum() - 5000) < 306
    assert values[values != 0] == pytest.approx(4 / 3)


def test_every_call_step_and_seed_drops_others() -> None:
    values = tf.ones((10, 10))

    def of_a_step(seed: int, step: int) -> list[bytes]:
        drop = Dropout(0.5, seed, tf.constant(step))
        return [drop(values).numpy().tobytes() for _ in range(3)]

    assert of_a_step(1, 0) == of_a_step(1, 0)
    assert len({*of_a_step(1, 0), *of_a_step(1, 1), *of_a_step(2, 0)}) == 9


def test_the_seeds_of_a_step_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = []

    def keep_seed(values: tf.Tensor, rate: float, seed: tf.Tensor) -> tf.Tensor:
        seeds.append(seed.numpy().tolist())
        return values

    monkeypatch.setattr(tf.nn.experimental, "stateless_dropout", keep_seed)
    for step in (2, 3):
        drop = Dropout(0.5, 4, tf.constant(step))
        for _ in range(3):
            drop(tf.ones(2))
    first, second = 2 * SEEDS_OF_A_STEP, 3 * SEEDS_OF_A_STEP
    assert seeds == [[4, start + call] for start in (first, second) for call in range(3)]


def test_no_dropout_leaves_values_as_they_are() -> None:
    values = tf.constant([[1.0, 2.0]])
    assert dropped(values, None) is values
    drop = Dropout(0.5, 1, tf.constant(0))
    assert dropped(values, drop).numpy().tolist() != values.numpy().tolist()
    assert Dropout(0.0, 1, tf.constant(0))(values) is values

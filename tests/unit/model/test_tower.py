"""A tower on distinct rows, against Keras's layers on a row for each event."""

from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.model.layers import Dropout
from offerbench.model.tower import Block, Tower, weighted_moments
from tests.oracle.keras_ranker import KerasTower

from ..rankers import weights_of

DIM, UNITS, MOMENTUM = 3, [5, 4], 0.8


class Case(NamedTuple):
    """A tower, its twin, and blocks of some events."""

    tower: Tower
    keras: KerasTower
    blocks: list[Block]


def drop(rate: float = 0.0, step: int = 2) -> Dropout:
    """Of a training step."""
    return Dropout(rate, 1, tf.constant(step))


def make_tower(features: int, generator: np.random.Generator) -> Tower:
    tower = Tower("tower", features * DIM, UNITS, MOMENTUM, generator)
    for variable in (tower.offset, tower.moving_mean, *tower.biases):
        variable.assign(generator.normal(size=variable.shape).astype(np.float32))
    for variable in (tower.scale, tower.moving_variance):
        variable.assign(generator.uniform(0.5, 2, variable.shape).astype(np.float32))
    return tower


def make_case(seed: int, features: int, events: int, shared: bool) -> Case:
    """Blocks of 1 to 5 distinct rows each; one `row_of_event` for all if `shared`."""
    generator = np.random.default_rng(seed)
    tower = make_tower(features, generator)
    keras = KerasTower(weights_of(tower), "tower", MOMENTUM)
    distinct = [int(generator.integers(1, 6))] * features
    common = tf.constant(generator.integers(0, distinct[0], events), tf.int32)
    blocks = []
    for rows in distinct:
        own = tf.constant(generator.integers(0, rows, events), tf.int32)
        values = generator.normal(1, 2, (rows, DIM)).astype(np.float32)
        blocks.append(Block(tf.Variable(values), common if shared else own))
    return Case(tower, keras, blocks)


def repeated_rows(blocks: list[Block]) -> tf.Tensor:
    """One concatenated row for each event."""
    return tf.concat([tf.gather(block.rows, block.row_of_event) for block in blocks], axis=1)


SEEDS, FEATURES, EVENTS = st.integers(0, 999), st.integers(1, 3), st.integers(1, 30)


@settings(max_examples=20)
@given(SEEDS, FEATURES, EVENTS, st.booleans())
def test_training_is_that_of_keras_on_repeated_rows(
    seed: int, features: int, events: int, shared: bool
) -> None:
    tower, keras, blocks = make_case(seed, features, events, shared)
    direction = tf.constant(np.random.default_rng(0).normal(size=UNITS[-1]).astype(np.float32))
    rows = [block.rows for block in blocks]
    with tf.GradientTape() as tape:
        vectors = tower(blocks, drop())
        target = tf.reduce_sum(vectors * direction)
    variables = [tower.scale, tower.offset]
    for kernel, bias in zip(tower.kernels, tower.biases, strict=True):
        variables += [kernel, bias]
    gradients = tape.gradient(target, [*variables, *rows])
    with tf.GradientTape() as tape:
        expected = keras(repeated_rows(blocks), training=True)
        target = tf.reduce_sum(expected * direction)
    expected_gradients = tape.gradient(target, [*keras.variables().values(), *rows])

    assert vectors.numpy() == pytest.approx(expected.numpy(), abs=1e-4)
    wanted = [tf.convert_to_tensor(gradient).numpy() for gradient in expected_gradients]
    # Where few distinct rows leave next to no variance, a gradient is a small difference of large ones,
    # in Keras too: the error is measured by the largest.
    largest = max(1.0, *(float(np.abs(gradient).max()) for gradient in wanted))
    for gradient, expected_gradient in zip(gradients, wanted, strict=True):
        found = tf.convert_to_tensor(gradient).numpy()
        assert found == pytest.approx(expected_gradient, abs=1e-4 * largest)
    for name in ("moving_mean", "moving_variance"):
        moved, wanted = getattr(tower, name).numpy(), getattr(keras.normalisation, name).numpy()
        assert moved == pytest.approx(wanted, abs=1e-5)


@settings(max_examples=20)
@given(SEEDS, FEATURES, EVENTS, st.booleans())
def test_inference_is_that_of_keras(seed: int, features: int, events: int, shared: bool) -> None:
    tower, keras, blocks = make_case(seed, features, events, shared)
    rows = repeated_rows(blocks)
    expected = keras(rows, training=False).numpy()
    of_events = [Block(columns) for columns in tf.split(rows, features, axis=1)]  # every row an event's own
    for given_blocks in (blocks, of_events):
        assert tower(given_blocks).numpy() == pytest.approx(expected, abs=1e-5)


@settings(max_examples=20)
@given(SEEDS, EVENTS)
def test_moments_count_a_row_once_for_each_of_its_events(seed: int, events: int) -> None:
    (block,) = make_case(seed, 1, events, shared=False).blocks
    mean, variance = weighted_moments(block)
    repeated = block.rows.numpy()[block.row_of_event.numpy()].astype(np.float64)
    assert mean.numpy() == pytest.approx(repeated.mean(axis=0), abs=1e-5)
    assert variance.numpy() == pytest.approx(repeated.var(axis=0), abs=1e-4)


def test_moments_by_hand() -> None:
    # Row 1 three times, row 5 once, row 100 never: mean (3 * 1 + 5) / 4 = 2, variance (3 * 1 + 9) / 4 = 3.
    block = Block(tf.constant([[1.0], [5.0], [100.0]]), tf.constant([0, 1, 0, 0]))
    mean, variance = weighted_moments(block)
    assert (mean.numpy().tolist(), variance.numpy().tolist()) == ([2], [3])


def test_moving_moments_keep_their_share() -> None:
    # With momentum .8: .8 * 0 + .2 * 2 and .8 * 1 + .2 * 3.
    tower = Tower("tower", 1, [2], 0.8, np.random.default_rng(0))
    tower([Block(tf.constant([[1.0], [5.0]]), tf.constant([0, 1, 0, 0]))], drop())
    assert tower.moving_mean.numpy() == pytest.approx([0.4])
    assert tower.moving_variance.numpy() == pytest.approx([1.4])


def test_inference_moves_nothing() -> None:
    tower, _, blocks = make_case(0, 2, 10, shared=False)
    before = tower.moving_mean.numpy(), tower.moving_variance.numpy()
    tower(blocks)
    assert tower.moving_mean.numpy().tolist() == before[0].tolist()
    assert tower.moving_variance.numpy().tolist() == before[1].tolist()


def test_dropout_differs_from_event_to_event_and_goes_by_the_seed() -> None:
    tower = make_tower(1, np.random.default_rng(0))
    events = tf.zeros(40, tf.int32)  # all of the same row
    block = Block(tf.constant([[1.0, 2.0, 3.0], [0.0, 5.0, 1.0]]), tf.concat([events, [1]], axis=0))
    first, again, *others = (
        tower([block], Dropout(0.5, seed, tf.constant(step))).numpy()
        for seed, step in ((1, 0), (1, 0), (1, 2), (2, 0))
    )
    assert first.tobytes() == again.tobytes()
    assert len({each.tobytes() for each in (first, *others)}) == 3
    assert len({tuple(vector) for vector in first[:40].tolist()}) > 10


def test_dropout_zeroes_its_share_and_keeps_the_mean() -> None:
    # One layer whose kernel is zero and whose bias is .01: an output is tanh(0) where it is dropped, and
    # tanh(.01 / (1 - .25)) = .01333 elsewhere. Of 20,000 outputs a quarter is dropped, +- 5 * 61.
    tower = Tower("tower", 1, [100], 0.9, np.random.default_rng(0))
    tower.kernels[0].assign(tf.zeros((1, 100)))
    tower.biases[0].assign(tf.fill((100,), 0.01))
    vectors = tower([Block(tf.constant([[1.0], [2.0]]), tf.constant([0, 1] * 100))], drop(0.25)).numpy()
    assert abs((vectors == 0).sum() - 5000) < 306
    assert vectors[vectors != 0] == pytest.approx(0.013333, abs=1e-5)


def test_first_kernels_are_glorot_uniform() -> None:
    tower = Tower("tower", 100, [100, 50], 0.9, np.random.default_rng(0))
    # Limits sqrt(6 / (100 + 100)) = .1732 and sqrt(6 / (100 + 50)) = .2.
    for kernel, limit in zip(tower.kernels, (0.173206, 0.2), strict=True):
        assert limit * 0.99 < np.abs(kernel.numpy()).max() <= limit
    assert not any(bias.numpy().any() for bias in tower.biases)

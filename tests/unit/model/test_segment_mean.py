"""The mean over segments by a sparse product: the gradient has the bits of TensorFlow's own operation."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.model import segment_mean as module
from offerbench.model.segment_mean import places, rows_of_segments, segment_mean, segment_mean_by_product

LABELS, DIM = 12, 9
BAGS = st.lists(st.sets(st.integers(0, LABELS - 1), max_size=LABELS), min_size=1, max_size=30)
Mean = Callable[[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


def own(table: tf.Tensor, rows: tf.Tensor, segments: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    return tf.sparse.segment_mean(table, rows, segments, num_segments=number)


def mean_and_gradient(
    mean: Mean, bags: list[set[int]], seed: int, compiled: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Means of the bags, and the gradient of their sum weighted at random."""
    generator = np.random.default_rng(seed)
    table = tf.constant(generator.normal(size=(LABELS, DIM)), tf.float32)
    upstream = tf.constant(generator.normal(size=(len(bags), DIM)), tf.float32)
    rows = tf.constant([row for bag in bags for row in sorted(bag)], tf.int32)
    segments = tf.constant([number for number, bag in enumerate(bags) for _ in bag], tf.int32)

    def both(table: tf.Tensor, rows: tf.Tensor, segments: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(table)
            means = mean(table, rows, segments, tf.constant(len(bags)))
        return means, tape.gradient(means, table, upstream)

    found = (tf.function(both) if compiled else both)(table, rows, segments)
    return found[0].numpy(), found[1].numpy()


def check(bags: list[set[int]], seed: int, compiled: bool) -> None:
    """The gradient has equal bits; a mean of up to eight rows too, a longer one almost."""
    means, gradient = mean_and_gradient(segment_mean_by_product, bags, seed, compiled)
    expected_means, expected_gradient = mean_and_gradient(own, bags, seed, compiled)
    if not any(bags):  # TensorFlow leaves what was in memory
        expected_gradient = np.zeros_like(gradient)
    assert gradient.shape == expected_gradient.shape
    assert gradient.tobytes() == expected_gradient.tobytes()
    np.testing.assert_allclose(means, expected_means, rtol=1e-6, atol=1e-6)
    is_short = np.array([len(bag) <= 8 for bag in bags])
    np.testing.assert_allclose(means[is_short], expected_means[is_short], rtol=3e-7, atol=1e-7)


@settings(max_examples=30, deadline=None)
@given(BAGS, st.integers(0, 9), st.booleans())
def test_means_and_gradients_of_tensorflow(bags: list[set[int]], seed: int, compiled: bool) -> None:
    check(bags, seed, compiled)


@pytest.mark.parametrize("compiled", [True, False])
def test_bags_of_many_sizes(compiled: bool) -> None:
    # Shares as 1/3 and 1/7, and many bags of one label: each product and each sum is rounded.
    generator = np.random.default_rng(5)
    bags = [set(generator.choice(LABELS, generator.integers(0, LABELS + 1), False)) for _ in range(4_000)]
    check(bags, 1, compiled)


@given(BAGS)
def test_rows_of_segments(bags: list[set[int]]) -> None:
    segments = tf.constant([number for number, bag in enumerate(bags) for _ in bag], tf.int32)
    found = rows_of_segments(segments, tf.constant(len(bags)))
    assert found.numpy().tolist() == [len(bag) for bag in bags]


@pytest.mark.parametrize("compiled", [True, False])
@given(st.lists(st.tuples(*[st.integers(0, 2**31 - 1)] * 2), max_size=70))
def test_places(compiled: bool, pairs: list[tuple[int, int]]) -> None:
    first, second = (tf.constant([pair[side] for pair in pairs], tf.int32) for side in (0, 1))
    found = (tf.function(places) if compiled else places)(first, second)
    assert found.dtype == tf.int64
    assert found.numpy().reshape(-1, 2).tolist() == [list(pair) for pair in pairs]


@pytest.mark.parametrize("slow", [True, False])
def test_either_way_is_taken(monkeypatch: pytest.MonkeyPatch, slow: bool) -> None:
    monkeypatch.setattr(module, "OWN_IS_SLOW", slow)
    called = []
    monkeypatch.setattr(module, "segment_mean_by_product", lambda *_: called.append(True))
    segment_mean(tf.ones((2, 3)), tf.constant([0]), tf.constant([0]), tf.constant(1))
    assert bool(called) == slow

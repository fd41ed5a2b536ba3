"""The mean over segments whose gradient is a sparse product: bits of TensorFlow's own operation."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.model import segment_mean as module
from offerbench.model.segment_mean import segment_mean, segment_mean_by_product

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


@settings(max_examples=30, deadline=None)
@given(BAGS.filter(any), st.integers(0, 9), st.booleans())
def test_the_bits_are_those_of_tensorflow(bags: list[set[int]], seed: int, compiled: bool) -> None:
    expected = mean_and_gradient(own, bags, seed, compiled)
    found = mean_and_gradient(segment_mean_by_product, bags, seed, compiled)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("compiled", [True, False])
def test_the_bits_are_those_of_tensorflow_in_bags_of_many_sizes(compiled: bool) -> None:
    # Shares as 1/3 and 1/7, and many bags of one label: each product and each sum is rounded.
    generator = np.random.default_rng(5)
    bags = [set(generator.choice(LABELS, generator.integers(0, LABELS + 1), False)) for _ in range(4_000)]
    expected = mean_and_gradient(own, bags, 1, compiled)
    found = mean_and_gradient(segment_mean_by_product, bags, 1, compiled)
    assert [part.tobytes() for part in found] == [part.tobytes() for part in expected]


@pytest.mark.parametrize("slow", [True, False])
def test_either_way_is_taken(monkeypatch: pytest.MonkeyPatch, slow: bool) -> None:
    monkeypatch.setattr(module, "OWN_GRADIENT_IS_SLOW", slow)
    called = []
    monkeypatch.setattr(module, "segment_mean_by_product", lambda *_: called.append(True))
    segment_mean(tf.ones((2, 3)), tf.constant([0]), tf.constant([0]), tf.constant(1))
    assert bool(called) == slow

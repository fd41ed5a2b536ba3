"""Means of bags, against loops over their labels."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.model.embedding import (
    INITIAL_RANGE,
    bag_mean,
    bag_means,
    embedding_table,
    normalised_bag_mean,
    weighted_bag_mean,
)
from tests.oracle import layers as oracle

LABELS, DIM = 6, 3
BAGS = st.lists(st.lists(st.integers(0, LABELS - 1), max_size=5, unique=True), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def table() -> tf.Variable:
    return tf.Variable(np.random.default_rng(0).normal(size=(LABELS, DIM)).astype(np.float32))


def flat(bags: list[list[int]]) -> tuple[tf.Tensor, tf.Tensor]:
    values = [label for bag in bags for label in bag]
    segments = [number for number, bag in enumerate(bags) for _ in bag]
    return tf.constant(values, tf.int32), tf.constant(segments, tf.int32)


@settings(max_examples=25)
@given(BAGS)
def test_bag_mean(table: tf.Variable, bags: list[list[int]]) -> None:
    means = bag_mean(table, *flat(bags), tf.constant(len(bags)))
    assert means.shape == (len(bags), DIM)
    for bag, mean in zip(bags, means.numpy(), strict=True):
        assert mean == pytest.approx(oracle.bag_mean(table.numpy(), dict.fromkeys(bag, 1.0)), abs=1e-6)


@settings(max_examples=25)
@given(BAGS, st.integers(0, 9))
def test_normalised_bag_mean(table: tf.Variable, bags: list[list[int]], seed: int) -> None:
    generator = np.random.default_rng(seed)
    weighted = [dict(zip(bag, generator.uniform(0.1, 9, len(bag)), strict=True)) for bag in bags]
    weights = tf.constant([weight for bag in weighted for weight in bag.values()], tf.float32)
    pulls = generator.normal(size=(len(bags), DIM))
    with tf.GradientTape() as tape:
        means = normalised_bag_mean(table, *flat(bags), weights, tf.constant(len(bags)))
        total = tf.reduce_sum(means * pulls.astype(np.float32))
    gradient = np.zeros((LABELS, DIM))
    for bag, mean, pull in zip(weighted, means.numpy(), pulls, strict=True):
        assert mean == pytest.approx(oracle.bag_mean(table.numpy(), bag), abs=1e-5)
        for label, weight in bag.items():
            gradient[label] += weight / sum(bag.values()) * pull
    found = tf.convert_to_tensor(tape.gradient(total, table))
    assert found.numpy() == pytest.approx(gradient, abs=1e-5)


def test_weights_that_vanish_give_zeros(table: tf.Variable) -> None:
    # The values kept of a history may be so old that their weights are 0.
    means = normalised_bag_mean(table, *flat([[1, 2], [3]]), tf.constant([0.0, 0.0, 2.0]), tf.constant(2))
    assert means.numpy().tolist() == [[0.0] * DIM, table.numpy()[3].tolist()]


def test_equal_weights_are_no_weights(table: tf.Variable) -> None:
    values, segments = flat([[0, 3], [], [5]])
    columns = {"a": values}, {"a": segments}
    plain = bag_means({"a": table}, *columns, {}, tf.constant(3))[0].numpy()
    weighted = bag_means({"a": table}, *columns, {"a": tf.fill([3], 0.25)}, tf.constant(3))[0].numpy()
    assert weighted == pytest.approx(plain, abs=1e-6)


def test_empty_bags_give_zeros_wherever_they_stand(table: tf.Variable) -> None:
    means = bag_mean(table, *flat([[], [2], [], [0, 1], [], []]), tf.constant(6)).numpy()
    assert not means[[0, 2, 4, 5]].any()
    assert means[1].tolist() == table.numpy()[2].tolist()


def test_no_value_at_all_gives_zeros(table: tf.Variable) -> None:
    assert not bag_mean(table, *flat([[], []]), tf.constant(2)).numpy().any()


@settings(max_examples=25)
@given(BAGS, st.integers(0, 9))
def test_weighted_bag_mean(table: tf.Variable, bags: list[list[int]], seed: int) -> None:
    generator = np.random.default_rng(seed)
    weighted = [dict(zip(bag, generator.dirichlet(np.ones(len(bag))), strict=True)) for bag in bags if bag]
    if not weighted:
        return
    weights = tf.constant([weight for bag in weighted for weight in bag.values()], tf.float32)
    values, segments = flat([list(bag) for bag in weighted])
    means = weighted_bag_mean(table, values, segments, weights, tf.constant(len(weighted)))
    for bag, mean in zip(weighted, means.numpy(), strict=True):
        assert mean == pytest.approx(oracle.weighted_mean(table.numpy(), bag), abs=1e-6)


def test_first_embeddings_are_uniform_and_drawn_from_the_generator() -> None:
    first, second = (embedding_table("t", 200, 50, np.random.default_rng(seed)) for seed in (1, 1))
    assert first.dtype == tf.float32
    assert first.numpy().tobytes() == second.numpy().tobytes()
    assert np.abs(first.numpy()).max() <= INITIAL_RANGE == 0.05
    # Standard deviation of the uniform distribution on +-.05: .1 / sqrt(12) = .0289.
    assert first.numpy().std() == pytest.approx(0.0289, rel=0.02)


def test_no_value_at_all_has_a_gradient_of_zeros(table: tf.Variable) -> None:
    # TensorFlow's own gives whatever stood in memory: many tries, with numbers left in freed memory.
    for _ in range(50):
        (table + 1.0).numpy()
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(bag_mean(table, *flat([[], []]), tf.constant(2)))
        gradient = tape.gradient(total, table, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        assert not tf.convert_to_tensor(gradient).numpy().any()

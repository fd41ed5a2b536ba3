"""AUC over pairs, against Keras's metric."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from offerbench.model.pair_auc import THRESHOLDS, PairAuc

# Probabilities at and next to thresholds, 0 and 1 among them, and logits of any size.
PROBABILITIES = (np.arange(THRESHOLDS) / (THRESHOLDS - 1)).tolist()
AT_THRESHOLDS = st.sampled_from(PROBABILITIES[1:-1]).map(lambda p: float(np.log(p / (1 - p))))
LOGITS = st.one_of(st.floats(-5, 5, width=32), st.floats(-200, 200, width=32), AT_THRESHOLDS)


@settings(max_examples=30)
@given(st.data())
def test_auc_is_that_of_keras_to_the_bit(data: st.DataObject) -> None:
    metric = tf.keras.metrics.AUC(num_thresholds=THRESHOLDS, from_logits=True)
    auc = PairAuc()
    for _ in range(data.draw(st.integers(1, 3), "batches")):
        groups, m = data.draw(st.integers(1, 3), "groups"), data.draw(st.integers(1, 4), "neighbours")
        size = groups * m * m
        logits = np.array(data.draw(st.lists(LOGITS, min_size=size, max_size=size)), np.float32)
        weights = data.draw(st.none() | st.lists(st.sampled_from([0.0, 1.0]), min_size=size, max_size=size))
        shape = (groups, m, m)
        auc.add(
            tf.constant(logits.reshape(shape)),
            None if weights is None else tf.constant(np.array(weights, np.float32).reshape(shape)),
        )
        targets = np.broadcast_to(np.eye(m, dtype=np.float32), shape).reshape(-1)
        metric.update_state(targets, logits, weights)
    assert auc.result() == float(metric.result())


def test_auc_of_a_large_batch() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, (1008, 5, 5)).astype(np.float32)
    logits += np.eye(5, dtype=np.float32)
    metric = tf.keras.metrics.AUC(num_thresholds=THRESHOLDS, from_logits=True)
    metric.update_state(np.resize(np.eye(5, dtype=np.float32), logits.size), logits.reshape(-1))
    auc = PairAuc()
    auc.add(tf.constant(logits), None)
    assert auc.result() == float(metric.result())
    assert auc.result() == pytest.approx(0.638, abs=0.01)  # the normal chance that 1 / sqrt(8) is exceeded


def test_auc_by_hand() -> None:
    # Positives on the diagonal: 2 and 0; negatives 1 and -1. Three of the four comparisons are right.
    auc = PairAuc()
    auc.add(tf.constant([[[2.0, 1.0], [-1.0, 0.0]]]), None)
    assert auc.result() == pytest.approx(0.75)
    # Without the negative of 1, all are; two batches count as one.
    auc = PairAuc()
    for _ in range(2):
        auc.add(tf.constant([[[2.0, 1.0], [-1.0, 0.0]]]), tf.constant([[[1.0, 0.0], [1.0, 1.0]]]))
    assert auc.result() == pytest.approx(1.0)

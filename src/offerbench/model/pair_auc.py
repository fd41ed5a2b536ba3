"""AUC over the pairs of many batches: that of Keras's metric, to the bit, at a fraction of its time."""

import numpy as np
import tensorflow as tf

THRESHOLDS = 200  # Keras's default: the curve's third digit is right
OUTCOMES = ("true_positives", "false_positives", "true_negatives", "false_negatives")


class PairAuc:
    """Counts pairs by their probability, between evenly spaced thresholds.

    Keras's metric sums the same counts in float32 and for each threshold at every batch.
    """

    def __init__(self) -> None:
        self.counts = np.zeros((2, THRESHOLDS))
        """Negatives and positives by their place among the thresholds; whole numbers."""

    def add(self, logits: tf.Tensor, weights: tf.Tensor | None) -> None:
        """Count the pairs of a batch.

        Parameters
        ----------
        logits : float32, shape (b, m, m)
            Of the pairs of each negatives group; positive are those on the diagonal.
        weights : float32, shape (b, m, m), optional
            1 for a pair that counts, else 0. None: every pair counts.
        """
        probabilities = tf.sigmoid(tf.reshape(logits, [-1])).numpy()
        # A probability that is a threshold is not above it; the lowest threshold is a little below 0.
        above = np.maximum(np.ceil(probabilities * np.float32(THRESHOLDS - 1)) - 1, 0).astype(np.int64)
        is_positive = np.resize(np.eye(logits.shape[-1], dtype=np.int64), len(above))
        found = np.bincount(
            is_positive * THRESHOLDS + above,
            weights=None if weights is None else np.asarray(weights).reshape(-1),
            minlength=2 * THRESHOLDS,
        )
        self.counts += found.reshape(2, THRESHOLDS)

    def result(self) -> float:
        """Area under the curve so far."""
        false, true = (np.cumsum(counts[::-1])[::-1] for counts in self.counts)  # above each threshold
        metric = tf.keras.metrics.AUC(num_thresholds=THRESHOLDS, from_logits=True)
        outcomes = true, false, false[0] - false, true[0] - true
        for name, counts in zip(OUTCOMES, outcomes, strict=True):
            getattr(metric, name).assign(counts.astype(np.float32))
        return float(metric.result())

"""Mean AUC of classes of popularity, by hand."""

import numpy as np

from offerbench.evaluation.popularity import MIN_POSITIVES, means_by_popularity


def test_mean_auc_by_popularity() -> None:
    positives = np.array([20, 20, 40, 60, 3])  # 16-31: 40, 32-63: 100 positives; 2-3 are too few
    auc = np.array([0.5, 0.7, 0.2, 0.7, 1.0])
    assert positives[-1] < MIN_POSITIVES
    middle, mean = means_by_popularity(positives, auc)
    np.testing.assert_allclose(middle, [20, np.sqrt(40 * 60)])
    np.testing.assert_allclose(mean, [0.6, (0.2 * 40 + 0.7 * 60) / 100])

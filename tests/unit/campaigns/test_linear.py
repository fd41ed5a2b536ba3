"""Linear models: at the optimum, against scikit-learn, through JSON."""

import json
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, PoissonRegressor

from offerbench.campaigns.linear import LinearModel, fit_linear
from offerbench.core.errors import OfferbenchError

NAMES = ["a", "b", "c"]


def drawn(seed: int = 0, rows: int = 3000) -> tuple[Any, Any]:
    generator = np.random.default_rng(seed)
    inputs = generator.normal(5, 3, (rows, 3))
    return inputs, 0.3 * inputs[:, 0] - 0.2 * inputs[:, 1] - 0.4


def test_logistic_is_that_of_scikit_learn() -> None:
    inputs, predictor = drawn()
    outcome = (np.random.default_rng(1).random(len(inputs)) < 1 / (1 + np.exp(-predictor))).astype(float)
    found = fit_linear(NAMES, inputs, outcome, "logistic", 0.0)
    peer = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(inputs, outcome)
    np.testing.assert_allclose(found.predict(inputs), peer.decision_function(inputs), atol=2e-3)


def test_poisson_is_that_of_scikit_learn() -> None:
    inputs, predictor = drawn()
    outcome = np.random.default_rng(1).poisson(np.exp(predictor - 1)).astype(float)
    found = fit_linear(NAMES, inputs, outcome, "poisson", 0.0)
    peer = PoissonRegressor(alpha=0, tol=1e-9, max_iter=1000).fit(inputs, outcome)
    np.testing.assert_allclose(np.exp(found.predict(inputs)), peer.predict(inputs), rtol=3e-3)


def test_an_offset_takes_the_drawing_of_negatives_out() -> None:
    # A tenth of the negatives is kept: with the offset -log(rate) the fit is that of all rows.
    inputs, predictor = drawn(rows=60_000)
    generator = np.random.default_rng(1)
    outcome = generator.random(len(inputs)) < 1 / (1 + np.exp(-predictor))
    kept = outcome | (generator.random(len(inputs)) < 0.1)
    offset = np.full(int(kept.sum()), -np.log(0.1))
    found = fit_linear(NAMES, inputs[kept], outcome[kept].astype(float), "logistic", 0.0, offset)
    assert np.abs(found.predict(inputs) - predictor).mean() < 0.05


def test_a_penalty_shrinks_the_weights() -> None:
    inputs, predictor = drawn()
    outcome = (predictor > 0).astype(float)
    weights = [
        np.abs(fit_linear(NAMES, inputs, outcome, "logistic", l2).weights).sum() for l2 in (1e-4, 1e-2, 1)
    ]
    assert weights[0] > weights[1] > weights[2]


def test_an_input_that_is_always_the_same_does_no_harm() -> None:
    inputs, predictor = drawn()
    inputs[:, 2] = 4.0
    found = fit_linear(NAMES, inputs, (predictor > 0).astype(float), "logistic", 1e-3)
    assert np.isfinite(found.predict(inputs)).all()


def test_json_keeps_it() -> None:
    inputs, predictor = drawn()
    found = fit_linear(NAMES, inputs, (predictor > 0).astype(float), "logistic", 1e-3)
    assert LinearModel.of_content(json.loads(json.dumps(found.content())), NAMES, "file") == found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"names": ["a", "b", "x"]}, "not those of this version"),
        ({"weights": [1.0]}, "not those of this version"),
        ({"weights": ["one", 2, 3]}, "not a saved linear model"),
        ({"deviation": [1.0, 0.0, 1.0]}, "numbers that no model has"),
        ({"intercept": float("nan")}, "numbers that no model has"),
        ({"mean": None}, "not a saved linear model"),
    ],
)
def test_a_damaged_file_is_named(change: dict[str, Any], words: str) -> None:
    inputs, predictor = drawn()
    found = fit_linear(NAMES, inputs, (predictor > 0).astype(float), "logistic", 1e-3)
    with pytest.raises(OfferbenchError, match=words) as caught:
        LinearModel.of_content({**found.content(), **change}, NAMES, "models/head/present.json")
    assert "models/head/present.json" in str(caught.value)

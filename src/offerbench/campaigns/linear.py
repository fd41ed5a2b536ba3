"""Generalised linear models on standardised inputs, fitted by L-BFGS, kept as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit
from threadpoolctl import threadpool_limits

from offerbench.core.errors import OfferbenchError

Floats = npt.NDArray[np.float64]
Inputs = npt.NDArray[np.floating[Any]]
MIN_DEVIATION = 1e-9
MAX_ITERATIONS = 500
MAX_LOG = 30.0  # of an expected number: keeps a line search away from infinity


@dataclass(frozen=True)
class LinearModel:
    """A linear predictor of named inputs."""

    names: tuple[str, ...]
    """Of the inputs."""
    mean: tuple[float, ...]
    """Of each input where it was fitted; it is subtracted."""
    deviation: tuple[float, ...]
    """Of each input where it was fitted; it divides."""
    weights: tuple[float, ...]
    """Of each standardised input."""
    intercept: float

    def predict(self, inputs: Inputs) -> Floats:
        """Give the linear predictor, without an offset.

        Parameters
        ----------
        inputs : float, shape (rows, inputs)

        Returns
        -------
        float64, shape (rows,)
        """
        scaled = np.array(self.weights) / np.array(self.deviation)
        constant = self.intercept - float(scaled @ np.array(self.mean))
        return np.asarray(inputs @ scaled + constant, np.float64)

    def content(self) -> dict[str, Any]:
        """Give what JSON keeps of it."""
        return asdict(self)

    @classmethod
    def of_content(cls, content: Mapping[str, Any], names: Sequence[str], source: str) -> Self:
        """Make it again of what JSON kept.

        Raises
        ------
        OfferbenchError
            If it isn't a model of these inputs; names the source.
        """
        try:
            mean, deviation, weights = (
                tuple(float(each) for each in content[key]) for key in ("mean", "deviation", "weights")
            )
            model = cls(tuple(content["names"]), mean, deviation, weights, float(content["intercept"]))
        except (KeyError, TypeError, ValueError) as error:
            raise OfferbenchError(
                f"{source}: not a saved linear model ({error!r}). Run `dvc repro`."
            ) from None
        numbers = np.array([*model.mean, *model.deviation, *model.weights, model.intercept])
        if model.names != tuple(names) or any(
            len(column) != len(names) for column in (mean, deviation, weights)
        ):
            raise OfferbenchError(f"{source}: its inputs are not those of this version. Run `dvc repro`.")
        if not np.isfinite(numbers).all() or min(model.deviation) <= 0:
            raise OfferbenchError(f"{source}: has numbers that no model has. Run `dvc repro`.")
        return model


def fit_linear(
    names: Sequence[str],
    inputs: Inputs,
    outcome: Floats,
    family: Literal["poisson", "logistic"],
    l2: float,
    offset: Floats | float = 0.0,
) -> LinearModel:
    """Fit a generalised linear model with its canonical link: log for counts, logit for yes or no.

    Parameters
    ----------
    names : sequence of str
        Of the inputs.
    inputs : float, shape (rows, inputs)
        Will be standardised.
    outcome : float64, shape (rows,)
        Counts, or 0 and 1.
    family : {"poisson", "logistic"}
        Distribution of the outcome.
    l2 : float
        Penalty of the sum of squared weights, beside the mean negative log likelihood.
    offset : float64, shape (rows,), optional
        Added to the linear predictor, with weight 1.
    """
    mean, deviation = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), MIN_DEVIATION)
    scaled = np.asarray((inputs - mean) / deviation, np.float64)
    is_poisson = family == "poisson"

    def objective(parameters: Floats) -> tuple[float, Floats]:
        predictor = scaled @ parameters[1:] + parameters[0] + offset
        if is_poisson:
            expected = np.exp(np.minimum(predictor, MAX_LOG))
            loss = expected - outcome * predictor
        else:
            expected = expit(predictor)
            loss = np.logaddexp(0, predictor) - outcome * predictor
        residual = (expected - outcome) / len(outcome)
        gradient = np.concatenate([[residual.sum()], residual @ scaled + 2 * l2 * parameters[1:]])
        return float(loss.mean() + l2 * (parameters[1:] ** 2).sum()), gradient

    start = np.zeros(1 + inputs.shape[1])
    share = np.clip(outcome.mean(), 1e-6, None if is_poisson else 1 - 1e-6)
    start[0] = np.log(share) if is_poisson else np.log(share / (1 - share)) - float(np.mean(offset))
    with threadpool_limits(limits=1):  # partial sums of several threads are added in any order
        found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": MAX_ITERATIONS}).x
    return LinearModel(
        tuple(names),
        tuple(mean.astype(float).tolist()),
        tuple(deviation.astype(float).tolist()),
        tuple(found[1:].tolist()),
        float(found[0]),
    )

"""Matrix factorisation by alternating least squares (implicit), a user folded in by the past."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy import sparse
from threadpoolctl import threadpool_limits

from offerbench.core.columns import USER, Split
from offerbench.core.errors import OfferbenchError
from offerbench.core.ranges import concatenated_ranges
from offerbench.features.past_counts import PastCounts
from offerbench.preparation.prepared import PreparedData
from offerbench.scorers.config import LeastSquares
from offerbench.scorers.pairs import TaskPairs

try:
    from implicit.cpu.als import AlternatingLeastSquares
except ImportError as error:
    raise OfferbenchError(
        f"the row least_squares needs the package implicit ({error}). Run `make setup`, or "
        "`pip install offerbench[peers]`."
    ) from None

Factors = npt.NDArray[np.float32]
SUFFIX = ".safetensors"


class LeastSquaresScorer:
    """Dot product of a value's vector and the vector that fits the user's past best.

    Parameters
    ----------
    factors : mapping of float32, shape (labels, factors)
        Of the values of each task's feature.
    parameters : LeastSquares
        What they were fitted with.
    """

    def __init__(self, factors: Mapping[str, Factors], parameters: LeastSquares) -> None:
        self._factors, self._parameters = factors, parameters

    def score(self, pairs: TaskPairs) -> npt.NDArray[np.float64]:
        """Score every user of a group with every offer of the group; see `Scorer`."""
        contexts, factors = pairs.contexts, self._factors[pairs.task]
        pasts = contexts.past_counts(pairs.task)
        users = fold_in(factors, pasts, self._parameters)[contexts.numbers].astype(np.float64)
        offers = factors[pairs.offers.keys].astype(np.float64)[pairs.offer_of_event]
        scores: npt.NDArray[np.float64] = np.einsum("gif,gjf->gij", users, offers)
        return scores


def fit_factors(data: PreparedData, task: str, parameters: LeastSquares) -> Factors:
    """Fit the vectors of a feature's values to the train users' events; float32, shape (labels, factors)."""
    rows, size = concatenated_ranges(*data.user_rows[Split.TRAIN]), data.offer_sizes[task]
    users = np.unique(data.events[USER][rows], return_inverse=True)[1]
    ones = np.full(len(rows), parameters.weight_of_event, np.float32)
    counts = sparse.csr_matrix((ones, (users, data.events[task][rows])), (int(users.max()) + 1, size))
    with threadpool_limits(1, "blas"):  # as implicit asks for
        model = _model(parameters)
        model.fit(_confidence(counts), show_progress=False)
    factors: Factors = np.asarray(model.item_factors, np.float32)
    return factors


def fold_in(factors: Factors, pasts: PastCounts, parameters: LeastSquares) -> Factors:
    """Find the vector of each past with the values' vectors as they are; float32, shape (pasts, factors)."""
    offsets = np.append(0, np.cumsum(pasts.length))
    counts = sparse.csr_matrix(
        (pasts.counts * np.float32(parameters.weight_of_event), pasts.values, offsets),
        (len(pasts.length), pasts.size),
    )
    with threadpool_limits(1, "blas"):
        model = _model(parameters)
        model.item_factors = factors
        users: Factors = model.recalculate_user(np.arange(len(pasts.length)), _confidence(counts))
    return users


def save_factors(directory: Path, task: str, factors: Factors) -> None:
    """Write the vectors of a feature's values."""
    save_file({"factors": factors}, directory / f"{task}{SUFFIX}")


def load_factors(directory: Path, task: str) -> Factors:
    """Read what `save_factors` wrote.

    Raises
    ------
    OfferbenchError
        If the file is missing or damaged.
    """
    source = directory / f"{task}{SUFFIX}"
    try:
        return load_file(source)["factors"]
    except FileNotFoundError:
        raise OfferbenchError(f"{source}: no such file. Run `dvc repro` to make it.") from None
    except (SafetensorError, KeyError) as error:
        raise OfferbenchError(f"{source}: damaged ({error}). Run `dvc repro`.") from None


def _confidence(counts: Any) -> Any:
    """Add the confidence 1 of a value without events; implicit takes that of the others as a whole."""
    counts.data += 1
    return counts


def _model(parameters: LeastSquares) -> AlternatingLeastSquares:
    # One thread: the order of its sums is always the same.
    return AlternatingLeastSquares(
        factors=parameters.factors,
        regularization=parameters.l2,
        alpha=1.0,
        iterations=parameters.iterations,
        random_state=parameters.seed,
        num_threads=1,
    )

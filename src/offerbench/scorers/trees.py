"""Gradient boosted trees over the features of pairs, by LightGBM."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import read_json, write_json
from offerbench.scorers.config import Boosting

try:
    import lightgbm
except OSError as error:  # the wheel brings all but the compiler's threads
    raise OfferbenchError(
        f"LightGBM can't be loaded ({error}). Install the package that has this library: libgomp1 on Debian."
    ) from None

Features = npt.NDArray[np.float32]
PAIRS_AT_A_TIME = 500_000


@dataclass(frozen=True)
class LabelledPairs:
    """Pairs to fit trees on."""

    features: Features
    """Shape (pairs, features)."""
    is_positive: npt.NDArray[np.bool_]
    """Shape (pairs,)."""


class Trees:
    """Fitted trees and the names of the features that they see.

    Parameters
    ----------
    booster : lightgbm.Booster
        The trees.
    names : sequence of str
        Of the features, in the order of the columns.
    """

    def __init__(self, booster: lightgbm.Booster, names: Sequence[str]) -> None:
        self._booster = booster
        self.names = list(names)

    @property
    def rounds(self) -> int:
        """Number of trees."""
        return int(self._booster.num_trees())

    def scores(self, features: Features) -> npt.NDArray[np.float64]:
        """Log odds of each pair; float64, shape of `features` without its last axis.

        Equal features get equal bits: each pair goes through the trees by itself.
        """
        rows = features.reshape(-1, features.shape[-1])
        parts = [
            np.asarray(self._booster.predict(rows[start : start + PAIRS_AT_A_TIME], raw_score=True))
            for start in range(0, len(rows), PAIRS_AT_A_TIME)
        ]
        scores: npt.NDArray[np.float64] = np.concatenate([np.empty(0), *parts])
        return scores.reshape(features.shape[:-1])

    def save(self, directory: Path, name: str) -> None:
        """Write the trees as LightGBM's text, and the features' names as JSON."""
        (directory / f"{name}.txt").write_text(self._booster.model_to_string(), encoding="utf-8")
        write_json(directory / f"{name}.json", {"features": self.names, "trees": self.rounds})


def load_trees(directory: Path, name: str) -> Trees:
    """Read trees that `Trees.save` wrote. The text is read as numbers; nothing in it is run.

    Raises
    ------
    OfferbenchError
        If a file is missing or damaged.
    """
    source = directory / f"{name}.txt"
    try:
        booster = lightgbm.Booster(model_str=source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OfferbenchError(f"{source}: no such file. Run `dvc repro` to make it.") from None
    except (lightgbm.basic.LightGBMError, UnicodeDecodeError) as error:
        raise OfferbenchError(f"{source}: no intact model of LightGBM ({error}). Run `dvc repro`.") from None
    names = read_json(directory / f"{name}.json")["features"]
    if booster.num_feature() != len(names):
        raise OfferbenchError(
            f"{source}: has {booster.num_feature()} features, {directory / f'{name}.json'} {len(names)}. "
            "Run `dvc repro`."
        )
    return Trees(booster, names)


def fit_trees(
    pairs: LabelledPairs,
    names: Sequence[str],
    boosting: Boosting,
    validation: LabelledPairs | None = None,
    rounds: int | None = None,
) -> Trees:
    """Fit trees to tell positive pairs from negative ones.

    Parameters
    ----------
    pairs : LabelledPairs
        To fit on.
    names : sequence of str
        Of the features.
    boosting : Boosting
        Parameters.
    validation : LabelledPairs, optional
        Pairs of other users: the trees end where the loss on these was lowest.
    rounds : int, optional
        Number of trees; `boosting.max_rounds` if None.
    """
    settings = {
        "objective": "binary",
        "num_leaves": boosting.leaves,
        "learning_rate": boosting.learning_rate,
        "min_data_in_leaf": boosting.min_pairs_in_leaf,
        "lambda_l2": boosting.l2,
        "feature_fraction": boosting.feature_share,
        "bagging_fraction": boosting.pair_share,
        "bagging_freq": 1,
        "seed": boosting.seed,
        "num_threads": boosting.threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    train = lightgbm.Dataset(pairs.features, pairs.is_positive, feature_name=list(names))
    callbacks: list[Callable[..., Any]] = []
    others = []
    if validation is not None:
        others = [train.create_valid(validation.features, validation.is_positive)]
        callbacks = [lightgbm.early_stopping(boosting.patience, verbose=False)]
    booster = lightgbm.train(
        settings, train, rounds or boosting.max_rounds, valid_sets=others, callbacks=callbacks
    )
    if validation is not None:  # without the trees after the best one
        best = booster.model_to_string(num_iteration=booster.best_iteration)
        booster = lightgbm.Booster(model_str=best)
    return Trees(booster, names)

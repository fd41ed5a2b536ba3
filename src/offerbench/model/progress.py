"""How far a training is: everything that its next epoch depends on."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from offerbench.model.config import TrainParameters
from offerbench.model.optimizer import slots
from offerbench.model.ranker import Ranker
from offerbench.model.saved_model import named_variables

Tensors = dict[str, npt.NDArray[Any]]
BEST = "best/"
MEASURES = ("train/loss", "train/auc", "validation/loss", "validation/auc")
"""Of an epoch, as the training log names them."""


@dataclass(frozen=True)
class Epoch:
    """One point of the training curves."""

    epoch: int
    steps: int
    """Steps of the training so far."""
    train_loss: float
    train_auc: float
    validation_loss: float
    validation_auc: float


def best_epoch(curves: list[Epoch]) -> int:
    """Index of the epoch of highest validation AUC, the first of equals."""
    return int(np.argmax([epoch.validation_auc for epoch in curves]))


def is_finished(curves: list[Epoch], training: TrainParameters) -> bool:
    """Whether all epochs are done, or validation AUC has not risen for `early_stopping_patience` epochs."""
    patience = training.early_stopping_patience
    if len(curves) >= training.epochs:
        return True
    return patience is not None and bool(curves) and len(curves) - 1 - best_epoch(curves) >= patience


def best_point(curves: list[Epoch]) -> dict[str, Any]:
    """Say where a training was best.

    Parameters
    ----------
    curves : list of Epoch
        At least one.

    Returns
    -------
    dict
        epoch, steps, validation_auc of the best epoch; note: what that says of the length of the training if
        it is the first or the last, None if it is neither.
    """
    place = best_epoch(curves)
    best, note = curves[place], None
    if len(curves) == 1:
        note = "measured once only: where it would have been best is not known"
    elif place == len(curves) - 1:
        note = f"best at the last of {len(curves)} epochs: it may still have been rising, raise `epochs`"
    elif place == 0:
        note = (
            f"best at the first of {len(curves)} epochs: what the later ones learned did not help, or they "
            "were too few; lower `optimizer.learning_rate` or raise `early_stopping_patience`"
        )
    return {
        "epoch": best.epoch,
        "steps": best.steps,
        "validation_auc": best.validation_auc,
        "note": note,
    }


class Progress:
    """A training's curves, steps, variables and best weights.

    An epoch's draws depend on (seed, epoch) and a step's dropout on (seed, step) only: there is no
    other state.

    Parameters
    ----------
    model : Ranker
        The model.
    optimizer : Any
        Its optimizer; its slots are made here if they are not there yet.
    """

    def __init__(self, model: Ranker, optimizer: Any) -> None:
        self.curves: list[Epoch] = []
        self.step = 0
        self._model = named_variables(model)
        moments = slots(optimizer, model.trainable_variables)
        self._variables = {f"model/{name}": variable for name, variable in self._model.items()}
        self._variables |= {f"optimizer/{name}": slot for name, slot in moments.items()}
        self._best: Tensors = {}

    def finish_epoch(self, epoch: Epoch) -> None:
        """Add a point to the curves, and keep the weights if they are the best so far."""
        self.curves.append(epoch)
        if best_epoch(self.curves) == len(self.curves) - 1:
            self._best = _values(self._model)

    def restore_best(self) -> None:
        """Give the model the weights of its best epoch."""
        for name, variable in self._model.items():
            variable.assign(self._best[name])

    def tensors(self) -> Tensors:
        """Every variable, and the best weights unless the model has them now."""
        best = {} if best_epoch(self.curves) == len(self.curves) - 1 else self._best
        return _values(self._variables) | {BEST + name: values for name, values in best.items()}

    def digest(self) -> int:
        """Give a number below 2 ** 31, another one for other bits of the variables."""
        digest = hashlib.sha256()
        for name, values in sorted(_values(self._variables).items()):
            digest.update(name.encode())
            digest.update(values.tobytes())
        return int.from_bytes(digest.digest()[:4], "big") >> 1

    def resume(self, curves: list[Epoch], step: int, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go back to the end of an epoch.

        Parameters
        ----------
        curves, step, tensors
            As they were then.

        Raises
        ------
        ValueError
            If these are not the tensors of this training; nothing is changed then.
        """
        expected = {name: (tuple(v.shape), v.dtype.as_numpy_dtype) for name, v in self._variables.items()}
        if best_epoch(curves) < len(curves) - 1:
            expected |= {BEST + name: expected[f"model/{name}"] for name in self._model}
        if expected != {name: (values.shape, values.dtype.type) for name, values in tensors.items()}:
            raise ValueError("its tensors are not those of this training")
        for name, variable in self._variables.items():
            variable.assign(tensors[name])
        self.curves, self.step = list(curves), step
        self._best = {name: tensors.get(BEST + name, tensors[f"model/{name}"]) for name in self._model}


def _values(variables: Mapping[str, tf.Variable]) -> Tensors:
    return {name: np.asarray(variable.numpy()) for name, variable in variables.items()}

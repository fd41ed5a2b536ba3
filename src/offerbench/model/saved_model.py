"""Saved models, as safetensors and JSON: the same bytes for the same weights, and no code is loaded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydantic
import safetensors
import safetensors.numpy
import tensorflow as tf

from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import read_json, write_json
from offerbench.model.ranker import Ranker
from offerbench.model.specification import Specification

WEIGHTS_FILE = "weights.safetensors"
SPECIFICATION_FILE = "model.json"
DIVERGED = "the training diverged, nothing is saved. Lower its optimizer.learning_rate in params.yaml."


def named_variables(model: Ranker) -> dict[str, tf.Variable]:
    """Every variable of a model by its name, trainable or not."""
    return {variable.name.removesuffix(":0"): variable for variable in model.variables}


def not_finite(weights: Mapping[str, npt.NDArray[Any]]) -> str | None:
    """Name the first tensor that has a value that is not finite; None if all are."""
    return next((name for name, values in weights.items() if not np.isfinite(values).all()), None)


def save_model(model: Ranker, directory: Path) -> None:
    """Write a model's weights and specification into a directory.

    Raises
    ------
    OfferbenchError
        If a weight is not finite: the training has diverged.
    """
    weights = {name: variable.numpy() for name, variable in named_variables(model).items()}
    if strange := not_finite(weights):
        raise OfferbenchError(f"{strange} has values that are not finite: {DIVERGED}")
    with atomic_file(directory / WEIGHTS_FILE) as temporary:
        safetensors.numpy.save_file(weights, temporary)
    write_json(directory / SPECIFICATION_FILE, model.specification.model_dump())


def load_model(directory: Path, task: str | None = None) -> Ranker:
    """Build a model again from its directory.

    Parameters
    ----------
    directory : Path
        Of the model.
    task : str, optional
        The one offer feature that it sees, if it is the specialist of a task.

    Raises
    ------
    OfferbenchError
        If a file is missing, damaged, or not of a model that this version makes, its weights are not finite,
        or it is not the specialist of the task.
    """
    weights_file = directory / WEIGHTS_FILE
    try:
        specification = Specification.model_validate(read_json(directory / SPECIFICATION_FILE))
        weights = safetensors.numpy.load_file(weights_file)
    except FileNotFoundError:
        raise OfferbenchError(f"{weights_file}: no such file. Run `dvc repro` to train the model.") from None
    except pydantic.ValidationError as error:
        raise OfferbenchError(
            f"{directory / SPECIFICATION_FILE}: not a model's specification "
            f"({error.error_count()} problems, the first: {error.errors()[0]['msg']}). Train the model anew."
        ) from None
    except safetensors.SafetensorError as error:
        raise OfferbenchError(
            f"{weights_file}: damaged or not a safetensors file ({error}). Train the model anew."
        ) from None
    if task is not None and list(specification.offer_features) != [task]:
        raise OfferbenchError(
            f"{directory / SPECIFICATION_FILE}: a model of {list(specification.offer_features)}, not of "
            f"{task} alone. Train the model anew."
        )
    if strange := not_finite(weights):
        raise OfferbenchError(
            f"{weights_file}: {strange} has values that are not finite. Train the model anew."
        )
    model = Ranker(specification, np.random.default_rng(0))
    variables = named_variables(model)
    shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
    if shapes != {name: array.shape for name, array in weights.items()}:
        raise OfferbenchError(
            f"{weights_file}: its tensors are not those of {SPECIFICATION_FILE}. Train the model anew."
        )
    for name, variable in variables.items():
        variable.assign(weights[name])
    return model

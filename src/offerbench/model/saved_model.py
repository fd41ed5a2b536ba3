"""Saved models, as safetensors and JSON: the same bytes for the same weights, and no code is loaded."""

from pathlib import Path

import numpy as np
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


def named_variables(model: Ranker) -> dict[str, tf.Variable]:
    """Every variable of a model by its name, trainable or not."""
    return {variable.name.removesuffix(":0"): variable for variable in model.variables}


def save_model(model: Ranker, directory: Path) -> None:
    """Write a model's weights and specification into a directory."""
    weights = {name: variable.numpy() for name, variable in named_variables(model).items()}
    with atomic_file(directory / WEIGHTS_FILE) as temporary:
        safetensors.numpy.save_file(weights, temporary)
    write_json(directory / SPECIFICATION_FILE, model.specification.model_dump())


def load_model(directory: Path) -> Ranker:
    """Build a model again from its directory.

    Raises
    ------
    OfferbenchError
        If a file is missing, damaged, or not of a model that this version makes.
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

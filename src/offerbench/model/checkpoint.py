"""Models as safetensors and JSON: the same bytes for the same weights, and no code is loaded."""

from pathlib import Path

import numpy as np
import pydantic
import safetensors
import safetensors.numpy
import tensorflow as tf

from offerbench.errors import OfferbenchError
from offerbench.model.augmented import AugmentedModel
from offerbench.model.ranking_model import RankingModel
from offerbench.model.specification import AugmentedSpecification, ModelSpecification
from offerbench.model.two_tower import TwoTower
from offerbench.storage import read_json, whole_file, write_json

WEIGHTS_FILE = "weights.safetensors"
SPECIFICATION_FILE = "model.json"


def named_variables(model: RankingModel) -> dict[str, tf.Variable]:
    """Every variable of a model by its name, trainable or not."""
    return {variable.name.removesuffix(":0"): variable for variable in model.variables}


def save_model(model: RankingModel, directory: Path) -> None:
    """Write a model's weights and specification into a directory."""
    weights = {name: variable.numpy() for name, variable in named_variables(model).items()}
    with whole_file(directory / WEIGHTS_FILE) as temporary:
        safetensors.numpy.save_file(weights, temporary)
    write_json(directory / SPECIFICATION_FILE, model.specification.model_dump())


def make_model(specification: ModelSpecification, generator: np.random.Generator) -> RankingModel:
    """Make the model that a specification is of, with first weights from a generator."""
    if isinstance(specification, AugmentedSpecification):
        return AugmentedModel(specification, generator)
    return TwoTower(specification, generator)


def load_model(directory: Path) -> RankingModel:
    """Build a model again from its directory.

    Raises
    ------
    OfferbenchError
        If a file is missing, damaged, or not of a model that this version makes.
    """
    weights_file = directory / WEIGHTS_FILE
    try:
        content = read_json(directory / SPECIFICATION_FILE)
        kind = AugmentedSpecification if "parts" in content else ModelSpecification
        specification = kind.model_validate(content)
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
    model = make_model(specification, np.random.default_rng(0))
    variables = named_variables(model)
    shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
    if shapes != {name: array.shape for name, array in weights.items()}:
        raise OfferbenchError(
            f"{weights_file}: its tensors are not those of {SPECIFICATION_FILE}. Train the model anew."
        )
    for name, variable in variables.items():
        variable.assign(weights[name])
    return model

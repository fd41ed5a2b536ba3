"""Small two-tower models with weights that leave nothing at zero or one."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.model.checkpoint import named_variables
from offerbench.model.specification import ModelSpecification
from offerbench.model.two_tower import TwoTower

from .parameters import model_parameters


def random_model(
    user_sizes: Mapping[str, int],
    offer_sizes: Mapping[str, int],
    seed: int = 0,
    shared_tables: Mapping[str, str] | None = None,
    **changes: Any,
) -> TwoTower:
    """Make a model; scales, offsets, moments and biases are drawn too, embeddings are made larger."""
    specification = ModelSpecification(
        user_features=dict(user_sizes),
        offer_features=dict(offer_sizes),
        model=model_parameters(shared_embeddings=bool(shared_tables), **changes),
        shared_tables=dict(shared_tables or {}),
    )
    generator = np.random.default_rng(seed)
    model = TwoTower(specification, generator)
    for name, variable in named_variables(model).items():
        low, high = (0.5, 1.5) if name.endswith(("scale", "moving_variance")) else (-1, 1)
        if "kernel" not in name:
            variable.assign(generator.uniform(low, high, variable.shape).astype(np.float32))
    return model


def weights_of(model: TwoTower) -> dict[str, npt.NDArray[np.float32]]:
    """Every variable by its name."""
    return {name: variable.numpy() for name, variable in named_variables(model).items()}


def weights_by_feature(model: TwoTower) -> dict[str, npt.NDArray[np.float32]]:
    """As `weights_of`, with a shared table by the name of each feature that has it."""
    weights = weights_of(model)
    for user_feature, offer_feature in model.specification.shared_tables.items():
        weights[f"user_embedding/{user_feature}"] = weights[f"offer_embedding/{offer_feature}"]
    return weights

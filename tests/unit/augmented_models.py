"""Small augmented models with weights that leave nothing at zero or one."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from offerbench.model.augmented import AugmentedModel
from offerbench.model.checkpoint import named_variables
from offerbench.model.specification import AugmentedSpecification
from offerbench.params.train_augmented import Parts

from .parameters import COMPLETE, model_parameters

WINDOWS = [2, None]
NOTHING: dict[str, Any] = {
    "variance": False,
    "user_meta_features": None,
    "offer_meta_features": None,
    "mask": False,
    "matching": None,
}
EVERYTHING: dict[str, Any] = {
    "variance": True,
    "user_meta_features": 3,
    "offer_meta_features": 2,
    "mask": True,
    "matching": {"windows": WINDOWS, "hidden_units": 3},
}
CASES: dict[str, dict[str, Any]] = {
    "dot": NOTHING | {"interaction": "dot"},
    "dot_variance_matching": NOTHING
    | {"interaction": "dot", "variance": True, "matching": EVERYTHING["matching"]},
    "dot_everything": EVERYTHING | {"interaction": "dot"},
    "bilinear": NOTHING | {"interaction": "bilinear"},
    "bilinear_everything": EVERYTHING | {"interaction": "bilinear"},
    "bilinear_compression": NOTHING
    | {"interaction": "bilinear", "user_meta_features": 3, "offer_meta_features": 2},
}


def parts_parameters(**changes: Any) -> Parts:
    """The section `parts` with some keys changed."""
    return Parts.model_validate({**COMPLETE["train_augmented"]["parts"], **changes})


def draw_weights(module: tf.Module, generator: np.random.Generator) -> None:
    """Draw everything but the kernels of dense layers; scales and variances around 1."""
    for name, variable in named_variables(module).items():
        last = name.rsplit("/", 1)[-1]
        low, high = (0.5, 1.5) if last in ("scale", "moving_variance") else (-1, 1)
        if not last.startswith("kernel") or name == "bilinear_score/kernel":
            variable.assign(generator.uniform(low, high, variable.shape).astype(np.float32))


def random_augmented_model(
    user_sizes: Mapping[str, int],
    offer_sizes: Mapping[str, int],
    case: str,
    seed: int = 0,
    hidden_units: int = 3,
    shared_tables: Mapping[str, str] | None = None,
    **changes: Any,
) -> AugmentedModel:
    """Make a model of the parts of one of `CASES`; hidden units are those of matching, if it is a part."""
    parts = CASES[case]
    if parts["matching"]:
        parts = parts | {"matching": parts["matching"] | {"hidden_units": hidden_units}}
    specification = AugmentedSpecification(
        user_features=dict(user_sizes),
        offer_features=dict(offer_sizes),
        model=model_parameters(shared_embeddings=bool(shared_tables), **changes),
        parts=parts_parameters(**parts),
        shared_tables=dict(shared_tables or {}),
    )
    generator = np.random.default_rng(seed)
    model = AugmentedModel(specification, generator)
    draw_weights(model, generator)
    return model

"""Small rankers of every kind, with weights that leave nothing at zero or one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from offerbench.batching.grouped import BatchMaker, GroupedBatch
from offerbench.batching.grouping_keys import Key, draw_keys
from offerbench.model.config import TrainParameters
from offerbench.model.ranker import Ranker
from offerbench.model.saved_model import named_variables
from offerbench.model.specification import Specification, specify
from offerbench.preparation.prepared import PreparedData

from .parameters import COMPLETE, grouping_parameters, merged

GROUPINGS = COMPLETE["train_augmented"]["groupings"]
MATCHES = COMPLETE["train_augmented"]["ranker"]["match_score"]
ATTRIBUTES = MATCHES | {"attribute_values": 2}
COMPRESSION = {"user_meta_features": 3, "offer_meta_features": 2, "mask": False}
MASK = COMPRESSION | {"mask": True}


@dataclass(frozen=True)
class Case:
    """A kind of ranker."""

    ranker: dict[str, Any] = field(default_factory=dict)
    """Keys of the ranker that differ from `train_full`."""
    groupings: dict[str, Any] | None = None
    remove_accidental_hits: str = "none"
    offer_features: list[str] | None = None
    """Those that it sees; None: all."""

    def training(self, **changes: Any) -> TrainParameters:
        """Parameters of its training, with some keys changed, dotted or nested."""
        own = {
            "ranker": self.ranker,
            "groupings": self.groupings,
            "remove_accidental_hits": self.remove_accidental_hits,
        }
        return TrainParameters.model_validate(merged(merged(COMPLETE["train_full"], own), changes))

    def features(self, data: PreparedData) -> list[str]:
        """Offer features that it sees."""
        return self.offer_features or list(data.offer_sizes)


def grouped(**ranker: Any) -> Case:
    """Sees events as events of groups."""
    return Case(ranker, GROUPINGS, "offer")


SHARED = {"shared_embeddings": True}
BILINEAR = {"interaction": "bilinear"}
EVERYTHING = {"variance": True, "compression": MASK, "match_score": MATCHES}
EVENTS_ONLY = {
    "full": Case(),
    "mono": Case(offer_features=["brand"]),
    "shared": Case(SHARED),
    "shared_mono": Case(SHARED, offer_features=["brand"]),
    "bilinear_full": Case(BILINEAR),
}
AS_OFFERS = {
    "groupings": grouped(),
    "groupings_of_two_features": Case({}, GROUPINGS, "none", ["brand", "product_id"]),
    "variance_matches": grouped(variance=True, match_score=MATCHES),
    "variance_matches_shared": grouped(variance=True, match_score=MATCHES, **SHARED),
    "everything": grouped(**EVERYTHING),
    "bilinear_groupings": grouped(**BILINEAR),
    "bilinear_matches": grouped(match_score=MATCHES, **BILINEAR),
    "bilinear_compression": grouped(compression=COMPRESSION, **BILINEAR),
    "bilinear_everything": grouped(**EVERYTHING, **BILINEAR),
    "matches_without_groupings": Case({"match_score": MATCHES}, None, "offer"),
    "attributes": grouped(variance=True, match_score=ATTRIBUTES),
    "attributes_of_two_features": Case(
        {"match_score": ATTRIBUTES}, GROUPINGS, "bought_that_day", ["brand", "product_id"]
    ),
    "attributes_without_groupings": Case({"match_score": ATTRIBUTES}, None, "none"),
    "bilinear_attributes": grouped(match_score=ATTRIBUTES, **BILINEAR),
    "bilinear_attributes_without_groupings": Case({"match_score": ATTRIBUTES, **BILINEAR}, None, "offer"),
}
CASES = EVENTS_ONLY | AS_OFFERS


def draw_weights(module: tf.Module, generator: np.random.Generator) -> None:
    """Draw everything but the kernels of dense layers; scales and variances around 1."""
    for name, variable in named_variables(module).items():
        last = name.rsplit("/", 1)[-1]
        low, high = (0.5, 1.5) if last in ("scale", "moving_variance") else (-1, 1)
        if not last.startswith("kernel") or name == "bilinear_score/kernel":
            variable.assign(generator.uniform(low, high, variable.shape).astype(np.float32))


def drawn_ranker(specification: Specification, seed: int = 0) -> Ranker:
    """Make a ranker; scales, offsets, moments and biases are drawn too, embeddings are made larger."""
    generator = np.random.default_rng(seed)
    model = Ranker(specification, generator)
    draw_weights(model, generator)
    return model


def random_ranker(data: PreparedData, case: str, seed: int = 0, **changes: Any) -> Ranker:
    """Make the ranker of one of `CASES` with some keys of its training changed."""
    training = CASES[case].training(**changes)
    return drawn_ranker(specify(data, CASES[case].features(data), training), seed)


def grouped_batch(data: PreparedData, case: str, rows: npt.NDArray[np.int64]) -> GroupedBatch:
    """A batch as a ranker of one of `CASES` is trained on it.

    With groupings it is seen through a single key, a key of two features, and offers that are split and
    merged.
    """
    training, features = CASES[case].training(), CASES[case].features(data)
    generator = np.random.default_rng(1)
    last = len(features) - 1
    if training.sees_events_only:
        keys = []
    elif training.groupings is None:
        keys = draw_keys(len(features), None, generator)
    else:
        always = grouping_parameters(coarser_and_finer_share=1.0)
        keys = [Key([last // 2 + 1]), Key([last // 2, last]), Key([last // 2 + 1], always)]
    return BatchMaker(data, features, training.matching).make(rows, keys, generator)


def weights_of(model: tf.Module) -> dict[str, npt.NDArray[np.float32]]:
    """Every variable by its name."""
    return {name: variable.numpy() for name, variable in named_variables(model).items()}


def weights_by_feature(model: Ranker) -> Mapping[str, npt.NDArray[np.float32]]:
    """As `weights_of`, with a shared table by the name of each feature that has it."""
    weights = weights_of(model)
    for user_feature, offer_feature in model.specification.shared_tables.items():
        weights[f"user_embedding/{user_feature}"] = weights[f"offer_embedding/{offer_feature}"]
    return weights

"""Small parameters for tests: one complete set, and each section with some keys changed."""

import copy
from typing import Any

from offerbench.params.evaluate import Evaluate
from offerbench.params.model import Model
from offerbench.params.prepare import Prepare
from offerbench.params.rebatch import Rebatch
from offerbench.params.resources import Resources
from offerbench.params.train import Train

COMPLETE: dict[str, Any] = {
    "dataset": "rees46",
    "tasks": ["category2", "brand", "price_cluster"],
    "custom": None,
    "prepare": {
        "target_event": "purchase",
        "offer_features": ["product_id", "category2", "brand", "price_cluster"],
        "clusters": {
            "price_cluster": {"column": "price", "clusters": 6, "sample": 300, "decimals": 2, "seed": 3}
        },
        "vocabulary": {"min_occurrences": 30, "out_of_vocabulary_buckets": 3},
        "max_set_aside_share": 0.01,
        "split": {"test_users": 20, "validation_users": 15, "seed": 5, "min_target_events": 1},
        "history": {
            "events": ["purchase", "cart"],
            "length": 9,
            "lengths": {},
            "keep": "latest",
            "weights": "distinct",
            "half_life_events": 20.0,
        },
    },
    "rebatch": {"users_per_group": 25, "events_per_user_day": 2, "batch_size": 20, "seed": 11},
    "model": {
        "embedding_dim": 4,
        "shared_embeddings": False,
        "tower_units": [6, 3],
        "dropout": 0.1,
        "l1": 1e-5,
        "batch_normalization_momentum": 0.9,
    },
    "train": {
        "epochs": 2,
        "early_stopping_patience": None,
        "number_of_negatives": 4,
        "optimizer": "adamw_tfa",
        "learning_rate": 0.01,
        "weight_decay": 1e-6,
        "seed": 1,
        "threads": 2,
    },
    "train_augmented": {
        "grouping": {"number": 3, "mean_features": 2.0, "coarser_and_finer_share": 0.4},
        "history_dropout": 0.2,
        "parts": {
            "variance": True,
            "user_meta_features": None,
            "offer_meta_features": None,
            "mask": False,
            "interaction": "dot",
            "network_units": [6, 3],
            "matching": {"windows": [2, None], "hidden_units": 3},
        },
        "overrides": {
            "embedding_dim": None,
            "shared_embeddings": None,
            "dropout": None,
            "l1": None,
            "learning_rate": None,
        },
    },
    "group_test": {"values_per_feature": 5},
    "evaluate": {
        "popular_min_positives": 20,
        "cold_start_min_positives": 4,
        "bootstrap": {"samples": 20, "seed": 2},
        "table_decimals": 3,
    },
    "regression": {"tolerance": {"all": None, "popular": None, "cold_start": None}},
    "resources": {"memory_limit": "500MB", "spill_directory": "data/spill", "events_per_chunk": 100},
}


def changed(key: str, value: Any) -> dict[str, Any]:
    """The complete parameters with one (dotted) key set."""
    content = copy.deepcopy(COMPLETE)
    *sections, last = key.split(".")
    section = content
    for name in sections:
        section = section[name]
    section[last] = value
    return content


def prepare_parameters(**history: Any) -> Prepare:
    """The section `prepare` with some keys of its history changed."""
    content = COMPLETE["prepare"]
    return Prepare.model_validate({**content, "history": {**content["history"], **history}})


def rebatch_parameters(**changes: Any) -> Rebatch:
    """The section `rebatch` with some keys changed."""
    return Rebatch.model_validate({**COMPLETE["rebatch"], **changes})


def model_parameters(**changes: Any) -> Model:
    """The section `model` with some keys changed."""
    return Model.model_validate({**COMPLETE["model"], **changes})


def train_parameters(**changes: Any) -> Train:
    """The section `train` with some keys changed."""
    return Train.model_validate({**COMPLETE["train"], **changes})


def evaluate_parameters(**changes: Any) -> Evaluate:
    """The section `evaluate` with some keys changed."""
    return Evaluate.model_validate({**COMPLETE["evaluate"], **changes})


def resources_parameters(**changes: Any) -> Resources:
    """The section `resources` with some keys changed."""
    return Resources.model_validate({**COMPLETE["resources"], **changes})

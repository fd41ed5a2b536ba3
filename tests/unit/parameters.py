"""Small parameters for tests: one complete set, and each section with some keys changed."""

import copy
from collections.abc import Mapping
from typing import Any

from offerbench.batching.config import Rebatch
from offerbench.campaigns.config import Backtest, TrainActivity, TrainHead
from offerbench.evaluation.config import Evaluate
from offerbench.features.config import GroupingParameters
from offerbench.model.config import TrainParameters
from offerbench.preparation.config import Prepare
from offerbench.preparation.resources import Resources
from offerbench.scorers.config import TrainBoosted, TrainPeer, Yardsticks

_TRAIN_FULL: dict[str, Any] = {
    "ranker": {
        "embedding_dim": 4,
        "shared_embeddings": False,
        "interaction": "dot",
        "units": [6, 3],
        "dropout": 0.1,
        "l1": 1e-5,
        "batch_normalization_momentum": 0.9,
        "variance": False,
        "compression": None,
        "match_score": None,
    },
    "number_of_negatives": 4,
    "remove_accidental_hits": "none",
    "groupings": None,
    "history_dropout": 0.0,
    "optimizer": {"name": "adamw_tfa", "learning_rate": 0.01, "weight_decay": 1e-6},
    "epochs": 2,
    "min_steps_per_epoch": 1,
    "early_stopping_patience": None,
    "seed": 1,
    "threads": 2,
}
_TRAIN_AUGMENTED: dict[str, Any] = {
    **_TRAIN_FULL,
    "ranker": {
        **_TRAIN_FULL["ranker"],
        "variance": True,
        "match_score": {
            "windows": [2, None],
            "attribute_values": None,
            "hidden_units": 3,
            "prior_events": 20.0,
        },
    },
    "remove_accidental_hits": "offer",
    "groupings": {
        "number": 3,
        "mean_features": 2.0,
        "coarser_and_finer_share": 0.4,
        "small_group_percentile": 40,
        "min_group": 5,
        "max_subgroups": 50,
        "mean_further_groups": 0.5,
    },
    "history_dropout": 0.2,
}

_FEATURES: dict[str, Any] = {
    "prior_events": 20.0,
    "windows_events": [3],
    "windows_days": [2, 7],
    "half_lives_days": [4.0],
    "attribute_values": 3,
}
_BOOSTING: dict[str, Any] = {
    "max_rounds": 8,
    "patience": 3,
    "leaves": 4,
    "learning_rate": 0.2,
    "min_pairs_in_leaf": 5,
    "l2": 1.0,
    "feature_share": 0.8,
    "pair_share": 0.8,
    "seed": 1,
    "threads": 2,
}

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
        "max_rejected_share": 0.01,
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
    "train_full": _TRAIN_FULL,
    "train_augmented": copy.deepcopy(_TRAIN_AUGMENTED),  # `changed` must not change what both share
    "train_mono": copy.deepcopy(_TRAIN_FULL),
    "train_boosted": {"features": copy.deepcopy(_FEATURES), "boosting": copy.deepcopy(_BOOSTING)},
    "train_peer": {
        "batches": 3,
        "number_of_negatives": 4,
        "features": _FEATURES,
        "boosting": _BOOSTING,
        "least_squares": {"factors": 4, "iterations": 3, "l2": 0.1, "weight_of_event": 1.0, "seed": 3},
    },
    "group_test": {"values_per_feature": 5},
    "evaluate": {
        "users": "test",
        "number_of_negatives": 4,
        "negatives": "neighbours",
        "seed": 3,
        "popular_min_positives": 20,
        "cold_start_min_positives": 4,
        "yardsticks": {"prior_events": 20.0, "half_life_days": 8.0},
        "bootstrap": {"samples": 20, "seed": 2},
        "threads": 2,
    },
    "prepare_past": {"cuts": ["2019-10-20"]},
    "train_activity": {
        "horizon_days": 3,
        "step_days": 2,
        "warm_up_days": 4,
        "windows_days": [3, 9],
        "rate_days": 9,
        "l2": 1e-3,
    },
    "train_head": {
        "as_of_days": 2,
        "step_days": 3,
        "negatives": 3.0,
        "max_pairs": 500,
        "l2": 1e-3,
        "prior_events": 5.0,
        "prior_days": 2.0,
        "recent_days": 6,
        "half_life_days": 5.0,
        "recency_days": 4.0,
        "values_per_feature": 5,
        "seed": 7,
        "threads": 2,
    },
    "backtest": {
        "dates": ["2019-10-20", "2019-10-22"],
        "shares": [0.1, 0.5],
        "max_offers": 12,
        "few_buyers": 3,
        "new_days": 5,
        "bins": 3,
        "propensity": {
            "leaves": 4,
            "leaves_of_offer": 3,
            "learning_rate": 0.1,
            "min_leaf": 5,
            "rounds": 5,
            "patience": 2,
            "offers": 3,
            "threads": 1,
            "seed": 7,
        },
        "bootstrap": {"samples": 20, "seed": 11},
        "seed": 11,
        "threads": 2,
    },
    "report": {"table_decimals": 3},
    "gate": {"tolerance": {"all": None, "popular": None, "cold_start": None}},
    "resources": {
        "memory_limit": "500MB",
        "spill_directory": "data/spill",
        "events_per_chunk": 100,
        "spark": None,
        "replicas": 1,
    },
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


def merged(content: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change some keys, dotted or nested: a mapping changes a section's keys, all else replaces."""
    result = copy.deepcopy(dict(content))
    for key, value in changes.items():
        first, _, rest = key.partition(".")
        if rest:
            result[first] = merged(result[first], {rest: value})
        elif isinstance(value, Mapping) and isinstance(result.get(first), Mapping):
            result[first] = merged(result[first], value)
        else:
            result[first] = copy.deepcopy(value)
    return result


def prepare_parameters(**history: Any) -> Prepare:
    """The section `prepare` with some keys of its history changed."""
    content = COMPLETE["prepare"]
    return Prepare.model_validate({**content, "history": {**content["history"], **history}})


def rebatch_parameters(**changes: Any) -> Rebatch:
    """The section `rebatch` with some keys changed."""
    return Rebatch.model_validate({**COMPLETE["rebatch"], **changes})


def train_parameters(section: str = "train_full", /, **changes: Any) -> TrainParameters:
    """A section of a training with some keys changed, dotted or nested; see `merged`.

    `train_parameters(epochs=3, ranker={"dropout": 0.0})`,
    `train_parameters("train_augmented", **{"optimizer.learning_rate": 0.1})`.
    """
    return TrainParameters.model_validate(merged(COMPLETE[section], changes))


def grouping_parameters(**changes: Any) -> GroupingParameters:
    """The section `train_augmented.groupings` with some keys changed."""
    return GroupingParameters.model_validate({**COMPLETE["train_augmented"]["groupings"], **changes})


def evaluate_parameters(**changes: Any) -> Evaluate:
    """The section `evaluate` with some keys changed."""
    return Evaluate.model_validate({**COMPLETE["evaluate"], **changes})


def yardsticks_parameters(**changes: Any) -> Yardsticks:
    """The section `evaluate.yardsticks` with some keys changed."""
    return Yardsticks.model_validate({**COMPLETE["evaluate"]["yardsticks"], **changes})


def boosted_parameters(**changes: Any) -> TrainBoosted:
    """The section `train_boosted` with some keys changed; see `merged`."""
    return TrainBoosted.model_validate(merged(COMPLETE["train_boosted"], changes))


def peer_parameters(**changes: Any) -> TrainPeer:
    """The section `train_peer` with some keys changed; see `merged`."""
    return TrainPeer.model_validate(merged(COMPLETE["train_peer"], changes))


def resources_parameters(**changes: Any) -> Resources:
    """The section `resources` with some keys changed."""
    return Resources.model_validate({**COMPLETE["resources"], **changes})


def activity_parameters(**changes: Any) -> TrainActivity:
    """The section `train_activity` with some keys changed."""
    return TrainActivity.model_validate({**COMPLETE["train_activity"], **changes})


def head_parameters(**changes: Any) -> TrainHead:
    """The section `train_head` with some keys changed."""
    return TrainHead.model_validate({**COMPLETE["train_head"], **changes})


def backtest_parameters(**changes: Any) -> Backtest:
    """The section `backtest` with some keys changed."""
    return Backtest.model_validate({**COMPLETE["backtest"], **changes})

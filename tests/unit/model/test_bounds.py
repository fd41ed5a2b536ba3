"""Parameters at their bounds: a training ends well, or with the one line of a training that diverged."""

from typing import Any

import numpy as np
import pytest

from offerbench.core.errors import OfferbenchError
from offerbench.model.training import train_model

from ..parameters import train_parameters
from ..rankers import weights_of
from .small_training import SHAPE, fresh_feed, fresh_ranker, loyal_users

pytestmark = pytest.mark.usefixtures("configured_tensorflow")
EVENTS = {
    "low": {
        "optimizer.learning_rate": 1e-12,
        "optimizer.weight_decay": 0.0,
        "ranker.l1": 0.0,
        "ranker.batch_normalization_momentum": 0.0,
        "seed": 0,
    },
    "high": {
        "optimizer.learning_rate": 1000.0,
        "optimizer.weight_decay": 1.0,
        "ranker.l1": 1e6,
        "ranker.batch_normalization_momentum": 0.99999,
        "ranker.dropout": 0.999,
        "history_dropout": 0.999,
        "seed": 2**31 - 1,
    },
}
GROUPS = {
    "low": {
        "groupings.number": 1,
        "groupings.mean_features": 0.01,
        "groupings.coarser_and_finer_share": 1.0,
        "groupings.small_group_percentile": 0,
        "groupings.min_group": 1,
        "groupings.max_subgroups": 1,
        "groupings.mean_further_groups": 0.0,
        "ranker.match_score": {
            "windows": [1, None],
            "attribute_values": 1,
            "hidden_units": 1,
            "prior_events": 1e-6,
        },
    },
    "high": {
        "groupings.mean_features": 1000.0,
        "groupings.coarser_and_finer_share": 1.0,
        "groupings.small_group_percentile": 100,
        "groupings.min_group": 2**31 - 1,
        "groupings.max_subgroups": 2**31 - 1,
        "groupings.mean_further_groups": 1e6,
        "ranker.match_score": {
            "windows": [2**31 - 1, None],
            "attribute_values": 2**31 - 1,
            "hidden_units": 4,
            "prior_events": 1e9,
        },
    },
}


@pytest.mark.parametrize("bound", ["low", "high"])
@pytest.mark.parametrize("optimizer", ["adamw_tfa", "adamw_keras"])
@pytest.mark.parametrize("section", ["train_full", "train_augmented"])
def test_a_training_at_the_bounds(section: str, optimizer: str, bound: str) -> None:
    changes: dict[str, Any] = {**SHAPE, **EVENTS[bound], "epochs": 1, "optimizer.name": optimizer}
    if section == "train_augmented":
        changes |= GROUPS[bound]
    data = loyal_users()
    model = fresh_ranker(data, train_parameters(section, **changes))
    try:
        train_model(model, fresh_feed(data, model))
    except OfferbenchError as error:
        assert "diverged" in str(error) and bound == "high"
    else:
        assert all(np.isfinite(values).all() for values in weights_of(model).values())

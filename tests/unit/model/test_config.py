"""Parameters of a ranker that do not fit together, and what a training looks at."""

from typing import Any

import pytest
from pydantic import ValidationError

from offerbench.features.config import MatchingParameters
from offerbench.model.config import CompressionParameters, RankerParameters

from ..parameters import COMPLETE, train_parameters

COMPRESSION = {"user_meta_features": 2, "offer_meta_features": 2, "mask": False}


def test_variance_in_a_bilinear_model_needs_compression() -> None:
    ranker = {**COMPLETE["train_augmented"]["ranker"], "variance": True, "interaction": "bilinear"}
    with pytest.raises(ValidationError, match="variance: with the interaction bilinear it needs compression"):
        RankerParameters.model_validate(ranker)
    for fitting in ({"compression": COMPRESSION}, {"variance": False}, {"interaction": "dot"}):
        RankerParameters.model_validate({**ranker, **fitting})


@pytest.mark.parametrize("key", COMPRESSION)
def test_a_compression_is_complete(key: str) -> None:
    # So a mask, which is made of compressed offers, has them.
    CompressionParameters.model_validate(COMPRESSION)
    with pytest.raises(ValidationError, match="Field required"):
        CompressionParameters.model_validate({k: value for k, value in COMPRESSION.items() if k != key})


def test_neighbours_are_the_positive_and_its_negatives() -> None:
    assert train_parameters(number_of_negatives=6).neighbours == 7


def test_matches_are_counted_in_the_windows_of_the_match_score() -> None:
    assert train_parameters("train_augmented").matching.windows == [2, None]
    assert train_parameters("train_augmented", ranker={"match_score": None}).matching.windows == []


def test_pairs_are_made_and_matched_as_a_section_says() -> None:
    found = train_parameters(
        "train_augmented",
        number_of_negatives=6,
        remove_accidental_hits="bought_that_day",
        **{"ranker.match_score.attribute_values": 8},
    )
    assert found.matching == MatchingParameters(7, "bought_that_day", [2, None], 8)
    without = train_parameters("train_augmented", ranker={"match_score": None})
    assert without.matching == MatchingParameters(5, "offer", [], None)
    assert train_parameters("train_augmented").matching.attribute_values is None


GROUPINGS = COMPLETE["train_augmented"]["groupings"]
MATCH_SCORE = COMPLETE["train_augmented"]["ranker"]["match_score"]


@pytest.mark.parametrize(
    "changes",
    [
        {"groupings": GROUPINGS},
        {"remove_accidental_hits": "offer"},
        {"remove_accidental_hits": "bought_that_day"},
        {"ranker": {"variance": True}},
        {"ranker": {"compression": COMPRESSION}},
        {"ranker": {"match_score": MATCH_SCORE}},
    ],
)
def test_a_training_that_looks_at_an_event_as_one_of_many(changes: dict[str, Any]) -> None:
    assert train_parameters().sees_events_only
    assert not train_parameters(**changes).sees_events_only

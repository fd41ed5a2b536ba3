"""The section `train_augmented`: what its keys override, and what does not fit together."""

import pytest
from pydantic import ValidationError

from offerbench.params.train_augmented import Overrides, TrainAugmented

from ..parameters import COMPLETE, model_parameters, train_parameters

SECTION = COMPLETE["train_augmented"]
NOTHING = dict.fromkeys(Overrides.model_fields)


def test_a_mask_needs_compressed_offers() -> None:
    parts = {**SECTION["parts"], "mask": True}
    with pytest.raises(ValidationError, match=r"mask: needs parts\.offer_meta_features"):
        TrainAugmented.model_validate({**SECTION, "parts": parts})
    TrainAugmented.model_validate({**SECTION, "parts": {**parts, "offer_meta_features": 2}})


def test_variance_in_a_bilinear_model_needs_compressed_offers() -> None:
    parts = {**SECTION["parts"], "variance": True, "interaction": "bilinear"}
    with pytest.raises(ValidationError, match=r"variance: with bilinear it needs parts\.offer_meta_features"):
        TrainAugmented.model_validate({**SECTION, "parts": parts})
    for fitting in ({"offer_meta_features": 2}, {"variance": False}, {"interaction": "dot"}):
        TrainAugmented.model_validate({**SECTION, "parts": {**parts, **fitting}})


def test_nothing_is_overridden_by_null() -> None:
    model, train = model_parameters(), train_parameters()
    assert Overrides.model_validate(NOTHING).applied(model, train) == (model, train)


@pytest.mark.parametrize(("name", "value"), [("embedding_dim", 9), ("dropout", 0.0), ("l1", 0.0)])
def test_keys_of_the_model_are_overridden(name: str, value: float) -> None:
    model, train = model_parameters(), train_parameters()
    assert getattr(model, name) != value
    found = Overrides.model_validate({**NOTHING, name: value}).applied(model, train)
    assert found == (model_parameters(**{name: value}), train)


def test_the_learning_rate_is_overridden() -> None:
    model, train = model_parameters(), train_parameters()
    found = Overrides.model_validate({**NOTHING, "learning_rate": 0.5}).applied(model, train)
    assert found == (model, train_parameters(learning_rate=0.5))

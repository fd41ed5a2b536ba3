"""What a model is made of: enough to build it again from its file."""

from typing import Self

from pydantic import Field, model_validator

from offerbench.params.model import Model
from offerbench.params.section import Section
from offerbench.params.train_augmented import Parts


class ModelSpecification(Section):
    """Features and shape of a two-tower model."""

    user_features: dict[str, int] = Field(min_length=1)
    """Number of labels of each user feature."""
    offer_features: dict[str, int] = Field(min_length=1)
    """Number of labels of each offer feature."""
    model: Model
    """Shape and regularisation."""
    shared_tables: dict[str, str] = Field(default_factory=dict)
    """Offer feature whose table a user feature has, for `model.shared_embeddings`; others have their own."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.model.shared_embeddings != bool(self.shared_tables):
            raise ValueError("shared_tables: are there if and only if model.shared_embeddings")
        return self


class AugmentedSpecification(ModelSpecification):
    """Features, shape and parts of an augmented model."""

    parts: Parts
    """What it has besides two towers."""

"""What a model is made of: enough to build it again from its file."""

from pydantic import Field

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


class AugmentedSpecification(ModelSpecification):
    """Features, shape and parts of an augmented model."""

    parts: Parts
    """What it has besides two towers."""

"""What a model is made of: enough to build it again from its file."""

from pydantic import Field

from offerbench.params.model import Model
from offerbench.params.section import Section


class ModelSpecification(Section):
    """Features and shape of a two-tower model."""

    user_features: dict[str, int] = Field(min_length=1)
    """Number of labels of each user feature."""
    offer_features: dict[str, int] = Field(min_length=1)
    """Number of labels of each offer feature."""
    model: Model
    """Shape and regularisation."""

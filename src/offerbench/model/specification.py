"""What a model is made of and was trained with: enough to build it again from its file."""

from collections.abc import Sequence
from typing import Self

from pydantic import Field, model_validator

from offerbench.core.section import Section
from offerbench.model.config import RankerParameters, TrainParameters
from offerbench.preparation.prepared import PreparedData


class Specification(Section):
    """Features of a ranker, and the section of `params.yaml` that it was trained with."""

    user_features: dict[str, int] = Field(min_length=1)
    """Number of labels of each user feature."""
    offer_features: dict[str, int] = Field(min_length=1)
    """Number of labels of each offer feature."""
    shared_tables: dict[str, str]
    """Offer feature whose table a user feature has, for `shared_embeddings`; others have their own."""
    training: TrainParameters
    """Shape, parts and hyper-parameters."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.ranker.shared_embeddings != bool(self.shared_tables):
            raise ValueError("shared_tables: are there if and only if ranker.shared_embeddings")
        return self

    @property
    def ranker(self) -> RankerParameters:
        """Shape and parts."""
        return self.training.ranker


def specify(data: PreparedData, offer_features: Sequence[str], training: TrainParameters) -> Specification:
    """Give the specification of a ranker that sees all user features and some offer features."""
    shared = data.shared_tables(offer_features) if training.ranker.shared_embeddings else {}
    return Specification(
        user_features=data.user_sizes,
        offer_features={feature: data.offer_sizes[feature] for feature in offer_features},
        shared_tables=shared,
        training=training,
    )

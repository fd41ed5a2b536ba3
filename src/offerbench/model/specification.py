"""What a model is made of and was trained with: enough to build it again from its file."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from offerbench.core.errors import OfferbenchError
from offerbench.core.section import Count, Section
from offerbench.model.config import RankerParameters, TrainParameters
from offerbench.preparation.prepared import PreparedData

FeatureName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,199}$")]


class Specification(Section):
    """Features of a ranker, and the section of `params.yaml` that it was trained with."""

    user_features: dict[FeatureName, Count] = Field(min_length=1)
    """Number of labels of each user feature."""
    offer_features: dict[FeatureName, Count] = Field(min_length=1)
    """Number of labels of each offer feature."""
    shared_tables: dict[str, str]
    """Offer feature whose table a user feature has, for `shared_embeddings`; others have their own."""
    training: TrainParameters
    """Shape, parts and hyper-parameters."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.ranker.shared_embeddings != bool(self.shared_tables):
            raise ValueError("shared_tables: are there if and only if ranker.shared_embeddings")
        for name, offer_feature in self.shared_tables.items():
            if name not in self.user_features or offer_feature not in self.offer_features:
                raise ValueError(f"shared_tables: {name}: {offer_feature} names no features of the model")
        return self

    def check_fits(self, data: PreparedData) -> None:
        """Check that the labels of all its features are those of a data set.

        Raises
        ------
        OfferbenchError
            If the data set lacks a feature of the model or has another number of its labels.
        """
        sizes = {**data.user_sizes, **data.offer_sizes}
        for feature, labels in (self.user_features | self.offer_features).items():
            if sizes.get(feature) != labels:
                raise OfferbenchError(
                    f"a model was trained with {labels} labels of {feature}, and data/prepared has "
                    f"{sizes.get(feature, 'none')}. Run `dvc repro` to train it anew."
                )

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

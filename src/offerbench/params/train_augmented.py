"""Parameters of the stage `train_augmented`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from offerbench.params.model import Model
from offerbench.params.section import Section
from offerbench.params.train import Train


class Grouping(Section):
    """Random groupings that each training batch is seen through."""

    number: int = Field(ge=0)
    """Groupings of a batch; the loss is their mean. 0: none, every event's offer has all its values."""
    mean_features: float = Field(gt=0)
    """Offer features of a key, on average (before empty keys are drawn again)."""
    coarser_and_finer_share: float = Field(ge=0, le=1)
    """Chance that large groups are split at random and the groups then merged, two or more to one."""


class Matching(Section):
    """How often the user's past matches the offer, as an input to the score."""

    windows: list[Annotated[int, Field(ge=1)] | None] = Field(min_length=1)
    """Matches are counted in the newest so many target events before the day, once for each entry;
    null: in the user's whole past."""
    hidden_units: int = Field(ge=1)
    """Functions of the counts that are learned; an offer weighs them by its vector."""


class Parts(Section):
    """What the augmented model has besides the two towers."""

    variance: bool
    """The variance of an offer's embeddings is an input, beside their mean."""
    user_meta_features: int | None = Field(ge=1)
    """User features are compressed to so many; null: not compressed."""
    offer_meta_features: int | None = Field(ge=1)
    """Offer features are compressed to so many, by a kernel made of the offer; null: not compressed."""
    mask: bool
    """The compressed offer features are multiplied by a mask made of the offer."""
    interaction: Literal["dot", "bilinear"]
    """Two towers and a dot product, or products of all pairs of features and a network on top."""
    network_units: list[Annotated[int, Field(ge=1)]]
    """Units of that network's layers before its output."""
    matching: Matching | None
    """Null: the score does not see matches."""


class Overrides(Section):
    """Keys of `model` and `train` that the augmented model has otherwise; null: as there."""

    embedding_dim: int | None = Field(ge=1)
    """As in `model`."""
    shared_embeddings: bool | None
    """As in `model`."""
    dropout: float | None = Field(ge=0, lt=1)
    """As in `model`."""
    l1: float | None = Field(ge=0)
    """As in `model`."""
    learning_rate: float | None = Field(gt=0)
    """As in `train`."""

    def applied(self, model: Model, train: Train) -> tuple[Model, Train]:
        """Put the keys that are not null in place of those of `model` and `train`."""
        own = {name: value for name, value in self.model_dump().items() if value is not None}
        of_train = {"learning_rate"} & own.keys()
        return (
            model.model_copy(update={name: own[name] for name in own.keys() - of_train}),
            train.model_copy(update={name: own[name] for name in of_train}),
        )


class TrainAugmented(Section):
    """Training on groups of events, and the parts of the model; the rest is as in `model` and `train`."""

    grouping: Grouping
    history_dropout: float = Field(ge=0, lt=1)
    """Share of the values of each history that a training step does not see: users are not learned by
    heart. Matches are counted in the whole past all the same."""
    parts: Parts
    overrides: Overrides

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        parts = self.parts
        if parts.mask and parts.offer_meta_features is None:
            raise ValueError("parts.mask: needs parts.offer_meta_features")
        if parts.variance and parts.interaction == "bilinear" and parts.offer_meta_features is None:
            raise ValueError("parts.variance: with bilinear it needs parts.offer_meta_features")
        return self

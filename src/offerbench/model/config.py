"""Parameters of a ranker and of its training: one complete section for each row of the results."""

from typing import Literal, Self

from pydantic import Field, model_validator

from offerbench.core.section import Count, Scale, Section, Size, Threads
from offerbench.features.config import GroupingParameters, MatchingParameters

Units = list[Size]


class CompressionParameters(Section):
    """Features of both sides, compressed to a few meta features."""

    user_meta_features: Size
    """User features are compressed to so many, by the same mixture for every user."""
    offer_meta_features: Size
    """Offer features are compressed to so many, by a mixture that depends on the offer."""
    mask: bool
    """The compressed offer features are multiplied by a mask made of the offer."""


class MatchParameters(Section):
    """How often the user's past matches the offer, as an input to the score."""

    windows: list[Count | None] = Field(min_length=1, max_length=100)
    """Matches are counted in the newest so many target events before the day, once for each entry;
    null: in the user's whole past."""
    attribute_values: Count | None
    """Most frequent values of each offer feature that describe an offer: events of the whole past are
    counted that share its attributes, feature by feature; null: only events of the offer itself."""
    hidden_units: Size
    """Functions of the counts that are learned; an offer weighs them by its vector."""
    prior_events: Scale
    """Events that every user is taken to have bought besides, as all users together do: the beta prior
    of the log odds of a match."""


class RankerParameters(Section):
    """Shape, parts and regularisation of a ranker."""

    embedding_dim: Size
    """Length of the vector of a value."""
    shared_embeddings: bool
    """An offer feature and the user features of its attribute have one table; otherwise each has its own."""
    interaction: Literal["dot", "bilinear"]
    """Two towers and a dot product, or products of all pairs of features and a network on top."""
    units: Units = Field(min_length=1, max_length=100)
    """Units of the dense layers, first to last: of each tower, or of the network before its output."""
    dropout: float = Field(ge=0, le=0.999)
    """Share of a dense layer's outputs set to zero in training."""
    l1: float = Field(ge=0, le=1e6)
    """Weight of the sum of absolute values of embeddings, kernels and biases in the loss."""
    batch_normalization_momentum: float = Field(ge=0, le=0.99999)
    """Share of the old moving mean and variance kept at each step."""
    variance: bool
    """The variance of an offer's embeddings is an input, beside their mean."""
    compression: CompressionParameters | None
    """Null: the interaction sees the features as they are."""
    match_score: MatchParameters | None
    """Null: the score does not see matches."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.variance and self.interaction == "bilinear" and self.compression is None:
            raise ValueError("variance: with the interaction bilinear it needs compression")
        return self


class OptimizerParameters(Section):
    """AdamW."""

    name: Literal["adamw_tfa", "adamw_keras"]
    """AdamW of tensorflow-addons, or Keras's with the decay converted: the same update."""
    learning_rate: float = Field(ge=1e-12, le=1_000)
    """Step size of Adam."""
    weight_decay: float = Field(ge=0, le=1)
    """Share of a variable subtracted at each step, not multiplied by the learning rate."""


class TrainParameters(Section):
    """A ranker and how it is trained."""

    ranker: RankerParameters
    """Shape and parts."""
    number_of_negatives: Count
    """Negatives a positive: the others of a negatives group of number_of_negatives + 1 neighbours."""
    remove_accidental_hits: Literal["none", "offer", "bought_that_day"]
    """Negatives that are positives in truth and are left out of the loss: none; those whose offer has the
    key of the user's own event; or also those whose user bought the offer on that day, and the user's
    own other events."""
    groupings: GroupingParameters | None
    """Random groupings that each batch is seen through; null: an event's offer is its own product."""
    history_dropout: float = Field(ge=0, le=0.999)
    """Share of the values of each history that a training step does not see: users are not learned by
    heart. Matches are counted in the whole past all the same."""
    optimizer: OptimizerParameters
    """What moves the variables."""
    epochs: Count
    """At most so many epochs; after each, the model is measured on the validation users and a checkpoint is
    written."""
    min_steps_per_epoch: Count = 40
    """An epoch is as many whole passes over the train batches as make so many steps: one where there are that
    many batches, several on a small log. Length and patience then have a floor in steps."""
    early_stopping_patience: Count | None
    """Stop when validation AUC has not risen for so many epochs and restore the best epoch; null: train
    all epochs and keep the last."""
    seed: int = Field(ge=0, lt=2**31)
    """Seed of first weights, dropout and groupings."""
    threads: Threads
    """Threads of TensorFlow's operations."""

    @property
    def neighbours(self) -> int:
        """Events of a negatives group."""
        return self.number_of_negatives + 1

    @property
    def matching(self) -> MatchingParameters:
        """How the pairs of a batch are made and matched with the users' pasts."""
        matches = self.ranker.match_score
        return MatchingParameters(
            neighbours=self.neighbours,
            remove_accidental_hits=self.remove_accidental_hits,
            windows=matches.windows if matches else [],
            attribute_values=matches.attribute_values if matches else None,
        )

    @property
    def sees_events_only(self) -> bool:
        """Whether an event's offer is its product and all pairs count: no event is looked at as one of many.

        Then nothing is grouped and nothing counted, and the offer tower works on distinct values.
        """
        ranker = self.ranker
        return (
            self.groupings is None
            and self.remove_accidental_hits == "none"
            and not ranker.variance
            and ranker.compression is None
            and ranker.match_score is None
        )

"""Parameters of training, for the full model and the mono models alike."""

from typing import Literal

from pydantic import Field

from offerbench.params.section import Section


class Train(Section):
    """How a model is trained."""

    epochs: int = Field(ge=1)
    """At most so many passes over the train batches."""
    early_stopping_patience: int | None = Field(ge=1)
    """Stop when validation AUC has not risen for so many epochs and restore the best epoch; null: train
    all epochs and keep the last."""
    number_of_negatives: int = Field(ge=1)
    """Negatives a positive: neighbours in a batch's minibatch of number_of_negatives + 1 events."""
    optimizer: Literal["adamw_tfa", "adamw_keras"]
    """AdamW of tensorflow-addons, or Keras's with the decay converted: the same update."""
    learning_rate: float = Field(gt=0)
    """Step size of Adam."""
    weight_decay: float = Field(ge=0)
    """Share of a variable subtracted at each step, not multiplied by the learning rate."""
    seed: int = Field(ge=0)
    """Seed of first weights and dropout."""
    threads: int = Field(ge=1)
    """Threads of TensorFlow's operations."""

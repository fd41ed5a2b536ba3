"""Parameters of the two-tower model."""

from pydantic import Field

from offerbench.params.section import Section


class Model(Section):
    """Shape and regularisation of the towers."""

    embedding_dim: int = Field(ge=1)
    """Length of the vector of a value; every feature has a table of its own."""
    shared_embeddings: bool
    """An offer feature and all user features of the same attribute have one table together."""
    tower_units: list[int] = Field(min_length=1)
    """Units of each tower's dense layers, first to last."""
    dropout: float = Field(ge=0, lt=1)
    """Share of a dense layer's outputs set to zero in training."""
    l1: float = Field(ge=0)
    """Weight of the sum of absolute values of embeddings, kernels and biases in the loss."""
    batch_normalization_momentum: float = Field(ge=0, lt=1)
    """Share of the old moving mean and variance kept at each step."""

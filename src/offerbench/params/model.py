"""Parameters of the two-tower model."""

from pydantic import Field

from offerbench.params.section import Section


class Model(Section):
    """Shape and regularisation of the towers."""

    embedding_dim: int = Field(ge=1)
    """Length of the vector of a value."""
    shared_embeddings: bool
    """An offer feature and the user features of its attribute have one table; otherwise each has its own."""
    tower_units: list[int] = Field(min_length=1)
    """Units of each tower's dense layers, first to last."""
    dropout: float = Field(ge=0, lt=1)
    """Share of a dense layer's outputs set to zero in training."""
    l1: float = Field(ge=0)
    """Weight of the sum of absolute values of embeddings, kernels and biases in the loss."""
    batch_normalization_momentum: float = Field(ge=0, lt=1)
    """Share of the old moving mean and variance kept at each step."""

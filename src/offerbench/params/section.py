"""What every section of `params.yaml` has in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section: unknown keys refused, no silent conversion, not to be changed once read."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

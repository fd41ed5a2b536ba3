"""What every section of `params.yaml` has in common."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

# Names of columns and event types go into SQL and file names: nothing but plain words.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]

# Counts are 32-bit numbers in the prepared tables.
Count = Annotated[int, Field(ge=1, lt=2**31)]


class Section(BaseModel):
    """A section: unknown keys refused, no silent conversion, not to be changed once read."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def leaves(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of nested sections by its dotted key; an empty section is a value."""
    for key, value in section.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value

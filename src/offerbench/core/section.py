"""What every section of `params.yaml` has in common."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

# Names of columns and event types go into SQL and file names: nothing but plain words.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]

# Counts are 32-bit numbers in the prepared tables.
Count = Annotated[int, Field(ge=1, lt=2**31)]
# Of NumPy's generators, which take any number; DVC and others that read the file take 64 bits.
Seed = Annotated[int, Field(ge=0, lt=2**63)]
# Of a layer, a vector, a list: more than any machine could hold several of.
Size = Annotated[int, Field(ge=1, le=100_000)]
Threads = Annotated[int, Field(ge=1, le=1_024)]
# Of priors, half-lives and other scales: between them, neither float32 nor a power runs over.
Scale = Annotated[float, Field(ge=1e-6, le=1e9)]


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

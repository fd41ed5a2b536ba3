"""What every section of `params.yaml` has in common."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema

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


def _count_or_share(least: int) -> Any:
    """Annotate a key that takes a whole number of at least so much, or a share of what there is."""

    def validate(value: object) -> int | float:
        is_count = isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**31
        if is_count or (isinstance(value, float) and 0 < value < 1):
            return value  # type: ignore[return-value]
        raise ValueError(f"should be an integer, {least} or more, or a share above 0 and below 1")

    schema: dict[str, Any] = {
        "anyOf": [
            {"type": "integer", "minimum": least, "exclusiveMaximum": 2**31},
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        ]
    }
    return PlainValidator(validate), WithJsonSchema(schema)


# How much of what there is, as a number or as a share of it; see `count_of`.
CountOrShare = Annotated[int | float, *_count_or_share(1)]
AmountOrShare = Annotated[int | float, *_count_or_share(0)]


def count_of(amount: int | float, whole: int) -> int:
    """Give a number as it is, a share as a number of `whole`, rounded down.

    Parameters
    ----------
    amount : int or float
        A `CountOrShare`: 400, or 0.15. A share is taken as it is written, so 0.29 of 100 are 29.
    whole : int
        How many there are.
    """
    return amount if isinstance(amount, int) else int(Decimal(repr(amount)) * whole)


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

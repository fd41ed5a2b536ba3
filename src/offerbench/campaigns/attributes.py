"""Attributes of offers and their values: what an expression can name."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from offerbench.core.columns import FEATURE, LABEL, VALUE
from offerbench.core.errors import OfferbenchError
from offerbench.core.json_files import read_json
from offerbench.core.tables import read_parquet

MISSING = ""
"""The value of an event that has none."""
NEAR = 3  # names that a message suggests


@dataclass(frozen=True)
class Attribute:
    """An offer feature and the values that have a label of their own."""

    name: str
    size: int
    """Number of labels, those of the buckets of rare values included."""
    labels: Mapping[str, int]
    """Label of each value that can be named."""

    @cached_property
    def numbers(self) -> npt.NDArray[np.float64] | None:
        """Number of each label, NaN for buckets and the missing value; None if a value is no number."""
        numbers = np.full(self.size, np.nan)
        named = [(value, label) for value, label in self.labels.items() if value != MISSING]
        try:
            values = np.array([float(value) for value, _ in named])
        except ValueError:
            return None
        if not np.isfinite(values).all():
            return None
        numbers[[label for _, label in named]] = values
        return numbers

    def label(self, value: str) -> int:
        """Give the label of a value.

        Raises
        ------
        OfferbenchError
            If there is no such value, or it is too rare to have a label; names the near ones.
        """
        if value not in self.labels:
            raise OfferbenchError(self._unknown(value))
        return self.labels[value]

    def labels_of_number(self, number: str) -> list[int]:
        """Labels of the values that are a number as it is written, or else are equal to it.

        Raises
        ------
        OfferbenchError
            If there are none.
        """
        if number in self.labels or self.numbers is None:
            return [self.label(number)]
        equal = np.flatnonzero(self.numbers == float(number)).tolist()
        if not equal:
            raise OfferbenchError(self._unknown(number))
        return [int(label) for label in equal]

    def _unknown(self, value: str) -> str:
        if value == MISSING:
            return f"{self.name}: no event lacks this attribute, or too few do to be named. Leave it out."
        return (
            f"{self.name}: no value {value!r}{near_names(value, self.labels)}. A value that is too rare for "
            "the vocabulary (prepare.vocabulary.min_occurrences) shares a label and can't be named."
        )


@dataclass(frozen=True)
class Attributes:
    """The offer features of a prepared data set."""

    by_name: Mapping[str, Attribute]
    """In the order of the parameters; the first names the single product."""

    @property
    def product(self) -> Attribute:
        """The attribute that names single products: the first offer feature."""
        return next(iter(self.by_name.values()))

    def attribute(self, name: str) -> Attribute:
        """Give the attribute of a name.

        Raises
        ------
        OfferbenchError
            If there is none; names the near ones and all.
        """
        if name not in self.by_name:
            raise OfferbenchError(
                f"no attribute {name!r}{near_names(name, self.by_name)}. "
                f"The attributes of offers are {', '.join(self.by_name)}."
            )
        return self.by_name[name]


def near_names(wanted: str, names: Iterable[str]) -> str:
    """Say which names are near: `; near: 'a', 'b'`, or nothing if none is."""
    by_lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(wanted.lower(), by_lower, n=NEAR)
    return f"; near: {', '.join(repr(by_lower[name]) for name in near)}" if near else ""


def load_attributes(directory: Path) -> Attributes:
    """Read the attributes and values of a prepared data set.

    Parameters
    ----------
    directory : Path
        Of the stage `prepare`: its vocabulary.parquet and features.json are read.

    Raises
    ------
    OfferbenchError
        If a file is missing or damaged.
    """
    features: dict[str, Any] = read_json(directory / "features.json")
    vocabulary = read_parquet(directory / "vocabulary.parquet")
    attributes = {}
    for name, size in features["offer_features"].items():
        rows = vocabulary[FEATURE] == name
        values, labels = vocabulary[VALUE][rows].tolist(), vocabulary[LABEL][rows].tolist()
        attributes[name] = Attribute(name, size, dict(zip(values, labels, strict=True)))
    return Attributes(attributes)

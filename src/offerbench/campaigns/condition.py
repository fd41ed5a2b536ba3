"""Conditions on the attributes of an event: a small typed tree that gives masks over columns of labels.

A label below the first one of the vocabulary is a bucket of rare values. That a rare value is not the
one that an expression names is known; how large its number is, is not. So a condition can hold, fail or
be unknown, as in SQL, and `NOT` of what is unknown is unknown: no offer contains an event that it is not
known to contain.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """For each event, whether a condition holds or fails; neither: unknown. Shape (events,) each."""

    holds: Mask
    fails: Mask


@dataclass(frozen=True, eq=False)
class OnAttribute:
    """A condition on one attribute: for each of its labels, whether it holds or fails."""

    attribute: str
    holds: Mask
    """Shape (labels,)."""
    fails: Mask
    """Shape (labels,). Where both are false it is unknown."""

    def truth(self, columns: Mapping[str, Labels], events: int) -> Truth:
        """Look up the labels of each event; unknown everywhere if the attribute's column isn't given."""
        if self.attribute not in columns:
            return Truth(np.zeros(events, bool), np.zeros(events, bool))
        labels = columns[self.attribute]
        return Truth(self.holds[labels], self.fails[labels])


@dataclass(frozen=True)
class Not:
    """The opposite of a condition."""

    part: "Condition"

    def truth(self, columns: Mapping[str, Labels], events: int) -> Truth:
        """Swap what holds and what fails."""
        truth = self.part.truth(columns, events)
        return Truth(truth.fails, truth.holds)


@dataclass(frozen=True)
class All:
    """Conditions that hold together."""

    parts: tuple["Condition", ...]

    def truth(self, columns: Mapping[str, Labels], events: int) -> Truth:
        """Say that it holds where every part holds, fails where one fails."""
        truths = (part.truth(columns, events) for part in self.parts)
        return reduce(lambda one, other: Truth(one.holds & other.holds, one.fails | other.fails), truths)


@dataclass(frozen=True)
class AnyOf:
    """Conditions of which one is enough."""

    parts: tuple["Condition", ...]

    def truth(self, columns: Mapping[str, Labels], events: int) -> Truth:
        """Say that it holds where one part holds, fails where every part fails."""
        truths = (part.truth(columns, events) for part in self.parts)
        return reduce(lambda one, other: Truth(one.holds | other.holds, one.fails & other.fails), truths)


Condition = OnAttribute | Not | All | AnyOf


def attributes_of(condition: Condition) -> set[str]:
    """Name the attributes that a condition looks at."""
    match condition:
        case OnAttribute(attribute=name):
            return {name}
        case Not(part=part):
            return attributes_of(part)
        case All(parts=parts) | AnyOf(parts=parts):
            return set().union(*map(attributes_of, parts))

"""An offer: what a campaign is for, named by an expression or by a list of products."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from offerbench.campaigns.attributes import Attribute, Attributes, near_names
from offerbench.campaigns.column_files import first_line, read_columns
from offerbench.campaigns.condition import Condition, Labels, Mask, attributes_of
from offerbench.campaigns.expression import parse_expression
from offerbench.core.errors import OfferbenchError

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Offer:
    """A set of events that are of the offer, by their attributes."""

    expression: str
    """Names it in files and messages; `offer_of_expression` makes the same offer of it again."""
    condition: Condition

    @property
    def attributes(self) -> set[str]:
        """The offer features that decide."""
        return attributes_of(self.condition)

    def matches(self, columns: Mapping[str, Labels]) -> Mask:
        """Say which events are of the offer.

        Parameters
        ----------
        columns : mapping of int32, shape (events,)
            Labels of the offer features, at least of `attributes`.

        Returns
        -------
        bool, shape (events,)
        """
        columns = {name: columns[name] for name in self.attributes}
        return self.condition.truth(columns, len(next(iter(columns.values())))).holds

    def possible_labels(self, attribute: Attribute) -> Mask:
        """Say which labels of one attribute an event of the offer can have, whatever its other attributes.

        It describes an offer that nobody has bought yet.

        Returns
        -------
        bool, shape (labels,)
        """
        labels = np.arange(attribute.size, dtype=np.int32)
        mentioned = attribute.name in self.attributes
        truth = self.condition.truth({attribute.name: labels} if mentioned else {}, attribute.size)
        return ~truth.fails


def offer_of_expression(text: str, attributes: Attributes) -> Offer:
    """Give the offer of an expression.

    Raises
    ------
    OfferbenchError
        If the expression is not allowed, or names an unknown attribute or value.
    """
    return Offer(text, parse_expression(text, attributes))


def offer_of_products(file: Path, attributes: Attributes) -> Offer:
    """Give the offer of all products that a file lists.

    Parameters
    ----------
    file : Path
        CSV or Parquet: one product a line, or a column with the name of an offer feature, which may be
        another than that of the single products.
    attributes : Attributes
        The attributes and values that there are.

    Raises
    ------
    OfferbenchError
        If the file is missing, empty or no such list, or if none of its products is in the vocabulary.
    """
    header = first_line(file)
    attribute = next((attributes.by_name[name] for name in header if name in attributes.by_name), None)
    attribute = attribute or attributes.product
    values = list(
        dict.fromkeys(read_columns(file, {attribute.name: str}, header_needed=False)[attribute.name])
    )
    if not values:
        raise OfferbenchError(f"{file}: lists no product. Write one a line.")
    known = [value for value in values if value in attribute.labels]
    unknown = [value for value in values if value not in attribute.labels]
    if not known:
        near = near_names(unknown[0], attribute.labels)
        raise OfferbenchError(
            f"{file}: none of its {len(values)} lines is a value of {attribute.name} that can be named, "
            f"such as {unknown[0]!r}{near}. Rare values share a label with others and can't be named."
        )
    if unknown:
        LOG.warning(
            "%s: %d of %d values of %s are unknown or too rare to be named and left out, such as '%s'",
            *(file, len(unknown), len(values), attribute.name, unknown[0]),
        )
    listed = ", ".join(quoted(value) for value in known)
    return offer_of_expression(f'"{attribute.name}" IN ({listed})', attributes)


def quoted(value: str) -> str:
    """Write a value as an expression has it."""
    return "'" + value.replace("'", "''") + "'"

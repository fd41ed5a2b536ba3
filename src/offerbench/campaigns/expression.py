"""An offer's expression, the `where` of SQL over the attributes of offers -> a condition.

sqlglot parses it; of what it parses only this is let through, and nothing is ever run as SQL:

    condition   NOT condition | condition AND condition | condition OR condition | (condition)
                attribute = value | attribute <> value (also !=) | attribute [NOT] IN (value, ...)
                attribute < number (also <=, >, >=) | attribute [NOT] BETWEEN number AND number
                attribute IS [NOT] NULL
    value       'text' or "text" (a quote within is written twice), or a number

The missing value is the empty string: `brand = ''` and `brand IS NULL` say the same. `<` and `BETWEEN` are
for attributes whose values are all numbers. A number without quotes means the values equal to it:
`price_cluster = 2` finds '2.00'.
"""

import logging
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import sqlglot.errors
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from offerbench.campaigns.attributes import MISSING, Attribute, Attributes
from offerbench.campaigns.condition import All, AnyOf, Condition, Not, OnAttribute
from offerbench.core.errors import OfferbenchError

Comparison = Callable[[Any, float], Any]
COMPARISONS: dict[type[exp.Expression], Comparison] = {
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}
ALLOWED = (
    "An expression is made of AND, OR, NOT, parentheses, =, <>, IN, IS NULL, and for numbers <, <=, >, >= "
    "and BETWEEN"
)
LONGEST_QUOTE = 60  # characters of an expression in a message

logging.getLogger("sqlglot").addHandler(logging.NullHandler())  # a refusal is one line: its warnings are none


def parse_expression(text: str, attributes: Attributes) -> Condition:
    """Parse an expression into a condition on labels.

    Parameters
    ----------
    text : str
        See the module.
    attributes : Attributes
        The attributes and values that it can name.

    Raises
    ------
    OfferbenchError
        If it isn't one expression of the allowed kind, or names an unknown attribute or value.
    """
    try:
        trees = Dialect.get_or_raise(None).parse_into(exp.Condition, text)
        if trees == [None] or not trees:
            raise OfferbenchError(f"the offer's expression is empty. {ALLOWED}.")
        if len(trees) > 1:
            raise _unparsed(text)
        return _condition(trees[0], attributes)
    except sqlglot.errors.SqlglotError:
        raise _unparsed(text) from None
    except RecursionError:
        raise OfferbenchError(
            f"{_short(text)}: nested too deeply. Write it with fewer parentheses."
        ) from None


def _condition(node: Any, attributes: Attributes) -> Condition:
    """Translate a node of sqlglot's tree."""
    match node:
        case exp.Paren():
            return _condition(_only(node, "this")["this"], attributes)
        case exp.And() | exp.Or():
            parts = tuple(_condition(part, attributes) for part in node.flatten())
            return All(parts) if isinstance(node, exp.And) else AnyOf(parts)
        case exp.Not():
            return Not(_condition(_only(node, "this")["this"], attributes))
        case exp.EQ() | exp.NEQ():
            sides = _only(node, "this", "expression")
            equal = _one_of(_attribute(sides["this"], attributes), [sides["expression"]])
            return equal if isinstance(node, exp.EQ) else Not(equal)
        case exp.In():
            listed = _only(node, "this", "expressions")
            if not listed.get("expressions"):
                raise OfferbenchError(f"{_short(node.sql())}: the list of IN is empty. Name a value.")
            return _one_of(_attribute(listed["this"], attributes), listed["expressions"])
        case exp.Is():
            sides = _only(node, "this", "expression")
            if not isinstance(sides["expression"], exp.Null):
                raise _refused(node)
            attribute = _attribute(sides["this"], attributes)
            return _has_label(attribute, [attribute.label(MISSING)])
        case exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
            sides = _only(node, "this", "expression")
            attribute = _attribute(sides["this"], attributes)
            return _compared(attribute, COMPARISONS[type(node)], _number(sides["expression"], attribute))
        case exp.Between():
            sides = _only(node, "this", "low", "high")
            attribute = _attribute(sides["this"], attributes)
            low, high = (_number(sides[end], attribute) for end in ("low", "high"))
            return All((_compared(attribute, operator.ge, low), _compared(attribute, operator.le, high)))
    raise _refused(node)


def _only(node: exp.Expression, *allowed: str) -> dict[str, Any]:
    """Give a node's parts; refuse it if it has others than the allowed ones."""
    parts = {name: part for name, part in node.args.items() if part not in (None, [], False)}
    if set(parts) - set(allowed):
        raise _refused(node)
    return parts


def _attribute(node: Any, attributes: Attributes) -> Attribute:
    """Give the attribute that the left side of a condition names."""
    match node:
        case exp.Column(this=exp.Identifier(this=str(name), quoted=quoted)) if _is_bare(node):
            return attributes.attribute(name if quoted else name.lower())
    raise OfferbenchError(f"{_short(node.sql())}: an attribute must stand there. {ALLOWED}.")


def _is_bare(node: exp.Expression) -> bool:
    """Whether a column has no table before its name."""
    return [name for name, part in node.args.items() if part] == ["this"]


def _one_of(attribute: Attribute, values: list[Any]) -> Condition:
    """Condition that an attribute has one of some values."""
    labels: list[int] = []
    for value in values:
        match value:
            case exp.Literal(is_string=True):
                labels.append(attribute.label(value.name))
            case exp.Column(this=exp.Identifier(quoted=True)) if _is_bare(value):
                labels.append(attribute.label(value.name))
            case exp.Column(this=exp.Identifier(quoted=False)) if _is_bare(value):
                raise OfferbenchError(f"{value.name}: put quotes around a value: '{value.name}'.")
            case _:
                labels.extend(attribute.labels_of_number(_written_number(value)))
    return _has_label(attribute, labels)


def _has_label(attribute: Attribute, labels: list[int]) -> Condition:
    holds = np.zeros(attribute.size, bool)
    holds[labels] = True
    return OnAttribute(attribute.name, holds, ~holds)


def _compared(attribute: Attribute, comparison: Comparison, number: float) -> Condition:
    """Condition on the number of an attribute; unknown for buckets of rare values and the missing value."""
    if attribute.numbers is None:
        raise OfferbenchError(
            f"{attribute.name}: its values are text and can't be compared by size. Use =, <> or IN."
        )
    is_known = np.isfinite(attribute.numbers)
    holds = np.asarray(comparison(attribute.numbers, number)) & is_known
    return OnAttribute(attribute.name, holds, is_known & ~holds)


def _number(node: Any, attribute: Attribute) -> float:
    """Give the number that a comparison is with."""
    if isinstance(node, exp.Literal | exp.Column) and not node.is_number:
        raise OfferbenchError(
            f"{attribute.name}: compare it with a number, without quotes, got {_short(node.sql())}."
        )
    return float(_written_number(node))


def _written_number(node: Any) -> str:
    """Give a number as it is written, its sign too."""
    match node:
        case exp.Neg(this=exp.Literal(is_string=False) as literal):
            written = f"-{literal.name}"
        case exp.Literal(is_string=False):
            written = node.name
        case _:
            raise _refused(node)
    try:
        is_finite = math.isfinite(float(written))
    except ValueError:
        is_finite = False
    if not is_finite:
        raise OfferbenchError(f"{_short(written)}: not a number that can be compared with.")
    return written


def _unparsed(text: str) -> OfferbenchError:
    return OfferbenchError(f"{_short(text)}: not an expression. {ALLOWED}; put quotes around text.")


def _refused(node: exp.Expression) -> OfferbenchError:
    return OfferbenchError(f"{_short(node.sql())}: not allowed in an offer's expression. {ALLOWED}.")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_QUOTE else f"{line[: LONGEST_QUOTE - 3]}..."

"""Columns of audience files and of files of later purchases: each is written here and nowhere else.

`user` and `day` are those of the other tables.
"""

from enum import StrEnum

RANK = "rank"
CHANCE = "chance"
EXPECTED_PURCHASES = "expected_purchases"
PAST_PURCHASES = "past_purchases"
LAST_PURCHASE = "last_purchase"
GROUP = "group"


class Group(StrEnum):
    """The part of an audience that a user belongs to."""

    TARGET = "target"
    """Is asked."""
    CONTROL = "control"
    """Is held back, so that the effect can be measured."""

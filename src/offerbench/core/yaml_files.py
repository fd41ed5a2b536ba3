"""YAML from files that others may have written: read with the library that DVC reads it with."""

from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from offerbench.core.errors import OfferbenchError

MAX_CHARACTERS = 5_000_000
MAX_VALUES = 100_000
"""With each value counted as often as it is used: ten lines of aliases can stand for billions."""


def parse_yaml(text: str, source: str, remedy: str = "") -> Any:
    """Give the content of a YAML text: numbers, texts, lists, mappings; no other objects.

    Parameters
    ----------
    text : str
        The text.
    source : str
        What messages call it.
    remedy : str
        What to do if it can't be read.

    Raises
    ------
    OfferbenchError
        If it is not YAML, is nested too deeply, contains itself, or is too large.
    """
    try:
        if len(text) > MAX_CHARACTERS:
            raise ValueError(f"{len(text):,} characters, at most {MAX_CHARACTERS:,} are read")
        content = YAML(typ="safe", pure=True).load(text)
        if (values := _count(content, {}, set())) > MAX_VALUES:
            raise ValueError(f"{values:,} values with its aliases, at most {MAX_VALUES:,} are read")
        return content
    except RecursionError:
        reason = "nested too deeply"
    except (
        YAMLError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
    ) as error:  # a date of month 13, ...
        reason = " ".join(str(error).split())
    raise OfferbenchError(f"{source}: not valid YAML. {reason} {remedy}".rstrip())


def _count(value: Any, known: dict[int, int], within: set[int]) -> int:
    """Count the values in a value; aliases of one list or mapping are one object."""
    if not isinstance(value, Mapping | list):
        return 1
    key = id(value)
    if key in within:
        raise ValueError("a value contains itself")
    if key not in known:
        within.add(key)
        inner = value.values() if isinstance(value, Mapping) else value
        known[key] = 1 + sum(_count(each, known, within) for each in inner)
        within.remove(key)
    return known[key]

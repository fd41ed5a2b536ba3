"""YAML that many tests write and read alike: dumped and parsed once, which takes longer than most of them."""

import copy
import io
from functools import cache
from typing import Any

from ruamel.yaml import YAML

from offerbench.core.yaml_files import parse_yaml

_DUMPED: dict[str, str] = {}


def dumped(content: Any) -> str:
    """The text of some plain content."""
    key = repr(content)
    if key not in _DUMPED:
        stream = io.StringIO()
        YAML().dump(content, stream)
        _DUMPED[key] = stream.getvalue()
    return _DUMPED[key]


def parsed(text: str, source: str, remedy: str = "") -> Any:
    """In the place of `parse_yaml`, where the reading of YAML is not what is tested."""
    return copy.deepcopy(_parsed(text, source, remedy))


@cache
def _parsed(text: str, source: str, remedy: str) -> Any:
    return parse_yaml(text, source, remedy)

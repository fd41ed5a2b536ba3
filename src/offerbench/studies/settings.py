"""Settings: some keys of a set-up changed. The text of params.yaml stays, comments too, but for them."""

import copy
import io
import json
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import PARAMETERS_FILE
from offerbench.core.yaml_files import parse_yaml

ABSENT = "(no such key)"


class _WordForNull(RoundTripRepresenter):
    """Writes `null` where ruamel writes nothing."""

    def represent_null(self, _: None) -> ScalarNode:
        """Give the node of null."""
        node: ScalarNode = self.represent_scalar("tag:yaml.org,2002:null", "null")
        return node


_WordForNull.add_representer(type(None), _WordForNull.represent_null)


def read_parameters(text: str) -> dict[str, Any]:
    """Read the text of a params.yaml, with the library that DVC and the stages read it with.

    Raises
    ------
    OfferbenchError
        If it is not YAML, or no mapping.
    """
    content = parse_yaml(text, str(PARAMETERS_FILE))
    if not isinstance(content, dict):
        raise OfferbenchError(f"{PARAMETERS_FILE}: not a mapping of keys to values.")
    return content


def with_settings(text: str, settings: Mapping[str, Any]) -> str:
    """Set some keys in the text of a params.yaml.

    Parameters
    ----------
    text : str
        The set-up to change.
    settings : mapping of str to object
        Values by dotted key; each replaces the whole of what its key had.

    Raises
    ------
    OfferbenchError
        If what a key is to be set in is no section.
    """
    if not settings:
        return text
    yaml = YAML()
    yaml.Representer = _WordForNull
    yaml.preserve_quotes = True
    yaml.width = 1000  # a line of the set-up stays a line
    content = yaml.load(text)
    for key, value in settings.items():
        *sections, last = key.split(".")
        section = content
        for depth, name in enumerate(sections, start=1):
            section = section.get(name)
            if not isinstance(section, Mapping):
                raise OfferbenchError(f"{key}: {'.'.join(sections[:depth])} is no section to set a key in.")
        section[last] = copy.deepcopy(value)  # a later key may be set in it
    written = io.StringIO()
    yaml.dump(content, written)
    return written.getvalue()


def value_at(parameters: Mapping[str, Any], key: str) -> Any:
    """Give the value of a dotted key; None where a section on the way is null or the key is missing."""
    value: Any = parameters
    for name in key.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = ""
) -> dict[str, tuple[str, str]]:
    """List what differs between two set-ups, key by key; 1, 1.0 and true are different values.

    Parameters
    ----------
    before, after : mapping of str to object
        Contents of params.yaml.
    prefix : str
        What the keys of these sections begin with.

    Returns
    -------
    dict of str to (str, str)
        By dotted key, the values before and after as JSON, or `ABSENT`. A section that only one of them has
        is one key.
    """
    found: dict[str, tuple[str, str]] = {}
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found |= differences(old, new, f"{prefix}{key}.")
            continue
        pair = _json(before, key), _json(after, key)
        if pair[0] != pair[1]:
            found[f"{prefix}{key}"] = pair
    return found


def _json(section: Mapping[str, Any], key: str) -> str:
    return json.dumps(section[key], ensure_ascii=False, sort_keys=True) if key in section else ABSENT

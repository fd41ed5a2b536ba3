"""params.schema.json: current, valid, explains every key, and refuses nothing that the parameters take."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from offerbench.commands.schema import schema
from offerbench.core.errors import OfferbenchError
from offerbench.core.section import leaves
from offerbench.parameters import Parameters

from ..parameters import COMPLETE, changed

REPOSITORY = Path(__file__).parents[3]
SCHEMA = json.loads((REPOSITORY / "params.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
WITH_DEFAULT = {"custom", "max_rejected_share", "min_steps_per_epoch", "spark", "replicas"}
FILES = [REPOSITORY / "params.yaml", *sorted((REPOSITORY / "presets").glob("*.yaml"))]


def test_it_is_what_the_code_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    schema(check=True)


def test_the_check_notices_an_old_schema_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "params.schema.json"
    with pytest.raises(OfferbenchError, match="Run `offerbench schema`"):
        schema(check=True)
    assert not file.exists()
    schema()
    assert json.loads(file.read_text(encoding="utf-8")) == SCHEMA
    schema(check=True)
    old = file.read_text(encoding="utf-8").replace("Number of clusters.", "How many.")
    file.write_text(old, encoding="utf-8")
    with pytest.raises(OfferbenchError, match="Run `offerbench schema`"):
        schema(check=True)
    assert file.read_text(encoding="utf-8") == old


def test_it_is_a_schema() -> None:
    assert SCHEMA["$schema"] == VALIDATOR.META_SCHEMA["$id"]
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def read(file: Path) -> Any:
    return YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_parameter_files_fit(file: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(read(file))] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_parameter_files_name_it_for_editors(file: Path) -> None:
    first, _, place = file.read_text(encoding="utf-8").partition("\n")[0].partition("$schema=")
    assert first == "# yaml-language-server: "
    assert (file.parent / place).resolve() == REPOSITORY / "params.schema.json"


def sections(content: Any, key: str = "") -> Iterator[str]:
    """Dotted keys of the sections that are not free mappings; the root is an empty key."""
    if isinstance(content, dict) and not key.endswith((".clusters", ".lengths")):
        yield key
        for name, value in content.items():
            yield from sections(value, f"{key}.{name}" if key else name)


@pytest.mark.parametrize("section", sections(COMPLETE))
def test_an_unknown_key_is_refused(section: str) -> None:
    content = changed(f"{section}.colour" if section else "colour", "red")
    (error,) = _innermost(VALIDATOR.iter_errors(content))
    assert "'colour' was unexpected" in error.message
    assert ".".join(map(str, error.absolute_path)) == section


def _innermost(errors: Iterator[jsonschema.ValidationError]) -> Iterator[jsonschema.ValidationError]:
    """Errors of the alternative that is not null, where a key may be null."""
    for error in errors:
        inner = [other for other in error.context or () if other.validator != "type"]
        yield from _innermost(iter(inner)) if inner else [error]


@pytest.mark.parametrize("section", sections(COMPLETE))
def test_a_missing_key_is_refused(section: str) -> None:
    content: Any = copy.deepcopy(COMPLETE)
    inner = content
    for name in filter(None, section.split(".")):
        inner = inner[name]
    for key in list(inner):
        value = inner.pop(key)
        assert VALIDATOR.is_valid(content) == (key in WITH_DEFAULT), key
        inner[key] = value
    assert VALIDATOR.is_valid(content)


VALUES = [None, True, 0, -1, 1, 0.5, 10**30, "text", "purchase", [], [0], ["a b"], {}, {"a": None}]


def are_read(content: Any) -> bool:
    try:
        Parameters.model_validate(content)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("key", dict(leaves(COMPLETE)))
def test_what_the_parameters_take_the_schema_takes(key: str) -> None:
    # The other way need not be: no schema says that a batch is a multiple of its negatives groups.
    for value in VALUES:
        content = changed(key, value)
        if are_read(content):
            assert VALIDATOR.is_valid(content), value
    refused = [value for value in VALUES if not VALIDATOR.is_valid(changed(key, value))]
    assert len(refused) > len(VALUES) / 2, "a key that takes nearly anything helps no editor"
    assert not any(are_read(changed(key, value)) for value in refused)


def described(part: dict[str, Any]) -> str:
    """The description of a key: its own, or that of the section that it is."""
    name = part.get("$ref", "").rpartition("/")[2]
    return str(part.get("description") or SCHEMA["$defs"].get(name, {}).get("description", ""))


def test_every_key_is_described() -> None:
    objects = {"params.yaml": SCHEMA, **SCHEMA["$defs"]}
    keys = {
        f"{name}.{key}": part
        for name, content in objects.items()
        for key, part in content["properties"].items()
    }
    assert len(keys) > 70
    assert [key for key, part in keys.items() if len(described(part).split()) < 2] == []

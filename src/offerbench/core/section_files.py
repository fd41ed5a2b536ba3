"""A section that has a YAML file of its own."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from offerbench.core.errors import OfferbenchError
from offerbench.core.section import Section
from offerbench.core.yaml_files import parse_yaml

Read = TypeVar("Read", bound=Section)


def read_section(path: Path, kind: type[Read]) -> Read:
    """Read and validate a file that holds one section.

    Raises
    ------
    FileNotFoundError
        If there is no such file: callers know what to do about it.
    OfferbenchError
        If it is not YAML, or a key is unknown, missing or of a wrong type; names the file and the key.
    """
    try:
        return kind.model_validate(parse_yaml(path.read_text(encoding="utf-8"), str(path)))
    except UnicodeDecodeError as error:
        raise OfferbenchError(f"{path}: not valid YAML. {error}") from None
    except ValidationError as error:
        raise OfferbenchError("\n".join(f"{path}: {_explain(found)}" for found in error.errors())) from None


def _explain(problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    return f"{key}: {message}" if key else str(message)

"""JSON files of a version, checked against what they must hold."""

import json
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from offerbench.core.errors import OfferbenchError
from offerbench.gate.version import Version

Content = TypeVar("Content")


def read_checked_json(version: Version, path: Path, content: TypeAdapter[Content]) -> Content | None:
    """Read a JSON file of a version; None without the file.

    Parameters
    ----------
    version : Version
        Where it is.
    path : Path
        The file.
    content : TypeAdapter
        What it must hold.

    Raises
    ------
    OfferbenchError
        If it can't be parsed or holds something else; names the first fault.
    """
    written = version.read(path)
    if written is None:
        return None
    try:
        return content.validate_python(json.loads(written))
    except (ValueError, RecursionError) as error:  # ValidationError is a ValueError
        raise OfferbenchError(f"{version.name}: {path}: {first_fault(error)}. {version.remedy}") from None


def first_fault(error: Exception) -> str:
    """Say in one line what is wrong first."""
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}, got {str(problem['input'])[:80]}"
    return f"not valid JSON ({' '.join(str(error).split())})"

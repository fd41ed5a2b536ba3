"""JSON files, written atomically."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError


def write_json(target: Path, content: Mapping[str, Any]) -> None:
    """Write `content` as indented JSON; refuses NaN and infinity, which JSON does not have."""
    with atomic_file(target) as temporary:
        text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(source: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    OfferbenchError
        If the file is missing or is not JSON.
    """
    try:
        return json.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OfferbenchError(f"{source}: no such file. Run `dvc repro` to make it.") from None
    except (ValueError, RecursionError) as error:  # of JSON, of UTF-8, of a number with too many digits
        raise OfferbenchError(
            f"{source}: not valid JSON ({error}). Run `dvc repro` to make it anew."
        ) from None

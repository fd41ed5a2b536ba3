"""`offerbench schema`: the JSON schema of params.yaml, for editors that complete and explain its keys."""

import json
from typing import Annotated, Any

import typer

from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import SCHEMA_FILE
from offerbench.parameters import Parameters


def parameters_schema() -> dict[str, Any]:
    """Give the schema of `Parameters`: the docstrings of its keys are their descriptions."""
    content = Parameters.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **content}


def schema(check: Annotated[bool, typer.Option(help="Compare only, change nothing.")] = False) -> None:
    """Write params.schema.json from the typed parameters."""
    text = json.dumps(parameters_schema(), indent=2, ensure_ascii=False) + "\n"
    is_current = SCHEMA_FILE.exists() and SCHEMA_FILE.read_text(encoding="utf-8") == text
    if check and not is_current:
        raise OfferbenchError(f"{SCHEMA_FILE}: not what the code says. Run `offerbench schema`.")
    if not is_current:
        with atomic_file(SCHEMA_FILE) as temporary:
            temporary.write_text(text, encoding="utf-8")
    print(f"schema: {SCHEMA_FILE} is up to date")

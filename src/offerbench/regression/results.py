"""The results of one version, and what they were made from: metrics/ and dvc.lock, checked."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from offerbench.errors import OfferbenchError
from offerbench.evaluation.results import Wauc
from offerbench.regression.version import Version
from offerbench.schema import LOCK_FILE, METRICS_DIRECTORY, PARAMETERS_FILE, RAW_DIRECTORY

WAUC_FILE = METRICS_DIRECTORY / "wauc.json"
INTERVALS_FILE = METRICS_DIRECTORY / "intervals.json"

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
TABLE = TypeAdapter(dict[str, dict[str, dict[str, Share | None]]])


class LockedFile(BaseModel):
    """A file or directory that a stage read or wrote."""

    path: str
    md5: str | None = None


class LockedStage(BaseModel):
    """What a stage was run with."""

    deps: list[LockedFile] = []
    params: dict[str, dict[str, Any]] = {}
    outs: list[LockedFile] = []


class Lock(BaseModel):
    """dvc.lock, as far as the gate reads it."""

    stages: dict[str, LockedStage]


@dataclass(frozen=True)
class Results:
    """wAUC of one version and what they were made from."""

    name: str
    """What messages call the version."""
    dataset: str
    data_md5: str
    """Of the raw files."""
    tasks: frozenset[str]
    wauc: Wauc
    half_widths: Wauc
    """Half the width of each wAUC's 95% interval; empty if the version has none."""


def load_results(version: Version) -> Results:
    """Read the results of a version.

    Raises
    ------
    OfferbenchError
        If a file is missing, can't be parsed, holds a value that is no wAUC, or is not the file that
        dvc.lock says.
    """
    lock = _read_lock(version)
    wauc = _read_table(version, WAUC_FILE)
    if wauc is None:
        raise OfferbenchError(f"{version.name}: no {WAUC_FILE} there. {version.remedy}")
    _check_written_by_lock(version, lock)
    try:
        dataset = lock.stages["prepare"].params[str(PARAMETERS_FILE)]["dataset"]
        tasks = frozenset(lock.stages["evaluate"].params[str(PARAMETERS_FILE)]["tasks"])
        data_md5 = {file.path: file.md5 for file in lock.stages["prepare"].deps}[str(RAW_DIRECTORY / dataset)]
    except (KeyError, TypeError):
        data_md5 = None
    if data_md5 is None:
        raise OfferbenchError(
            f"{version.name}: {LOCK_FILE} does not say which data and tasks prepare and evaluate ran on. "
            f"{version.remedy}"
        )
    half_widths = _read_table(version, INTERVALS_FILE) or {}
    return Results(version.name, dataset, data_md5, tasks, wauc, half_widths)


def _read_lock(version: Version) -> Lock:
    content = version.read(LOCK_FILE)
    if content is None:
        raise OfferbenchError(f"{version.name}: no {LOCK_FILE} there. {version.remedy}")
    try:
        return Lock.model_validate(YAML(typ="safe", pure=True).load(content.decode()))
    except (YAMLError, UnicodeDecodeError, ValidationError) as error:
        raise OfferbenchError(
            f"{version.name}: {LOCK_FILE}: not a lock file of DVC ({_first_fault(error)}). {version.remedy}"
        ) from None


def _read_table(version: Version, path: Path) -> Wauc | None:
    content = version.read(path)
    if content is None:
        return None
    try:
        return TABLE.validate_python(json.loads(content))
    except (json.JSONDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise OfferbenchError(f"{version.name}: {path}: {_first_fault(error)}. {version.remedy}") from None


def _first_fault(error: Exception) -> str:
    """Say in one line what is wrong first."""
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}, got {str(problem['input'])[:80]}"
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return f"not valid JSON ({error})"
    return " ".join(str(error).split())


def _check_written_by_lock(version: Version, lock: Lock) -> None:
    """Refuse metrics that another run than the locked one wrote: nobody knows what they were made from."""
    outs = {Path(out.path): out.md5 for stage in lock.stages.values() for out in stage.outs}
    metrics = {path: md5 for path, md5 in outs.items() if path.parent == METRICS_DIRECTORY}
    present = {path for path in (WAUC_FILE, INTERVALS_FILE) if version.read(path) is not None}
    for path in sorted(metrics.keys() | present):
        content = version.read(path)
        if content is None or hashlib.md5(content, usedforsecurity=False).hexdigest() != metrics.get(path):
            raise OfferbenchError(
                f"{version.name}: {path} is not what {LOCK_FILE} says it is. {version.remedy}"
            )

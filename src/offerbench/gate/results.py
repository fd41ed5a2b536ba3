"""The results of one version, and what they were made from: metrics/ and dvc.lock, checked."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import LOCK_FILE, METRICS_DIRECTORY, PARAMETERS_FILE, RAW_DIRECTORY
from offerbench.evaluation.pairs import Measure
from offerbench.evaluation.result_files import results_directory
from offerbench.gate.version import Version

Cell = tuple[Measure, str, str, str]
"""Measure, segment, task and model."""
Values = dict[Cell, float]
"""A number for each cell that has one."""

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
    wauc: Values
    half_widths: Values
    """Half the width of each wAUC's 95% interval; empty if the version has none."""


def wauc_file(measure: Measure) -> Path:
    """Where wAUC by a measure is."""
    return results_directory(measure) / "wauc.json"


def half_widths_file(measure: Measure) -> Path:
    """Where the half widths of wAUC by a measure are."""
    return results_directory(measure) / "half_widths.json"


def load_results(version: Version, needed: Collection[Measure] = (Measure.PUBLISHED,)) -> Results:
    """Read the results of a version.

    Parameters
    ----------
    version : Version
        Where they are.
    needed : collection of Measure
        Measures that it must have results of; those of the others are read if they are there.

    Raises
    ------
    OfferbenchError
        If a file is missing, can't be parsed, holds a value that is no wAUC, or is not the file that
        dvc.lock says.
    """
    lock = _read_lock(version)
    wauc: Values = {}
    half_widths: Values = {}
    for measure in Measure:
        found = _read_values(version, wauc_file(measure), measure)
        if found is None and measure in needed:
            raise OfferbenchError(f"{version.name}: no {wauc_file(measure)} there. {version.remedy}")
        wauc |= found or {}
        half_widths |= _read_values(version, half_widths_file(measure), measure) or {}
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


def _read_values(version: Version, path: Path, measure: Measure) -> Values | None:
    """Read the values of nested JSON, None without the file; null, for a segment without offers, is none."""
    content = version.read(path)
    if content is None:
        return None
    try:
        table = TABLE.validate_python(json.loads(content))
        return {
            (measure, segment, task, model): value
            for segment, tasks in table.items()
            for task, models in tasks.items()
            for model, value in models.items()
            if value is not None
        }
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
    locked = {path: md5 for path, md5 in outs.items() if path.parent == METRICS_DIRECTORY}
    read = {file(measure) for measure in Measure for file in (wauc_file, half_widths_file)}
    unlocked = {path for path in read if not {path, path.parent} & locked.keys()}
    for path in sorted(locked.keys() | {path for path in unlocked if version.read(path) is not None}):
        md5 = locked.get(path)
        found = _directory_md5(version, path) if md5 and md5.endswith(".dir") else _md5(version.read(path))
        if found is None or found != md5:
            raise OfferbenchError(
                f"{version.name}: {path} is not what {LOCK_FILE} says it is. {version.remedy}"
            )


def _md5(content: bytes | None) -> str | None:
    return None if content is None else hashlib.md5(content, usedforsecurity=False).hexdigest()


def _directory_md5(version: Version, directory: Path) -> str | None:
    """MD5 of a directory as DVC takes it: of the list of its files' names and MD5."""
    files = [
        {"md5": _md5(version.read(path)), "relpath": path.relative_to(directory).as_posix()}
        for path in version.list_files(directory)
    ]
    files.sort(key=lambda file: str(file["relpath"]))
    digest = _md5(json.dumps(files, sort_keys=True).encode())
    return f"{digest}.dir"

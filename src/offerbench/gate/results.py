"""The results of one version, and what they were made from: metrics/ and dvc.lock, checked."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import LOCK_FILE, METRICS_DIRECTORY, PARAMETERS_FILE
from offerbench.evaluation.bootstrap import Samples
from offerbench.evaluation.pairs import Measure
from offerbench.evaluation.result_files import results_directory
from offerbench.evaluation.sample_files import SAMPLES_FILE, parse_samples
from offerbench.gate.campaigns import CAMPAIGN_FILE, CAMPAIGN_SAMPLES_FILE, CampaignResults, read_campaigns
from offerbench.gate.config import Tolerance
from offerbench.gate.json_files import first_fault, read_checked_json
from offerbench.gate.lock import Lock, batches_of, data_of, read_lock, read_parameters, value_at
from offerbench.gate.version import Version

Cell = tuple[Measure, str, str, str]
"""Measure, segment, task and model."""
Values = dict[Cell, float]
"""A number for each cell that has one."""

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
TABLE = TypeAdapter(dict[str, dict[str, dict[str, Share | None]]])


@dataclass(frozen=True)
class Results:
    """wAUC of one version and what they were made from."""

    name: str
    """What messages call the version."""
    dataset: str
    data_md5: str
    """Of the raw files."""
    tasks: frozenset[str]
    parameters: dict[str, Any]
    """Content of params.yaml, which all stages were run with."""
    batches_md5: str | None
    """Of the batches that were measured."""
    wauc: Values
    half_widths: Values
    """Half the width of each wAUC's 95% interval; empty if the version has none."""
    samples: dict[Cell, Samples]
    """wAUC of each bootstrap sample of the users; empty if the version has none."""
    campaigns: CampaignResults
    """wAUC of the campaigns of the past; empty if the version has no backtest."""

    def tolerance(self) -> Tolerance:
        """Give `gate.tolerance` of its parameters.

        Raises
        ------
        OfferbenchError
            If there is none, or it is not valid.
        """
        try:
            return Tolerance.model_validate(value_at(self.parameters, "gate.tolerance"))
        except ValidationError as error:
            raise OfferbenchError(
                f"{self.name}: {PARAMETERS_FILE}: gate.tolerance: {first_fault(error)}. Give --tolerance."
            ) from None


def wauc_file(measure: Measure) -> Path:
    """Where wAUC by a measure is."""
    return results_directory(measure) / "wauc.json"


def half_widths_file(measure: Measure) -> Path:
    """Where the half widths of wAUC by a measure are."""
    return results_directory(measure) / "half_widths.json"


def samples_file(measure: Measure) -> Path:
    """Where the bootstrap samples of wAUC by a measure are."""
    return results_directory(measure) / SAMPLES_FILE


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
        If a file is missing, can't be parsed, holds a value that is no wAUC, is not the file that dvc.lock
        says, or params.yaml is not what the stages were run with.
    """
    lock = read_lock(version)
    wauc: Values = {}
    half_widths: Values = {}
    samples: dict[Cell, Samples] = {}
    for measure in Measure:
        found = _read_values(version, wauc_file(measure), measure)
        if found is None and measure in needed:
            raise OfferbenchError(f"{version.name}: no {wauc_file(measure)} there. {version.remedy}")
        wauc |= found or {}
        half_widths |= _read_values(version, half_widths_file(measure), measure) or {}
    _check_written_by_lock(version, lock)
    for measure in Measure:
        samples |= _read_samples(version, measure)
    try:
        dataset = lock.stages["prepare"].params[str(PARAMETERS_FILE)]["dataset"]
        tasks = frozenset(lock.stages["evaluate"].params[str(PARAMETERS_FILE)]["tasks"])
    except (KeyError, TypeError):
        dataset, tasks = "", frozenset()
    data_md5 = data_of(version, lock, str(dataset))
    parameters = read_parameters(version, lock)
    return Results(
        name=version.name,
        dataset=str(dataset),
        data_md5=data_md5,
        tasks=tasks,
        parameters=parameters,
        batches_md5=batches_of(lock, str(value_at(parameters, "evaluate.users"))),
        wauc=wauc,
        half_widths=half_widths,
        samples=samples,
        campaigns=read_campaigns(version),
    )


def _read_values(version: Version, path: Path, measure: Measure) -> Values | None:
    """Read the values of nested JSON, None without the file; null, for a segment without offers, is none."""
    table = read_checked_json(version, path, TABLE)
    if table is None:
        return None
    return {
        (measure, segment, task, model): value
        for segment, tasks in table.items()
        for task, models in tasks.items()
        for model, value in models.items()
        if value is not None
    }


def _read_samples(version: Version, measure: Measure) -> dict[Cell, Samples]:
    path = samples_file(measure)
    content = version.read(path)
    if content is None:
        return {}
    return {
        (measure, *key): values for key, values in parse_samples(content, f"{version.name}: {path}").items()
    }


def _check_written_by_lock(version: Version, lock: Lock) -> None:
    """Refuse metrics that another run than the locked one wrote: nobody knows what they were made from."""
    outs = {Path(out.path): out.md5 for stage in lock.stages.values() for out in stage.outs}
    locked = {path: md5 for path, md5 in outs.items() if path.parent == METRICS_DIRECTORY}
    read = {file(measure) for measure in Measure for file in (wauc_file, half_widths_file, samples_file)}
    read |= {CAMPAIGN_FILE, CAMPAIGN_SAMPLES_FILE}
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

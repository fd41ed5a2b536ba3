"""What a version's results were made from, by its dvc.lock and params.yaml, which must agree."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import BATCHES_DIRECTORY, LOCK_FILE, PARAMETERS_FILE, RAW_DIRECTORY
from offerbench.core.yaml_files import parse_yaml
from offerbench.gate.version import Version

MEASURED_BY = (
    *("dataset", "custom", "prepare.target_event", "prepare.clusters", "prepare.vocabulary", "prepare.split"),
    *("rebatch", "group_test", "evaluate.users", "evaluate.number_of_negatives"),
    *("evaluate.popular_min_positives", "evaluate.cold_start_min_positives", "evaluate.bootstrap"),
)
"""Parameters that say who is measured on what; all others say what is measured, and may differ."""
ABSENT = "no such key"


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

    def read_by(self, stage: str, path: str) -> str | None:
        """MD5 of what a stage read; None if it read no such path."""
        files = self.stages[stage].deps if stage in self.stages else []
        return next((file.md5 for file in files if file.path == path), None)


def read_lock(version: Version) -> Lock:
    """Read dvc.lock.

    Raises
    ------
    OfferbenchError
        If it is not there or is no lock file.
    """
    content = _text(version, LOCK_FILE)
    remedy = version.remedy
    source = f"{version.name}: {LOCK_FILE}"
    try:
        return Lock.model_validate(parse_yaml(content, f"{source}: not a lock file of DVC", remedy))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise OfferbenchError(
            f"{source}: not a lock file of DVC ({place}: {problem['msg']}). {remedy}"
        ) from None


def read_parameters(version: Version, lock: Lock) -> dict[str, Any]:
    """Read params.yaml, and check that every stage was run with its values.

    Raises
    ------
    OfferbenchError
        If it is not there, or has another value than a stage was run with.
    """
    content = parse_yaml(
        _text(version, PARAMETERS_FILE), f"{version.name}: {PARAMETERS_FILE}", version.remedy
    )
    for name, stage in lock.stages.items():
        for key, locked in stage.params.get(str(PARAMETERS_FILE), {}).items():
            for place, was, now in _differences(key, locked, value_at(content, key)):
                raise OfferbenchError(
                    f"{version.name}: {PARAMETERS_FILE}: {place} is {now}, but {LOCK_FILE} says that {name} "
                    f"was run with {was}. {version.remedy}"
                )
    return content if isinstance(content, dict) else {}


def check_same_measurement(
    baseline: tuple[str, Mapping[str, Any]],
    now: tuple[str, Mapping[str, Any]],
    keys: Sequence[str] = MEASURED_BY,
) -> None:
    """Refuse versions that were measured in other ways.

    Parameters
    ----------
    baseline, now : (str, mapping)
        Name of a version, and its parameters.
    keys : sequence of str
        Parameters that say how.

    Raises
    ------
    OfferbenchError
        If one of these parameters differs.
    """
    for key in keys:
        for place, before, after in _differences(key, value_at(baseline[1], key), value_at(now[1], key)):
            raise OfferbenchError(
                f"other {place}: {before} in {baseline[0]}, {after} in {now[0]}: measured in another way. "
                "Choose a baseline made like this one (--baseline)."
            )


def data_of(version: Version, lock: Lock, dataset: str) -> str:
    """MD5 of the raw files that the results were made from.

    Raises
    ------
    OfferbenchError
        If dvc.lock does not say it.
    """
    md5 = lock.read_by("prepare", str(RAW_DIRECTORY / dataset))
    if md5 is None:
        raise OfferbenchError(
            f"{version.name}: {LOCK_FILE} does not say which data and tasks prepare and evaluate ran on. "
            f"{version.remedy}"
        )
    return md5


def batches_of(lock: Lock, users: str) -> str | None:
    """MD5 of the batches that were measured: versions with the same have the same users in every sample."""
    return lock.read_by("evaluate", str(BATCHES_DIRECTORY / f"{users}.arrow"))


def value_at(parameters: Any, key: str) -> Any:
    """Give the value of a dotted key; `ABSENT` if it is missing."""
    value = parameters
    for name in key.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return ABSENT
        value = value[name]
    return value


def _differences(key: str, before: Any, after: Any) -> Iterator[tuple[str, str, str]]:
    """Yield where two values differ, with what is there; 1, 1.0 and true are different values."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            yield from _differences(f"{key}.{name}", before.get(name, ABSENT), after.get(name, ABSENT))
    elif _shown(before) != _shown(after):
        yield key, _shown(before), _shown(after)


def _shown(value: Any) -> str:
    return ABSENT if value is ABSENT else json.dumps(value, sort_keys=True, default=str)


def _text(version: Version, path: Any) -> str:
    content = version.read(path)
    if content is None:
        raise OfferbenchError(f"{version.name}: no {path} there. {version.remedy}")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise OfferbenchError(f"{version.name}: {path}: not UTF-8 ({error}). {version.remedy}") from None

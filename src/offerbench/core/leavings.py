"""What runs with other parameters leave in a checkout: models of former tasks, results of another data set.

DVC knows the outputs of the stages that there are. A task that is taken out of `tasks` leaves its model, its
curves and its entry in dvc.lock; and where the first stage of a new data set fails, the results of the last
one stay and look like the new ones. All of it is in DVC's cache, which gives it back when its params.yaml is.
"""

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import (
    CURVES_DIRECTORY,
    LOCK_FILE,
    METRICS_DIRECTORY,
    MODELS_DIRECTORY,
    PARAMETERS_FILE,
    RAW_DIRECTORY,
    REPORTS_DIRECTORY,
    entries,
)
from offerbench.core.rows import mono_model
from offerbench.core.yaml_files import parse_yaml

SPECIALIST = "train_mono@"
"""What the stages of specialists are called, before the task."""
SPECIALISTS_DIRECTORY = MODELS_DIRECTORY / "mono"
SHOWN = (METRICS_DIRECTORY, REPORTS_DIRECTORY, CURVES_DIRECTORY)
"""Where results are that somebody looks at."""


def locked_stages() -> dict[str, Any]:
    """Give the stages of dvc.lock, none without the file.

    Raises
    ------
    OfferbenchError
        If it is no lock file.
    """
    return _stages(_lock_text())


def _lock_text() -> str:
    return LOCK_FILE.read_text(encoding="utf-8") if LOCK_FILE.exists() else "stages: {}"


def _stages(text: str) -> dict[str, Any]:
    content = parse_yaml(text, str(LOCK_FILE), "Run `git restore dvc.lock`.")
    if not isinstance(content, dict) or not isinstance(content.get("stages"), dict):
        raise OfferbenchError(f"{LOCK_FILE}: not a lock file of DVC. Run `git restore dvc.lock`.")
    stages: dict[str, Any] = content["stages"]
    return stages


def former_tasks(tasks: Collection[str]) -> list[str]:
    """List the tasks that dvc.lock has a specialist of and `tasks` does not name."""
    locked = (name.removeprefix(SPECIALIST) for name in locked_stages() if name.startswith(SPECIALIST))
    return sorted(task for task in locked if task not in tasks)


def remove_tasks(removed: Collection[str]) -> None:
    """Remove models, curves and entries in dvc.lock of the specialists of some tasks."""
    for task in entries(SPECIALISTS_DIRECTORY):
        if task.is_dir() and task.name in removed:
            shutil.rmtree(task)
            shutil.rmtree(CURVES_DIRECTORY / mono_model(task.name), ignore_errors=True)
    text = _lock_text()
    stale = [f"{SPECIALIST}{task}" for task in removed if f"{SPECIALIST}{task}" in _stages(text)]
    if stale:
        yaml = YAML()
        lock = yaml.load(text)
        for name in stale:
            del lock["stages"][name]
        with atomic_file(LOCK_FILE) as temporary, temporary.open("w", encoding="utf-8") as file:
            yaml.dump(lock, file)


def refuse_stray_models(directory: Path, tasks: Collection[str | None]) -> None:
    """Refuse a directory of specialists that has something else in it: DVC takes it for a part of them.

    Raises
    ------
    OfferbenchError
        If there is a model of a task that is not in `tasks`, or something that is no model.
    """
    found = entries(directory)
    if stray := [path.name for path in found if not path.is_dir()]:
        raise OfferbenchError(
            f"{directory}: holds {stray}, which is no model, and DVC would take it for a part of them. "
            "Move it away."
        )
    if stale := [path.name for path in found if path.name not in tasks]:
        raise OfferbenchError(
            f"{directory}: holds models of {stale}, which `tasks` in params.yaml does not name. Run "
            "`offerbench prune` to remove them, then `dvc repro`."
        )


def refuse_missing_raw_files(dataset: str) -> None:
    """Refuse a data set without raw files, unless DVC can bring them.

    Raises
    ------
    OfferbenchError
        If there is no directory.
    """
    directory = RAW_DIRECTORY / dataset
    if not directory.is_dir() and not (RAW_DIRECTORY / f"{dataset}.dvc").exists():
        raise OfferbenchError(
            f"{directory}: no such directory. Put the files of the data set there (docs/data.md), or run "
            f"`offerbench fetch --dataset {dataset}` if it is one that can be fetched."
        )


def remove_other_results(dataset: str, custom: Any) -> tuple[str, int]:
    """Remove what is shown of another data set, or of a log that was read in another way.

    Parameters
    ----------
    dataset : str
        `dataset` in params.yaml.
    custom : object
        `custom` there, as it is written.

    Returns
    -------
    (str, int)
        The data set that the last run was of, and how many files and directories of it were removed.
    """
    stages = locked_stages()
    parameters = stages.get("prepare", {}).get("params", {}).get(str(PARAMETERS_FILE), {})
    last = str(parameters.get("dataset", dataset))
    if (last, parameters.get("custom", custom)) == (dataset, custom):
        return last, 0
    outs = [Path(out["path"]) for stage in stages.values() for out in stage.get("outs", ())]
    shown = [path for path in outs if ".." not in path.parts and set(SHOWN) & set(path.parents)]
    return last, sum(_remove(path) for path in shown)


def _remove(path: Path) -> bool:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        return False
    return True

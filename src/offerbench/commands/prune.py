"""`offerbench prune`: remove what DVC leaves behind when a task is taken out of `tasks`."""

import shutil

from ruamel.yaml import YAML

from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import CURVES_DIRECTORY, LOCK_FILE, MODELS_DIRECTORY, entries
from offerbench.core.rows import mono_model
from offerbench.core.yaml_files import parse_yaml
from offerbench.parameters import load_parameters


def prune_tasks(tasks: list[str]) -> list[str]:
    """Remove models, curves and lock entries of mono models whose task is not in `tasks`.

    Returns
    -------
    list of str
        The tasks whose leavings were removed.

    Raises
    ------
    OfferbenchError
        If dvc.lock is no lock file.
    """
    removed = set()
    text = LOCK_FILE.read_text(encoding="utf-8") if LOCK_FILE.exists() else "stages: {}"
    content = parse_yaml(text, str(LOCK_FILE), "Run `git restore dvc.lock`.")
    if not isinstance(content, dict) or not isinstance(content.get("stages"), dict):
        raise OfferbenchError(f"{LOCK_FILE}: not a lock file of DVC. Run `git restore dvc.lock`.")
    for directory in entries(MODELS_DIRECTORY / "mono"):
        if directory.is_dir() and directory.name not in tasks:
            shutil.rmtree(directory)
            shutil.rmtree(CURVES_DIRECTORY / mono_model(directory.name), ignore_errors=True)
            removed.add(directory.name)
    stale = [
        name
        for name in content["stages"]
        if name.startswith("train_mono@") and name.partition("@")[2] not in tasks
    ]
    if stale:
        yaml = YAML()
        lock = yaml.load(text)
        for name in stale:
            del lock["stages"][name]
            removed.add(name.partition("@")[2])
        with atomic_file(LOCK_FILE) as temporary, temporary.open("w", encoding="utf-8") as file:
            yaml.dump(lock, file)
    return sorted(removed)


def prune() -> None:
    """Remove the models of tasks that params.yaml no longer names."""
    removed = prune_tasks(list(load_parameters().tasks))
    print(f"prune: removed {', '.join(removed) if removed else 'nothing'}")

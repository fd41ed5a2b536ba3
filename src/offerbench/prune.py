"""Command: remove what DVC leaves behind when a task is taken out of `tasks`."""

import shutil

from ruamel.yaml import YAML

from offerbench import command
from offerbench.params.loading import load_parameters
from offerbench.schema import CURVES_DIRECTORY, LOCK_FILE, MODELS_DIRECTORY, mono_model
from offerbench.storage import whole_file


def prune(tasks: list[str]) -> list[str]:
    """Remove models, curves and lock entries of mono models whose task is not in `tasks`.

    Returns
    -------
    list of str
        The tasks whose leavings were removed.
    """
    removed = set()
    for directory in sorted((MODELS_DIRECTORY / "mono").glob("*")):
        if directory.name not in tasks:
            shutil.rmtree(directory)
            shutil.rmtree(CURVES_DIRECTORY / mono_model(directory.name), ignore_errors=True)
            removed.add(directory.name)
    if LOCK_FILE.exists():
        yaml = YAML()
        lock = yaml.load(LOCK_FILE.read_text(encoding="utf-8"))
        stale = [
            name
            for name in lock["stages"]
            if name.startswith("train_mono@") and name.partition("@")[2] not in tasks
        ]
        for name in stale:
            del lock["stages"][name]
            removed.add(name.partition("@")[2])
        if stale:
            with whole_file(LOCK_FILE) as temporary, temporary.open("w", encoding="utf-8") as file:
                yaml.dump(lock, file)
    return sorted(removed)


def main() -> None:
    """Prune the models of tasks that params.yaml does not name."""
    removed = prune(list(load_parameters().tasks))
    print(f"prune: removed {', '.join(removed) if removed else 'nothing'}")


if __name__ == "__main__":
    command.run(main)

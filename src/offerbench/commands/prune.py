"""`offerbench prune`: remove what DVC leaves behind when a task is taken out of `tasks`."""

from offerbench.core.leavings import SPECIALISTS_DIRECTORY, former_tasks, remove_tasks
from offerbench.core.paths import entries
from offerbench.parameters import load_parameters


def prune_tasks(tasks: list[str]) -> list[str]:
    """Remove models, curves and lock entries of specialists whose task is not in `tasks`.

    Returns
    -------
    list of str
        The tasks whose leavings were removed.

    Raises
    ------
    OfferbenchError
        If dvc.lock is no lock file.
    """
    former = former_tasks(tasks)
    found = [path.name for path in entries(SPECIALISTS_DIRECTORY) if path.is_dir() and path.name not in tasks]
    removed = sorted({*former, *found})
    remove_tasks(removed)
    return removed


def prune() -> None:
    """Remove the models of tasks that params.yaml no longer names."""
    removed = prune_tasks(list(load_parameters().tasks))
    print(f"prune: removed {', '.join(removed) if removed else 'nothing'}")

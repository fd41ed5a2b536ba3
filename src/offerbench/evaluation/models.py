"""The trained models that the tables are made of."""

from pathlib import Path

from offerbench.errors import OfferbenchError
from offerbench.model.checkpoint import load_model
from offerbench.model.ranking_model import RankingModel
from offerbench.schema import SINGLE_MODELS, mono_model


def load_models(models_directory: Path, tasks: list[str]) -> dict[str, RankingModel]:
    """Load the full model and the specialist of every task, in the order of the tables.

    Raises
    ------
    OfferbenchError
        If there is a model of a task that is not in `tasks` (DVC leaves it there when a task is
        taken out, and a fresh clone would see another directory), or a model is missing or damaged.
    """
    stale = sorted({path.name for path in (models_directory / "mono").glob("*")} - set(tasks))
    if stale:
        raise OfferbenchError(
            f"{models_directory / 'mono'}: holds models of {stale}, which `tasks` in params.yaml does not "
            "name. Run `make prune` to remove them, then `dvc repro`."
        )
    models = {name: load_model(models_directory / name) for name in SINGLE_MODELS}
    for task in tasks:
        models[mono_model(task)] = load_model(models_directory / "mono" / task)
    return models

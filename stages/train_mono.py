"""Stage `train_mono@<task>`: the same model with one offer feature, the task's specialist."""

from typing import Annotated

import typer

from offerbench import command
from offerbench.errors import OfferbenchError
from offerbench.params.loading import load_parameters
from offerbench.schema import MODELS_DIRECTORY, mono_model


def main(task: Annotated[str, typer.Argument(help="One of `tasks` in params.yaml.")]) -> None:
    """Train the specialist of a task."""
    parameters = load_parameters()
    if task not in parameters.tasks:
        raise OfferbenchError(f"'{task}' is not among `tasks` in params.yaml: {parameters.tasks}.")
    from offerbench.model.stage import train_two_tower

    train_two_tower(
        mono_model(task),
        MODELS_DIRECTORY / "mono" / task,
        [task],
        parameters.rebatch,
        parameters.model,
        parameters.train,
    )


if __name__ == "__main__":
    command.run(main)

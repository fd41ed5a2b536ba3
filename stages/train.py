"""Stages `train_full`, `train_augmented`, `train_mono@<task>`: one script, a section of params.yaml each.

DVC would paste a task into a shell's command before anybody has looked at it. So the command of `train_mono`
has none, and the task is that of the stage's name, which DVC hands over in the environment.
"""

import os
from enum import StrEnum
from typing import Annotated

import typer

from offerbench.core import command, logs
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import MODELS_DIRECTORY
from offerbench.engines.replicas import run_on_replicas
from offerbench.parameters import load_parameters


class Stage(StrEnum):
    """The stages that train."""

    FULL = "train_full"
    AUGMENTED = "train_augmented"
    MONO = "train_mono"


def main(
    stage: Annotated[Stage, typer.Argument(help="The section of params.yaml to train with.")],
    task: Annotated[
        str, typer.Argument(help="Of train_mono: one of `tasks` in params.yaml; DVC's stage has it.")
    ] = "",
) -> None:
    """Train the ranker of a stage."""
    parameters = load_parameters()
    if stage is Stage.MONO and not task:
        task = os.environ.get("DVC_STAGE", "").partition(f"{stage}@")[2]  # train_mono@brand
    if (stage is Stage.MONO) != bool(task) or (task and task not in parameters.tasks):
        raise OfferbenchError(
            f"'{task}' is no task to train with {stage}. train_mono takes one of `tasks` in params.yaml, "
            f"{parameters.tasks}; the others take none."
        )
    name = stage.removeprefix("train_")
    logs.configure(f"{name} {task}".rstrip())
    twins = {Stage.FULL: f"mono_{parameters.tasks[0]}", Stage.MONO: "full"}
    twin = twins.get(stage) if parameters.specialist_is_full else None
    model, features = (f"{name}_{task}", [task]) if task else (name, None)
    section, rebatch, where = getattr(parameters, stage), parameters.rebatch, parameters.resources

    def train() -> None:
        from offerbench.model.run import run_training

        run_training(model, MODELS_DIRECTORY / name / task, section, rebatch, features, twin, where.replicas)

    run_on_replicas(where.replicas, train, where.spark)


if __name__ == "__main__":
    command.run(main)

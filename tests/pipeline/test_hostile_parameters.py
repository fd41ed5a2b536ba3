"""A params.yaml from a stranger: nothing of it reaches a shell, and no path made of it costs a file."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from .conftest import REPOSITORY, SMALL, Workspace

STAGES: dict[str, Any] = YAML(typ="safe").load((REPOSITORY / "dvc.yaml").read_text())["stages"]
COMMANDS = [
    "x; touch it_ran #",
    "$(touch it_ran)",
    "`touch it_ran`",
    "'; touch it_ran; '",
    "x\ntouch it_ran",
    "a && touch it_ran",
]
PATHS = [
    "../../docs",
    "../../data/raw/complete_journey",
    "/../../../victim",
    "../../../victim",
    "a/../../../src",
]


def pasted(value: Any) -> Iterator[str]:
    """The keys of params.yaml that DVC pastes into the texts below `value`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from pasted(key)
            yield from pasted(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from pasted(inner)
    elif isinstance(value, str):
        yield from (part.partition("}")[0] for part in value.split("${")[1:])


def upstream(stage: str) -> set[str]:
    """The stages that come before a stage, by outputs and dependencies."""
    makers = {
        out if isinstance(out, str) else next(iter(out)): name
        for name, content in STAGES.items()
        for out in [*content.get("outs", []), *content.get("metrics", [])]
    }
    found: set[str] = set()
    waiting = [stage]
    while waiting:
        for dependency in STAGES[waiting.pop()]["deps"]:
            for out, maker in makers.items():
                if maker not in found and (
                    Path(dependency) in [Path(out), *Path(out).parents]
                    or Path(out) in Path(dependency).parents
                ):
                    found.add(maker)
                    waiting.append(maker)
    return found


def test_no_command_has_a_value_of_the_parameters() -> None:
    assert all(list(pasted(stage["cmd"])) == [] for stage in STAGES.values())


def test_the_first_stage_looks_at_all_that_is_pasted_into_paths() -> None:
    keys = {key for key in pasted(STAGES) if not key.startswith("item.")}
    assert keys == {"dataset", "tasks"}
    assert keys < set(STAGES["validate"]["params"])
    assert list(pasted(STAGES["validate"]["deps"])) == list(pasted(STAGES["validate"]["outs"])) == []


@pytest.mark.parametrize("stage", sorted(set(STAGES) - {"validate"}))
def test_all_stages_come_after_the_validation(stage: str) -> None:
    assert "validate" in upstream(stage)


def files_of(workspace: Workspace) -> dict[str, bytes]:
    """What a user could lose, and what a command could make."""
    kept = [path for path in workspace.path.rglob("*") if path.is_file() and ".dvc/tmp" not in str(path)]
    kept += list(workspace.path.parent.glob("victim/*")) + list(workspace.path.parent.glob("it_ran"))
    wanted = [path for path in kept if not {".git", ".dvc", "__pycache__"} & set(path.parts)]
    return {str(path): path.read_bytes() for path in wanted if path.name not in {"params.yaml", "validated"}}


def refused(workspace: Workspace, key: str, value: Any, *command: str) -> str:
    """Set a parameter and run a command, which must fail and change nothing; its errors."""
    (workspace.path.parent / "victim").mkdir(exist_ok=True)
    (workspace.path.parent / "victim/file").write_text("mine")
    (workspace.path / "docs/not_committed.md").write_text("mine")
    workspace.set(key, value)
    before = files_of(workspace)
    done = workspace.run(*command, check=False)
    assert done.returncode, done.stdout
    assert files_of(workspace) == before
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.pipeline
@pytest.mark.parametrize("task", [*COMMANDS, *PATHS])
def test_a_task_that_is_a_command_or_a_path(workspace: Workspace, task: str) -> None:
    errors = refused(workspace, "tasks", [*SMALL["tasks"], task], "dvc", "repro")
    # DVC itself refuses some, before any stage.
    assert "error: params.yaml: tasks.2: " in errors or "ERROR: " in errors


@pytest.mark.pipeline
@pytest.mark.parametrize("task", COMMANDS)
def test_a_task_that_is_a_command_in_a_stage_that_is_run_by_itself(workspace: Workspace, task: str) -> None:
    stage = f"train_mono@{task}"
    errors = refused(workspace, "tasks", [*SMALL["tasks"], task], "dvc", "repro", "--single-item", stage)
    assert "error: params.yaml: tasks.2: " in errors


@pytest.mark.pipeline
def test_a_task_that_is_a_command_in_an_experiment(workspace: Workspace) -> None:
    workspace.run("dvc", "exp", "run", "-S", f"tasks=[brand,{shlex.quote('x; touch it_ran #')}]", check=False)
    assert not list(workspace.path.rglob("it_ran"))


@pytest.mark.pipeline
@pytest.mark.parametrize("dataset", [*COMMANDS, *PATHS])
def test_a_data_set_that_is_a_command_or_a_path(workspace: Workspace, dataset: str) -> None:
    errors = refused(workspace, "dataset", dataset, "dvc", "repro")
    assert "error: params.yaml: dataset: " in errors or "ERROR: " in errors


@pytest.mark.pipeline
def test_the_task_of_a_training_is_that_of_the_stage(workspace: Workspace) -> None:
    def train(stage: str, *arguments: str) -> str:
        named = Workspace(workspace.path, {**workspace.environment, "DVC_STAGE": stage})
        done = named.run("python", "stages/train.py", "train_mono", *arguments, check=False)
        assert done.returncode == 2 and done.stderr.count("\n") == 1
        return done.stderr

    assert train("train_mono@colour").startswith("error: 'colour' is no task to train with train_mono. ")
    assert train("train_mono@brand", "size").startswith("error: 'size' is no task")
    assert train("").startswith("error: '' is no task")
    assert train("train_full").startswith("error: '' is no task")

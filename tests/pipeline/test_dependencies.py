"""dvc.yaml against the code: a stage depends on what it uses, and on nothing else."""

import ast
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from .conftest import REPOSITORY

STAGES = YAML(typ="safe").load((REPOSITORY / "dvc.yaml").read_text())["stages"]
# With no influence on a number: messages, validation, limits of the machine.
WITHOUT_INFLUENCE = {
    "src/offerbench/command.py",
    "src/offerbench/errors.py",
    "src/offerbench/params/loading.py",
    "src/offerbench/params/resources.py",
    "src/offerbench/params/section.py",
}
LAYERS = ["datasets", "preparation", "batching", "model", "evaluation", "report"]


def imported_modules(file: Path) -> set[str]:
    """offerbench modules that a file imports, anywhere in it."""
    modules = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in modules if name.split(".")[0] == "offerbench"}


def source_file(module: str) -> Path | None:
    path = REPOSITORY / "src" / Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.exists():
            return candidate
    return None


def used_files(script: Path) -> set[str]:
    """Source files that a script needs, through all its imports, as paths in the repository.

    The sections of params.yaml that a stage does not read are left out: all are validated by every
    stage, but a number can only come from those that the stage lists.
    """
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        for module in imported_modules(waiting.pop()):
            file = source_file(module)
            if file and file not in found:
                found.add(file)
                if file.name != "loading.py":
                    waiting.append(file)
    with_code = {file for file in found if len(ast.parse(file.read_text()).body) > 1}  # not only a docstring
    return {str(file.relative_to(REPOSITORY)) for file in with_code}


@pytest.mark.parametrize("stage", STAGES)
def test_stage_lists_the_code_it_uses(stage: str) -> None:
    listed = [dependency for dependency in STAGES[stage]["deps"] if dependency.startswith("src/")]
    used = used_files(REPOSITORY / "stages" / f"{stage}.py") - WITHOUT_INFLUENCE
    covered = {name for name in used if any(name == dep or name.startswith(f"{dep}/") for dep in listed)}
    assert used - covered == set(), "add these to the stage's deps in dvc.yaml"
    idle = {dep for dep in listed if not any(name == dep or name.startswith(f"{dep}/") for name in used)}
    assert idle == set(), "the stage does not use these: take them out of dvc.yaml"


@pytest.mark.parametrize("stage", STAGES)
def test_stage_script_is_named_for_its_stage_and_short(stage: str) -> None:
    script = REPOSITORY / "stages" / f"{stage}.py"
    assert STAGES[stage]["cmd"].startswith(f"PYTHONPATH=src python stages/{stage}.py")
    assert f"stages/{stage}.py" in STAGES[stage]["deps"]
    assert len(script.read_text().splitlines()) < 60


@pytest.mark.parametrize("layer", LAYERS)
def test_no_import_goes_against_the_flow_of_data(layer: str) -> None:
    later = LAYERS[LAYERS.index(layer) + 1 :]
    for file in (REPOSITORY / "src/offerbench" / layer).glob("**/*.py"):
        against = {
            name for name in imported_modules(file) if name.split(".")[1:2] and name.split(".")[1] in later
        }
        assert against == set(), f"{file} imports what comes after it"

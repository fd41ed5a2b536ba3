"""dvc.yaml against the code: a stage depends on what it uses, and on nothing else; data flows one way."""

import ast
import os
import subprocess
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from offerbench.commands.dependencies import dependencies

from .conftest import REPOSITORY
from .programs import HASH_SEED

STAGES = YAML(typ="safe").load((REPOSITORY / "dvc.yaml").read_text())["stages"]
SCRIPTS = {"train_full": "train", "train_augmented": "train", "train_mono": "train"}
PACKAGE = REPOSITORY / "src/offerbench"
# With no influence on a number: public names, messages, validation, limits of the machine. A list of its own,
# so that nothing is added to the command's list unnoticed.
WITHOUT_INFLUENCE = {
    "src/offerbench/__init__.py",
    "src/offerbench/core/command.py",
    "src/offerbench/core/errors.py",
    "src/offerbench/core/logs.py",
    "src/offerbench/core/section.py",
    "src/offerbench/core/yaml_files.py",
    "src/offerbench/engines/backtest.py",
    "src/offerbench/engines/backtest_tasks.py",
    "src/offerbench/engines/evaluation.py",
    "src/offerbench/engines/exchange.py",
    "src/offerbench/engines/file_systems.py",
    "src/offerbench/engines/partial_auc.py",
    "src/offerbench/engines/placed_replica.py",
    "src/offerbench/engines/preparation.py",
    "src/offerbench/engines/raw_files.py",
    "src/offerbench/engines/raw_parts.py",
    "src/offerbench/engines/raw_sources.py",
    "src/offerbench/engines/remote_files.py",
    "src/offerbench/engines/replicas.py",
    "src/offerbench/engines/score_ranges.py",
    "src/offerbench/engines/scored_shards.py",
    "src/offerbench/engines/session.py",
    "src/offerbench/engines/shards.py",
    "src/offerbench/engines/spark_backtest.py",
    "src/offerbench/engines/spark_evaluation.py",
    "src/offerbench/engines/spark_events.py",
    "src/offerbench/engines/spark_files.py",
    "src/offerbench/engines/spark_preparation.py",
    "src/offerbench/engines/spark_replicas.py",
    "src/offerbench/engines/spark_score.py",
    "src/offerbench/engines/tasks.py",
    "src/offerbench/engines/user_shards.py",
    "src/offerbench/engines/work_directories.py",
    "src/offerbench/preparation/resources.py",
}
LAYERS = [
    *("core", "datasets", "preparation", "features", "batching", "model", "scorers", "evaluation"),
    *("campaigns", "engines", "report"),
]
ON_TOP = ["commands", "gate", "studies"]
ROOT = {"__init__.py", "__main__.py", "cli.py", "parameters.py", "py.typed"}
CONFIGURATION = {"config.py", "resources.py"}


def has_code(file: Path) -> bool:
    """Whether a file is more than a docstring."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return len(tree.body) > (ast.get_docstring(tree) is not None)


@cache
def imported_files(programs: Path, script: str) -> frozenset[str]:
    """Source files with code that Python imports for a stage's script."""
    printed = subprocess.run(
        [programs / "python", "tests/pipeline/imported.py", script],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": "src", "PYTHONHASHSEED": HASH_SEED},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    return frozenset(name for name in printed.splitlines() if has_code(REPOSITORY / name))


def test_dependencies_are_those_that_the_command_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    dependencies(check=True)


@pytest.mark.pipeline  # imports the code of every stage, in a process for each
@pytest.mark.parametrize("stage", STAGES)
def test_stage_lists_the_code_that_python_imports_for_it(stage: str, programs: Path) -> None:
    listed = [dependency for dependency in STAGES[stage]["deps"] if dependency.startswith("src/")]
    used = imported_files(programs, f"stages/{SCRIPTS.get(stage, stage)}.py") - WITHOUT_INFLUENCE
    assert len(used) > (1 if stage == "validate" else 5)
    covered = {name for name in used if any(name == dep or name.startswith(f"{dep}/") for dep in listed)}
    assert used - covered == set(), "run `offerbench dependencies`; if it does not add these, it has a bug"
    idle = {dep for dep in listed if not any(name == dep or name.startswith(f"{dep}/") for name in used)}
    assert idle == set(), "the stage does not use these"


@pytest.mark.parametrize("stage", STAGES)
def test_every_file_of_a_listed_package_is_used(stage: str, programs: Path) -> None:
    # A package in place of its files: a change of a file that the stage does not use must not rerun it.
    packages = [PACKAGE.parents[1] / dependency for dependency in STAGES[stage]["deps"]]
    files = {
        str(file.relative_to(REPOSITORY))
        for package in packages
        if package.is_relative_to(PACKAGE) and package.is_dir()
        for file in package.rglob("*.py")
        if has_code(file)
    }
    assert files - imported_files(programs, f"stages/{SCRIPTS.get(stage, stage)}.py") == set()


@pytest.mark.parametrize("stage", STAGES)
def test_stage_runs_its_short_script(stage: str) -> None:
    script = f"stages/{SCRIPTS.get(stage, stage)}.py"
    arguments = [stage] if stage in SCRIPTS else []
    assert STAGES[stage]["cmd"].split() == ["PYTHONPATH=src", "python", script, *arguments]
    assert script in STAGES[stage]["deps"]
    assert len((REPOSITORY / script).read_text().splitlines()) < 60


def test_every_script_is_a_stages() -> None:
    scripts = {file.stem for file in (REPOSITORY / "stages").glob("*.py")}
    assert scripts == {SCRIPTS.get(stage, stage) for stage in STAGES}


def imported_modules(file: Path) -> set[tuple[str, ...]]:
    """Modules of offerbench that a file imports, anywhere in it, without `offerbench.`."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports by full names only"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {tuple(name.split(".")[1:]) for name in names if name.split(".")[0] == "offerbench"}


def files_of(package: str) -> list[Path]:
    files = list((PACKAGE / package).rglob("*.py"))
    assert len(files) > 1
    return files


@pytest.mark.parametrize("layer", LAYERS)
def test_no_import_goes_against_the_flow_of_data(layer: str) -> None:
    allowed = {*LAYERS[: LAYERS.index(layer) + 1]}
    if layer == "report":
        allowed.add("parameters")  # it shows them all
    for file in files_of(layer):
        against = {name for name in imported_modules(file) if name[0] not in allowed}
        assert against == set(), f"{file} imports what comes after it"


@pytest.mark.parametrize("package", [*LAYERS, *ON_TOP])
def test_a_configuration_imports_no_more_than_those_before_it(package: str) -> None:
    allowed = {"core", package, *(LAYERS[: LAYERS.index(package)] if package in LAYERS else LAYERS)}
    for file in files_of(package):
        if file.name in CONFIGURATION:
            for module in imported_modules(file):
                assert module[0] in allowed, f"{file} imports {module}"
                assert module[0] == "core" or f"{module[1]}.py" in CONFIGURATION, f"{file} imports {module}"


def test_the_parameters_are_composed_of_configurations() -> None:
    modules = imported_modules(PACKAGE / "parameters.py")
    assert {module[0] for module in modules} > {"core", "preparation", "model", "evaluation"}
    for module in modules:
        assert module[0] == "core" or f"{module[1]}.py" in CONFIGURATION, module


@pytest.mark.parametrize("package", ON_TOP)
def test_what_is_on_top_is_used_by_commands_alone(package: str) -> None:
    for other in {*ON_TOP, "cli.py"} - {"commands", "cli.py", package}:
        for file in files_of(other):
            assert package not in {module[0] for module in imported_modules(file)}, file
    imports = {module[0] for module in imported_modules(PACKAGE / "cli.py")}
    assert imports <= {"core", "commands", "__version__"}


def test_the_root_shows_the_flow_and_nothing_else() -> None:
    entries = [path for path in PACKAGE.iterdir() if path.name != "__pycache__"]
    assert {path.name for path in entries if path.is_file()} == ROOT
    assert {path.name for path in entries if path.is_dir()} == {*LAYERS, *ON_TOP}

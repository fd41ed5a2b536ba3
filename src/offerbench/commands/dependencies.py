"""`offerbench dependencies`: writes into dvc.yaml the code that each stage's script imports."""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML

from offerbench.core.atomic import atomic_file
from offerbench.core.errors import OfferbenchError
from offerbench.core.paths import PIPELINE_FILE, SOURCE_DIRECTORY

PACKAGE = "offerbench"
WITHOUT_INFLUENCE = frozenset(
    SOURCE_DIRECTORY / name
    for name in (
        "parameters.py",
        "core/command.py",
        "core/errors.py",
        "core/logs.py",
        "core/section.py",
        "core/yaml_files.py",
        "engines/backtest.py",
        "engines/backtest_tasks.py",
        "engines/evaluation.py",
        "engines/exchange.py",
        "engines/file_systems.py",
        "engines/partial_auc.py",
        "engines/placed_replica.py",
        "engines/preparation.py",
        "engines/raw_files.py",
        "engines/raw_parts.py",
        "engines/raw_sources.py",
        "engines/remote_files.py",
        "engines/replicas.py",
        "engines/score_ranges.py",
        "engines/scored_shards.py",
        "engines/session.py",
        "engines/shards.py",
        "engines/spark_backtest.py",
        "engines/spark_evaluation.py",
        "engines/spark_events.py",
        "engines/spark_files.py",
        "engines/spark_preparation.py",
        "engines/spark_replicas.py",
        "engines/spark_score.py",
        "engines/tasks.py",
        "engines/user_shards.py",
        "engines/work_directories.py",
        "preparation/resources.py",
    )
)
"""With no influence on a number: messages, validation, limits of the machine, and what
engine works: the tests hold every engine to the same bytes."""


def imported_modules(file: Path) -> frozenset[str]:
    """Modules of offerbench that a file imports, anywhere in it."""
    return _imported_modules(file.read_text(encoding="utf-8"))


@cache  # most files are of many stages
def _imported_modules(code: str) -> frozenset[str]:
    modules = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    paths = [name.split(".") for name in modules if name.split(".")[0] == PACKAGE]
    # Python runs the packages above a module too; the root only has public names, imported when asked for.
    return frozenset(".".join(path[:depth]) for path in paths for depth in range(2, len(path) + 1))


def source_file(module: str) -> Path | None:
    """File of a module of offerbench; None if the name is no module's."""
    path = SOURCE_DIRECTORY.joinpath(*module.split(".")[1:])
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.exists()), None)


def used_files(script: Path) -> set[Path]:
    """Source files whose code a script needs, through all its imports.

    All sections of params.yaml are validated by every stage, but a number can only come from those
    that its code reads: what `parameters.py` imports is not followed.
    """
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        for module in imported_modules(waiting.pop()):
            file = source_file(module)
            if file and file not in found:
                found.add(file)
                if file != SOURCE_DIRECTORY / "parameters.py":
                    waiting.append(file)
    return {file for file in found - WITHOUT_INFLUENCE if _has_code(file)}


def _has_code(file: Path) -> bool:
    """Whether a file is more than a docstring."""
    return _is_more_than_a_docstring(file.read_text(encoding="utf-8"))


@cache
def _is_more_than_a_docstring(code: str) -> bool:
    tree = ast.parse(code)
    return len(tree.body) > (ast.get_docstring(tree) is not None)


def merged(files: Iterable[Path]) -> list[str]:
    """Name a sub-package in place of its files if all of them are used."""
    files = set(files)
    for package in sorted({file.parent for file in files} - {SOURCE_DIRECTORY}):
        of_package = {file for file in package.rglob("*.py") if _has_code(file)}
        if len(of_package) > 1 and of_package <= files:
            files = files - of_package | {package}
    return sorted(file.as_posix() for file in files)


def stage_script(stage: Any) -> Path:
    """Give the script that a stage of dvc.yaml runs."""
    return Path(next(word for word in str(stage["cmd"]).split() if word.endswith(".py")))


def with_dependencies(pipeline: Any) -> bool:
    """Set the code dependencies of every stage of dvc.yaml; give whether any of them changed."""
    changed = False
    for stage in pipeline["stages"].values():
        script = stage_script(stage)
        others = [name for name in stage["deps"] if not name.startswith(("src/", "stages/"))]
        wanted = [*others, script.as_posix(), *merged(used_files(script))]
        if list(stage["deps"]) != wanted:
            stage["deps"][:] = wanted
            changed = True
    return changed


def dependencies(check: Annotated[bool, typer.Option(help="Compare only, change nothing.")] = False) -> None:
    """Write the code that each stage depends on into dvc.yaml."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 120
    pipeline = yaml.load(PIPELINE_FILE.read_text(encoding="utf-8"))
    changed = with_dependencies(pipeline)
    if changed and check:
        raise OfferbenchError(f"{PIPELINE_FILE}: not what the code says. Run `offerbench dependencies`.")
    if changed:
        with atomic_file(PIPELINE_FILE) as temporary, temporary.open("w", encoding="utf-8") as file:
            yaml.dump(pipeline, file)
    print(f"dependencies: {PIPELINE_FILE} is up to date")

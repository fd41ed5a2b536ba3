"""What users import from `offerbench`, and that importing it is cheap."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import offerbench

HEAVY = {"tensorflow", "pandas", "numpy", "duckdb", "sklearn"}


@pytest.mark.parametrize("name", offerbench.__all__)
def test_a_public_name_is_there(name: str) -> None:
    assert getattr(offerbench, name) is not None
    assert name in dir(offerbench)


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    assert offerbench.__version__ == project["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", offerbench.__version__)


def test_names_are_those_of_the_modules_they_are_defined_in() -> None:
    for name in set(offerbench.__all__) - {"__version__"}:
        defined = getattr(offerbench, name)
        assert defined.__module__ == f"offerbench.{offerbench._MODULES[name]}"
    assert set(offerbench.__all__) == {*offerbench._MODULES, "__version__"}
    assert offerbench.__all__ == sorted(offerbench.__all__)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(offerbench.__file__).read_text())
    seen = {
        alias.name: node.module
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {name: f"offerbench.{module}" for name, module in offerbench._MODULES.items()}


def test_another_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="module 'offerbench' has no attribute 'TwoTower'"):
        _ = offerbench.TwoTower


def test_importing_it_imports_no_heavy_library() -> None:
    listed = (
        "import sys, offerbench; offerbench.__version__; print(*{name.split('.')[0] for name in sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    assert "offerbench" in found.stdout.split()
    assert not HEAVY & set(found.stdout.split())


def test_names_that_need_no_tensorflow_import_none() -> None:
    names = ["load_parameters", "table_rows", "OfferbenchError", "wauc", "Scorer", "load_prepared"]
    # In one process, one after the other: what one imports is there for all that follow.
    lines = ["import sys"]
    for name in names:
        lines += [f"from offerbench import {name}", f"print('{name}', 'tensorflow' in sys.modules)"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [f"{name} False" for name in names]

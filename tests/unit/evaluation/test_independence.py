"""The evaluation measures scorers: it knows no model, trained or not, by class or by name."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import offerbench.evaluation
from offerbench.core import rows
from offerbench.core.rows import CEILINGS, GENERALISTS, PEERS, YARDSTICKS, mono_model

PACKAGE = Path(offerbench.evaluation.__file__).parent
MODULES = sorted(PACKAGE.glob("*.py"))
NAMES_OF_ROWS = {*GENERALISTS, *YARDSTICKS, *PEERS, *CEILINGS, mono_model("")}
ALLOWED_ROOMS = {"core", "evaluation", "features", "preparation", "scorers"}
ALLOWED_SCORERS = {f"offerbench.scorers.{name}" for name in ("config", "contexts", "pairs", "scorer")}
CONSTANTS = {name for name, value in vars(rows).items() if isinstance(value, str) and value in NAMES_OF_ROWS}


def imported(tree: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """Modules that are imported, each with the names taken of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or "", [alias.name for alias in node.names]


def called(tree: ast.AST) -> set[str]:
    """Functions that are called, `isinstance` with the class."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            of_class = f"({ast.unparse(node.args[1])})" if node.func.id == "isinstance" else ""
            found.add(node.func.id + of_class)
    return found


def texts(tree: ast.AST) -> set[str]:
    """All strings but the docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    }


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_it_imports_no_model_and_no_scorer_of_one(module: Path) -> None:
    for name, taken in imported(ast.parse(module.read_text())):
        assert "tensorflow" not in name
        if name.split(".")[0] == "offerbench":
            full = {name, *(f"{name}.{each}" for each in taken)}
            assert name.split(".")[1] in ALLOWED_ROOMS, f"{module.name} imports {name}"
            assert not any(each.startswith("offerbench.model") for each in full)
            if name.startswith("offerbench.scorers"):
                assert name in ALLOWED_SCORERS, f"{module.name} imports {name}"
            if name == "offerbench.core.rows":
                assert not set(taken) & {
                    *CONSTANTS,
                    "GENERALISTS",
                    "YARDSTICKS",
                    "PEERS",
                    "CEILINGS",
                    "mono_model",
                }


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_it_asks_no_scorer_what_it_is(module: Path) -> None:
    tree = ast.parse(module.read_text())
    asked = {name for name in called(tree) if name.startswith("isinstance")}
    assert asked <= {"isinstance(str)"}
    assert not called(tree) & {"issubclass", "type", "hasattr", "getattr"}
    assert not texts(tree) & NAMES_OF_ROWS


def test_the_names_of_rows_are_there_to_be_avoided() -> None:
    assert {
        "FULL_MODEL",
        "AUGMENTED_MODEL",
        "HISTORY_AFFINITY",
        "FREQUENCY",
        "RECENCY",
        "CEILING",
    } <= CONSTANTS
    assert len(MODULES) > 5

"""Prints the files of offerbench that a stage's script imports, as paths in the repository, one a line.

    PYTHONPATH=src python tests/pipeline/imported.py stages/evaluate.py

Python imports them, so what is listed is what a run loads. Imports inside functions are carried out too, of
the script and of every module that gets imported. The parameters are a dummy: every stage validates all
sections, and so imports every package's config; a section that a stage uses is imported by the code that
uses it.
"""

import ast
import sys
from pathlib import Path
from types import ModuleType


def own_modules() -> dict[str, ModuleType]:
    """The modules of offerbench that have been imported from files."""
    modules = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "offerbench"}
    return {name: module for name, module in modules.items() if getattr(module, "__file__", None)}


def carry_out_imports(file: Path) -> None:
    """Carry out every import statement of a file, wherever in it, but those for type checkers alone."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.level == 0):
            try:
                exec(compile(ast.Module([node], []), str(file), "exec"), {})
            except ModuleNotFoundError as error:  # a package that only one of the stacks has
                if str(error.name).split(".")[0] == "offerbench":
                    raise


def main() -> None:
    """Import what the script of the command line does, until nothing new comes."""
    dummy = ModuleType("offerbench.parameters")
    dummy.Parameters = dummy.load_parameters = None  # type: ignore[attr-defined]
    dummy.TRAININGS = dummy.OTHER_TRAININGS = None  # type: ignore[attr-defined]
    sys.modules["offerbench.parameters"] = dummy
    carry_out_imports(Path(sys.argv[1]))
    done: set[str] = set()
    while new := own_modules().keys() - done:
        for name in new:
            carry_out_imports(Path(str(own_modules()[name].__file__)))
        done |= new
    for module in own_modules().values():
        print(Path(str(module.__file__)).resolve().relative_to(Path.cwd()))


if __name__ == "__main__":
    main()

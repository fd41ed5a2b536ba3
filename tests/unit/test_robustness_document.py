"""docs/robustness.md: every row links to a test that is there."""

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "docs/robustness.md").read_text(encoding="utf-8")
ROWS = [
    line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith(("| Tried", "| file"))
]
LINK = re.compile(r"\| \[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\) \|$")


def functions(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_row_of_what_was_tried_links_to_its_test() -> None:
    tried = TEXT[TEXT.index("## Parameters from somebody else") :]
    rows = [row for row in ROWS if row in tried]
    assert len(rows) > 40
    for row in rows:
        link = LINK.search(row)
        assert link, row
        assert link[1] in functions(REPOSITORY / link[2]), row


def test_every_file_that_is_linked_is_there() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (REPOSITORY / "docs" / link).is_file(), link


def test_the_ignored_names_are_the_same_for_git_and_dvc() -> None:
    names = {".partial.*", ".DS_Store", "Thumbs.db", "desktop.ini"}
    for file in (".gitignore", ".dvcignore"):
        assert names <= set((REPOSITORY / file).read_text(encoding="utf-8").splitlines()), file

"""docs/bad-input.md: every row links to the test that makes it."""

import re
from pathlib import PurePosixPath

from .stage import REPOSITORY

TEXT = (REPOSITORY / "docs/bad-input.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith("| Problem")]
LINK = re.compile(r"\| \[`(test_[^`]+)`\]\(\.\./(tests/bad_input/test_\w+\.py)\) \|$")


def linked() -> list[str | None]:
    """The test of each row, None for a row without a link to one."""
    return [f"{link[2]}::{link[1]}" if link else None for link in map(LINK.search, ROWS)]


def test_every_row_links_to_a_test(collected: set[str]) -> None:
    tests = linked()
    assert [row for row, test in zip(ROWS, tests, strict=True) if test is None] == []
    functions = {test.partition("[")[0] for test in collected}  # a row may be for all its cases
    assert set(tests) - collected - functions == set()
    assert len(ROWS) > 100


def test_every_file_that_is_linked_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert [link for link in links if not (REPOSITORY / "docs" / PurePosixPath(link)).is_file()] == []


def test_every_fault_that_is_tested_has_a_row(collected: set[str]) -> None:
    tables = ("test_files_are_refused[", "test_a_row_is_rejected[", "test_a_rating_is_rejected[")
    cases = {test for test in collected if test.partition("::")[2].startswith(tables)}

    def of_either_movielens(tests: set[str]) -> set[str]:
        return {re.sub(r"\[movielens_(imdb|100k)-", "[", test) for test in tests}

    assert len(cases) > 100
    assert of_either_movielens(cases) - of_either_movielens({test for test in linked() if test}) == set()

"""docs/bad-input.md names tests that there are."""

import re

from .stage import REPOSITORY

SECTIONS = (REPOSITORY / "docs/bad-input.md").read_text(encoding="utf-8").split("\n## ")[1:]


def test_every_row_names_a_test_of_its_section() -> None:
    rows = 0
    for section in SECTIONS:
        (file,) = re.findall(r"\]\(\.\./(tests/\S+\.py)\)", section)
        source = (REPOSITORY / file).read_text(encoding="utf-8")
        for line in section.splitlines():
            if not line.startswith("| ") or line.startswith("| Fault"):
                continue
            rows += 1
            test, _, case = re.findall(r"`(test_[^`]+)` \|$", line)[0].partition("[")
            assert f"def {test}(" in source, line
            assert not case or f'"{case.removesuffix("]")}": ' in source, line
    assert rows > 50

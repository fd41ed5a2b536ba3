"""`offerbench dependencies` in a small repository: files through all imports, packages used whole."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from offerbench.commands.dependencies import dependencies
from offerbench.core.errors import OfferbenchError

FILES = {
    "stages/first.py": "from offerbench.core import command\nfrom offerbench.data import read\n",
    "stages/second.py": "from offerbench.parameters import x\n"
    "def main():\n    import offerbench.model.tower as tower\n",
    "src/offerbench/__init__.py": '"""Package."""\n',
    "src/offerbench/parameters.py": "from offerbench.report import title\nx = 1\n",
    "src/offerbench/core/__init__.py": '"""Only a docstring."""\n',
    "src/offerbench/core/command.py": "run = 1\n",
    "src/offerbench/core/paths.py": "here = 1\n",
    "src/offerbench/data/__init__.py": '"""Only a docstring."""\n',
    "src/offerbench/data/read.py": "from offerbench.core.paths import here\n"
    "from offerbench.data.rows import row\n",
    "src/offerbench/data/rows.py": "from offerbench.data.read import read\nrow = 1\n",  # a circle
    "src/offerbench/model/__init__.py": "first = 1\n",
    "src/offerbench/model/tower.py": "from offerbench.model import layers\nimport numpy\n",
    "src/offerbench/model/layers.py": "from offerbench.core.paths import here\n",
    "src/offerbench/model/unused.py": "never = 1\n",
    "src/offerbench/report/title.py": "title = 1\n",
}
PIPELINE = """\
# A comment that stays.
stages:
  first:
    cmd: PYTHONPATH=src python stages/first.py
    deps:
      - data/raw
    outs:
      - data/read  # small
  second:
    matrix:
      task: [a, b]
    cmd: PYTHONPATH=src python stages/second.py ${item.task}
    deps:
      - data/read
      - stages/old_name.py
      - src/offerbench/report
    params:
      - second
"""


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {**FILES, "dvc.yaml": PIPELINE}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def written() -> dict[str, list[str]]:
    stages = YAML(typ="safe").load(Path("dvc.yaml").read_text())["stages"]
    return {name: stage["deps"] for name, stage in stages.items()}


def test_each_stage_gets_the_files_that_its_script_imports() -> None:
    dependencies()
    assert written() == {
        "first": [
            "data/raw",
            "stages/first.py",
            "src/offerbench/core/paths.py",  # core/command.py has no influence on a number
            "src/offerbench/data",  # all of its files with code
        ],
        "second": [
            "data/read",
            "stages/second.py",
            "src/offerbench/core/paths.py",
            "src/offerbench/model/__init__.py",
            "src/offerbench/model/layers.py",
            "src/offerbench/model/tower.py",
        ],
    }


def test_all_else_of_the_file_stays() -> None:
    dependencies()
    text = Path("dvc.yaml").read_text()
    assert text.startswith("# A comment that stays.\nstages:\n  first:\n    cmd: PYTHONPATH=src python")
    assert "      - data/read  # small\n" in text
    assert "    matrix:\n      task: [a, b]\n" in text and text.endswith("    params:\n      - second\n")
    before = Path("dvc.yaml").stat()
    dependencies()
    after = Path("dvc.yaml").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns), "nothing to write"


def test_a_package_is_named_by_its_files_as_soon_as_one_is_not_used(repository: Path) -> None:
    dependencies()
    dependencies(check=True)
    (repository / "src/offerbench/data/more.py").write_text("more = 1\n")
    with pytest.raises(OfferbenchError, match="Run `offerbench dependencies`"):
        dependencies(check=True)
    dependencies()
    assert written()["first"][3:] == ["src/offerbench/data/read.py", "src/offerbench/data/rows.py"]


def test_the_check_changes_nothing() -> None:
    with pytest.raises(OfferbenchError, match="Run `offerbench dependencies`"):
        dependencies(check=True)
    assert Path("dvc.yaml").read_text() == PIPELINE

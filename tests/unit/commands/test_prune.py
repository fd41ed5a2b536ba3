"""`offerbench prune`: nothing is left of a task that params.yaml no longer names, and nothing else goes."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from offerbench.commands.prune import prune, prune_tasks
from offerbench.core.errors import OfferbenchError

TASKS = ("brand", "category1")


def files(directory: Path) -> set[str]:
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Models, curves and lock entries of two tasks."""
    monkeypatch.chdir(tmp_path)
    for name in ("models/full", "plots/training/full"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_text(name)
    for task in TASKS:
        for directory in (f"models/mono/{task}", f"plots/training/mono_{task}"):
            (tmp_path / directory).mkdir(parents=True)
            (tmp_path / directory / "file").write_text(task)
    lock: dict[str, Any] = {"schema": "2.0", "stages": {"train_full": {"cmd": "python"}}}
    lock["stages"] |= {f"train_mono@{task}": {"cmd": f"python {task}"} for task in TASKS}
    with (tmp_path / "dvc.lock").open("w") as stream:
        YAML().dump(lock, stream)
    return tmp_path


def locked(directory: Path) -> list[str]:
    return list(YAML(typ="safe").load((directory / "dvc.lock").read_text())["stages"])


def test_a_task_that_is_gone_leaves_nothing(checkout: Path) -> None:
    assert prune_tasks(["category1"]) == ["brand"]
    assert locked(checkout) == ["train_full", "train_mono@category1"]
    assert files(checkout) == {
        "dvc.lock",
        "models/full/file",
        "models/mono/category1/file",
        "plots/training/full/file",
        "plots/training/mono_category1/file",
    }


@pytest.mark.parametrize("content", ["<<<<<<< HEAD\nstages: {}\n=======\n", "stages: 5", "5", "", "[" * 3000])
def test_a_lock_file_that_is_none_is_named(checkout: Path, content: str) -> None:
    (checkout / "dvc.lock").write_text(content)
    with pytest.raises(OfferbenchError, match=r"dvc\.lock: not .*git restore dvc\.lock") as stopped:
        prune_tasks(list(TASKS))
    assert "\n" not in str(stopped.value)
    assert (checkout / "dvc.lock").read_text() == content


def test_what_is_no_model_stays(checkout: Path) -> None:
    (checkout / "models/mono/.DS_Store").write_bytes(b"x")
    (checkout / "models/mono/notes.txt").write_text("mine")
    assert prune_tasks(["category1"]) == ["brand"]
    assert {"models/mono/.DS_Store", "models/mono/notes.txt"} <= files(checkout)


def test_nothing_is_written_if_nothing_is_stale(checkout: Path) -> None:
    before = (checkout / "dvc.lock").stat()
    assert prune_tasks(list(TASKS)) == []
    after = (checkout / "dvc.lock").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("left", ["models", "dvc.lock"])
def test_either_leaving_is_enough(checkout: Path, left: str) -> None:
    if left == "models":
        (checkout / "dvc.lock").unlink()
    else:
        (checkout / "models/mono/brand/file").unlink()
        (checkout / "models/mono/brand").rmdir()
    assert prune_tasks(["category1"]) == ["brand"]


def test_the_command_goes_by_params_yaml(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    preset = Path(__file__).parents[3] / "presets/complete_journey.yaml"
    (checkout / "params.yaml").write_text(preset.read_text())  # it names both tasks
    prune()
    assert capsys.readouterr().out == "prune: removed nothing\n"
    content = YAML().load(preset.read_text())
    content["tasks"] = ["category1"]
    with (checkout / "params.yaml").open("w") as stream:
        YAML().dump(content, stream)
    prune()
    assert capsys.readouterr().out == "prune: removed brand\n"

"""What a run with other parameters leaves: found, and removed without anything beside it."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from offerbench.core.errors import OfferbenchError
from offerbench.core.leavings import (
    former_tasks,
    refuse_missing_raw_files,
    remove_other_results,
    remove_tasks,
)

OUTS = {
    "prepare": ["data/prepared", "metrics/prepare.json"],
    "train_full": ["models/full", "plots/training/full"],
    "train_mono@brand": ["models/mono/brand", "plots/training/mono_brand"],
    "evaluate": ["metrics/wauc.json", "metrics/clean"],
    "report": ["reports/wauc.md"],
}
OTHERS = ["metrics/mine.json", "reports/studies/seeds.md", "plots/mine.tsv"]
DIRECTORIES = {"data/prepared", "models/full", "plots/training/full", "models/mono/brand", "metrics/clean"}
DIRECTORIES |= {"plots/training/mono_brand"}
COLUMNS = {"user": "customer", "numbers": {}}


def files(directory: Path) -> set[str]:
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


def write_lock(directory: Path, dataset: str, custom: Any) -> None:
    stages: dict[str, Any] = {name: {"outs": [{"path": out} for out in outs]} for name, outs in OUTS.items()}
    stages["prepare"]["params"] = {"params.yaml": {"dataset": dataset, "custom": custom}}
    with (directory / "dvc.lock").open("w") as stream:
        YAML().dump({"schema": "2.0", "stages": stages}, stream)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Outputs of a run on `custom`, and files that no stage wrote."""
    monkeypatch.chdir(tmp_path)
    for out in [*OTHERS, *(out for outs in OUTS.values() for out in outs)]:
        file = tmp_path / out / "file" if out in DIRECTORIES else tmp_path / out
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(out)
    write_lock(tmp_path, "custom", COLUMNS)
    return tmp_path


@pytest.mark.parametrize(
    ("dataset", "custom"),
    [("rees46", COLUMNS), ("custom", COLUMNS | {"user": "client"}), ("complete_journey", None)],
)
def test_results_of_other_data_are_removed_and_nothing_else(
    checkout: Path, dataset: str, custom: Any
) -> None:
    assert remove_other_results(dataset, custom) == ("custom", 6)
    assert files(checkout) == {
        *("data/prepared/file", "dvc.lock", "models/full/file", "models/mono/brand/file"),
        *OTHERS,
    }
    assert remove_other_results(dataset, custom) == ("custom", 0)


def test_results_of_the_same_data_stay(checkout: Path) -> None:
    before = files(checkout)
    assert remove_other_results("custom", dict(COLUMNS)) == ("custom", 0)
    assert files(checkout) == before


def test_without_a_run_there_is_nothing_to_remove(checkout: Path) -> None:
    (checkout / "dvc.lock").unlink()
    before = files(checkout)
    assert remove_other_results("rees46", None) == ("rees46", 0)
    assert former_tasks(["category1"]) == []
    assert files(checkout) == before


@pytest.mark.parametrize("path", ["metrics/../notes.txt", "notes.txt", "metrics", "../metrics/a.json"])
def test_a_path_outside_of_the_results_is_left_alone(checkout: Path, path: str) -> None:
    (checkout / "notes.txt").write_text("mine")
    lock = (checkout / "dvc.lock").read_text().replace("path: reports/wauc.md", f"path: {path}")
    (checkout / "dvc.lock").write_text(lock)
    assert remove_other_results("rees46", None) == ("custom", 5)
    assert {"notes.txt", "reports/wauc.md", "metrics/mine.json"} <= files(checkout)


def test_former_tasks_are_those_of_the_lock_that_are_not_named(checkout: Path) -> None:
    (checkout / "models/mono/mine").mkdir()
    assert former_tasks(["category1"]) == ["brand"]
    assert former_tasks(["brand", "category1"]) == []
    remove_tasks(["brand"])
    assert former_tasks(["category1"]) == []
    assert (checkout / "models/mono/mine").exists()
    assert not (checkout / "models/mono/brand").exists()
    assert not (checkout / "plots/training/mono_brand").exists()


def test_raw_files_that_nobody_brings_are_missed(checkout: Path) -> None:
    message = (
        r"^data/raw/rees46: no such directory\. Put the files .*docs/data\.md.* `offerbench fetch --dataset"
    )
    with pytest.raises(OfferbenchError, match=message):
        refuse_missing_raw_files("rees46")
    (checkout / "data/raw").mkdir()
    (checkout / "data/raw/rees46.dvc").touch()  # DVC pulls them
    refuse_missing_raw_files("rees46")
    (checkout / "data/raw/custom").mkdir()
    refuse_missing_raw_files("custom")

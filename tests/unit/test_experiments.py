from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import load_yaml

from offerbench.experiments import (
    Experiment,
    Settings,
    committed_parameters,
    experiments_of,
    settings_text,
    with_other_parameters,
    with_settings,
)

from .parameters import COMPLETE, changed

REPOSITORY = Path(__file__).parents[2]
WANTED = {"seed-2": {"train.seed": 2}, "seed-3": {"train.seed": 3}}


def data_of(seed: int) -> dict[str, Any]:
    return {"params": {"params.yaml": {"data": {"train": {"seed": seed}}}}}


def shown(*experiments: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"rev": "workspace", "experiments": None},
        {"rev": "abc", "data": data_of(1), "experiments": list(experiments) or None},
    ]


def experiment(name: str, state: str | None, revision: str = "r", error: Any = None) -> dict[str, Any]:
    executor = None if state is None else {"state": state}
    data = None if error else data_of(2)
    return {"name": name, "executor": executor, "revs": [{"rev": revision, "data": data, "error": error}]}


def test_commit_without_experiments() -> None:
    assert experiments_of(shown()) == {}


def test_experiment_of_the_work_tree_has_succeeded() -> None:
    found = experiments_of(shown(experiment("seed-2", None, "f00")))["seed-2"]
    assert (found.revision, found.state) == ("f00", "success")
    assert found.parameters == {"train": {"seed": 2}}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("later", ["queued", "running", "success"])
def test_failed_experiment_that_was_queued_again_counts_by_its_later_state(later: str, turned: bool) -> None:
    both = [experiment("seed-2", "failed", "old", {"msg": "failed"}), experiment("seed-2", later, "new")]
    found = experiments_of(shown(*(both[::-1] if turned else both)))
    assert (found["seed-2"].revision, found["seed-2"].state) == ("new", later)


def test_failed_experiment_has_failed_whatever_its_executor_says() -> None:
    assert (
        experiments_of(shown(experiment("seed-2", "success", error={"msg": "x"})))["seed-2"].state == "failed"
    )


def test_parameters_of_the_commit_are_not_those_of_its_experiments() -> None:
    assert committed_parameters(shown(experiment("seed-2", "success"))) == {"train": {"seed": 1}}


def test_settings_are_the_only_parameters_that_change() -> None:
    parameters = {"tasks": ["brand"], "train": {"seed": 1, "epochs": 8}}
    found = with_settings(parameters, {"train.seed": 3})
    assert found == {"tasks": ["brand"], "train": {"seed": 3, "epochs": 8}}
    assert parameters["train"] == {"seed": 1, "epochs": 8}


def test_null_takes_the_place_of_a_section() -> None:
    key = "train_augmented.parts.matching"
    assert with_settings(COMPLETE, {key: None}) == changed(key, None) != COMPLETE


@pytest.mark.parametrize(
    "settings",
    [
        {"train.seed": 3},
        {"train_augmented.parts.matching": None, "train_augmented.parts.mask": True},
        {"train_augmented.parts.interaction": "bilinear", "train_augmented.history_dropout": 0.0},
        {"train_augmented.overrides.l1": 3e-7, "dataset": "null"},
    ],
    ids=lambda settings: ",".join(settings_text(settings)),
)
def test_dvc_reads_settings_as_they_are_meant(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text((REPOSITORY / "params.yaml").read_text())
    before = load_yaml(file)
    apply_overrides(file, settings_text(settings))
    assert load_yaml(file) == with_settings(before, settings) != before


def found(seed: int, state: str = "queued") -> dict[str, Experiment]:
    return {"seed-2": Experiment("r", state, {"train": {"seed": seed, "epochs": 8}})}


@pytest.mark.parametrize("state", ["queued", "running", "success"])
def test_experiment_must_have_the_parameters_of_the_commit_with_its_settings(state: str) -> None:
    committed = {"train": {"seed": 1, "epochs": 8}}
    assert with_other_parameters(found(2, state), committed, WANTED) == []
    assert with_other_parameters(found(3, state), committed, WANTED) == ["seed-2"]
    committed["train"]["epochs"] = 9
    assert with_other_parameters(found(2, state), committed, WANTED) == ["seed-2"]


def test_failed_experiment_has_no_parameters_to_compare() -> None:
    failed = {"seed-2": Experiment("r", "failed", {})}
    assert with_other_parameters(failed, {"train": {"seed": 1}}, WANTED) == []

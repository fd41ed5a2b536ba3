import math
from typing import Any

import pytest

from offerbench.seeds import experiments_of, seed_statistics, seeds_markdown, with_seed

from .parameters import evaluate_parameters

ONE = {
    "all": {"brand": {"full": 0.6, "mono_brand": 0.7}},
    "popular": {"brand": {"full": None, "mono_brand": None}},
}
TWO = {
    "all": {"brand": {"full": 0.64, "mono_brand": 0.7}},
    "popular": {"brand": {"full": None, "mono_brand": None}},
}


def shown(*experiments: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"rev": "workspace", "experiments": None},
        {"rev": "abc", "experiments": list(experiments) or None},
    ]


def experiment(name: str, state: str | None, revision: str = "r", error: Any = None) -> dict[str, Any]:
    data = None if error else {"params": {"params.yaml": {"data": {"train": {"seed": 2}}}}}
    executor = None if state is None else {"state": state}
    return {"name": name, "executor": executor, "revs": [{"rev": revision, "data": data, "error": error}]}


def test_mean_and_deviation_are_of_a_sample() -> None:
    means, deviations = seed_statistics([ONE, TWO])
    assert means["all"]["brand"] == pytest.approx({"full": 0.62, "mono_brand": 0.7})
    assert deviations["all"]["brand"] == pytest.approx({"full": 0.04 / math.sqrt(2), "mono_brand": 0.0})


def test_segment_without_offers_has_no_mean() -> None:
    means, deviations = seed_statistics([ONE, TWO])
    assert means["popular"] == deviations["popular"] == {"brand": {"full": None, "mono_brand": None}}


def test_report_says_seeds_means_and_deviations() -> None:
    text = seeds_markdown([4, 5], [ONE, TWO], evaluate_parameters())
    assert "# wAUC over 2 seeds" in text
    assert "`train.seed` = 4, 5;" in text
    assert "| full model (all features) | .620 ±.028     |" in text
    assert "| mono: brand               | **.700 ±.000** |" in text
    assert "## Popular offers: offers with more than 20 positives" in text


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


def test_seed_is_the_only_parameter_that_changes() -> None:
    parameters = {"tasks": ["brand"], "train": {"seed": 1, "epochs": 8}}
    assert with_seed(parameters, 3) == {"tasks": ["brand"], "train": {"seed": 3, "epochs": 8}}
    assert parameters["train"] == {"seed": 1, "epochs": 8}

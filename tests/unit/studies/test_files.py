"""The studies of this repository, planned on its own params.yaml and presets."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from offerbench.core.rows import Role, table_rows
from offerbench.core.section import leaves
from offerbench.studies.config import SettingsAsRows, Study, load_study
from offerbench.studies.experiments import Experiment, plan_experiments
from offerbench.studies.settings import differences, read_parameters

REPOSITORY = Path(__file__).parents[3]
NAMES = sorted(file.stem for file in (REPOSITORY / "studies").glob("*.yaml"))
DEFAULT = read_parameters((REPOSITORY / "params.yaml").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)


def planned(name: str) -> tuple[Study, list[Experiment]]:
    study = load_study(name)
    return study, plan_experiments(name, study, (REPOSITORY / study.base).read_text(encoding="utf-8"))


def changes(experiment: Experiment) -> dict[str, tuple[str, str]]:
    return differences(DEFAULT, experiment.content)


def test_the_studies_of_this_repository() -> None:
    chosen = ["attributes", "default_choice", "half_life", "search"]
    presets = ["complete_journey_published", "instacart_sample", "movielens_100k", "online_retail"]
    assert sorted(NAMES) == sorted(["ablation", "negatives", "seeds", *presets, *chosen])
    for name in presets:
        assert planned(name)[0].base == f"presets/{name}.yaml"
    for name in chosen:  # nothing is chosen on test users
        _, experiments = planned(name)
        assert {experiment.content["evaluate"]["users"] for experiment in experiments} == {"validation"}


@pytest.mark.parametrize("name", NAMES)
def test_a_study_shows_rows_that_there_are_and_its_settings_differ(name: str) -> None:
    study, experiments = planned(name)
    rows = [row.name for row in table_rows(experiments[0].parameters.tasks)]
    shown = study.tabulate
    if isinstance(shown, SettingsAsRows):
        assert {shown.model, *shown.references} <= {*rows, Role.SPECIALIST.value}
        keys = [key.split(".") for experiment in experiments for key, _ in leaves(experiment.content)]
        known = {".".join(key[:depth]) for key in keys for depth in range(1, len(key) + 1)}
        assert set(shown.columns.values()) <= known
    texts = [experiment.text for experiment in experiments]
    assert len(set(texts)) == len(texts)
    assert [experiment.name for experiment in experiments] == [f"{name}-{key}" for key in study.settings]


def test_seeds_are_five_and_change_those_of_all_trainings_and_nothing_else() -> None:
    _, experiments = planned("seeds")
    sections = ("train_full", "train_augmented", "train_mono")
    found = [[experiment.content[section]["seed"] for section in sections] for experiment in experiments]
    assert found == [[seed] * 3 for seed in range(1, 6)]
    for experiment in experiments:
        assert set(changes(experiment)) <= {f"{section}.seed" for section in sections}


def test_ablation_is_all_eight_combinations_in_the_order_of_its_study() -> None:
    _, experiments = planned("ablation")
    assert [experiment.setting for experiment in experiments] == [
        "nogroupby-nomask-dot",
        "nogroupby-nomask-bilinear",
        "nogroupby-mask-dot",
        "nogroupby-mask-bilinear",
        "groupby-nomask-dot",
        "groupby-nomask-bilinear",
        "groupby-mask-dot",
        "groupby-mask-bilinear",
    ]
    found = []
    for experiment in experiments:
        augmented = experiment.parameters.train_augmented
        ranker = augmented.ranker
        assert ranker.compression is not None
        found.append((augmented.groupings is not None, ranker.compression.mask, ranker.interaction))
    assert found == list(product((False, True), (False, True), ("dot", "bilinear")))


def test_combinations_of_the_ablation_differ_in_their_parts_only() -> None:
    _, experiments = planned("ablation")
    full = experiments[0].parameters.train_full
    for experiment in experiments:
        augmented = experiment.parameters.train_augmented
        ranker = augmented.ranker
        assert ranker.compression is not None
        assert (ranker.compression.user_meta_features, ranker.compression.offer_meta_features) == (5, 3)
        assert (ranker.variance, ranker.match_score, augmented.history_dropout) == (True, None, 0.0)
        assert (ranker.embedding_dim, ranker.shared_embeddings, ranker.l1) == (30, False, 2e-7)
        assert augmented.optimizer.learning_rate == full.optimizer.learning_rate
        if augmented.groupings is not None:
            assert augmented.groupings.model_dump() == DEFAULT["train_augmented"]["groupings"]
        assert {key.partition(".")[0] for key in changes(experiment)} == {"train_augmented"}


def choice(experiment: Experiment) -> dict[str, Any]:
    """The set-up in the words of the search that was made before there was a study."""
    augmented = experiment.parameters.train_augmented
    groupings, match_score = augmented.groupings, augmented.ranker.match_score
    return {
        "number": groupings.number if groupings else 0,
        "history_dropout": augmented.history_dropout,
        "matching": match_score is not None,
        "l1": augmented.ranker.l1,
        "weights": experiment.parameters.prepare.history.weights,
        "shared": augmented.ranker.shared_embeddings,
    }


def test_search_is_the_eight_set_ups_given_and_the_two_drawn() -> None:
    _, experiments = planned("search")
    base = {"number": 3, "history_dropout": 0.5, "matching": True, "l1": 2e-6, "weights": "distinct"}
    base = {**base, "shared": False}
    plain = {**base, "number": 0, "history_dropout": 0.0, "matching": False, "l1": 2e-7}
    drawn = {**base, "history_dropout": 0.3, "matching": False}
    shared = {"shared": True}
    assert [choice(experiment) for experiment in experiments] == [
        {**base},
        {**base, **shared},
        {**base, "weights": "count"},
        {**base, "weights": "recency"},
        plain,
        {**plain, "number": 3},
        {**plain, "matching": True},
        {**plain, "number": 3, "matching": True},
        {**drawn, "weights": "count"},
        {**drawn, **shared},
    ]
    for experiment in experiments:
        match_score = experiment.parameters.train_augmented.ranker.match_score
        assert match_score is None or (match_score.windows, match_score.hidden_units) == ([100, None], 4)


def test_default_choice_is_the_grid_of_history_and_momentum() -> None:
    _, experiments = planned("default_choice")
    found = [
        (one.parameters.prepare.history.keep, one.parameters.train_full.ranker.batch_normalization_momentum)
        for one in experiments
    ]
    assert found == list(product(("oldest", "latest"), (0.99, 0.9, 0.8)))
    for experiment in experiments:
        full = experiment.parameters.train_full
        assert full.early_stopping_patience == full.epochs, "all epochs, the best one restored"


@pytest.mark.parametrize("name", ["search", "default_choice"])
def test_what_chooses_something_looks_at_validation_users_only(name: str) -> None:
    for experiment in planned(name)[1]:
        assert experiment.parameters.evaluate.users == "validation"
        unknown = {
            key
            for key in changes(experiment)
            if not key.startswith(("train_augmented.", "train_full.", "prepare.history.", "evaluate.users"))
        }
        assert unknown == set()


def test_published_is_its_preset_as_it_is() -> None:
    study, (experiment,) = planned("complete_journey_published")
    assert experiment.text == (REPOSITORY / study.base).read_text(encoding="utf-8")
    assert study.base == "presets/complete_journey_published.yaml"
